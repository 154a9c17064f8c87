//! The rows of the self-test for what is wired to the trap: camera, sensors,
//! and the front.

use super::tour::{Found, Tour, not_back_words};
use crate::asks::LampUse;
use crate::config::{CameraKind, Config};
use crate::desk::Desk;
use crate::front::PartState;
use crate::probes::Probes;
use crate::stage::device_words;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout};
use trapline_hal::{Frame, PowerReading};

/// A sensor that takes longer does not work.
const SENSOR_LIMIT: Duration = Duration::from_secs(6);
/// E-paper in the cold takes ten seconds.
const FRONT_LIMIT: Duration = Duration::from_secs(20);
/// A planned shot goes first, and this is what it may take beside the camera's own time.
const TURN: Duration = Duration::from_secs(45);

/// The time that a picture to look at may take, the turn of a planned shot included.
pub(crate) fn picture_limit(config: &Config) -> Duration {
    3 * config.camera.deadline + TURN
}

/// A picture that nobody keeps, from the stage that holds the camera.
pub(crate) async fn look(desk: &Desk, lamp: LampUse) -> Result<Frame, String> {
    let limit = picture_limit(&desk.config);
    let looked = timeout(limit, desk.asks.look(lamp)).await;
    looked.unwrap_or_else(|_| Err(format!("no picture in {} s", limit.as_secs())))
}

/// The camera's row and its picture.
pub(super) async fn camera(desk: &Desk, tour: &mut Tour<'_>) -> Option<Frame> {
    take_picture(desk, tour, look(desk, LampUse::AsUsual)).await
}

/// The camera's row, for a picture that is taken somehow.
pub(crate) async fn take_picture(
    desk: &Desk,
    tour: &mut Tour<'_>,
    look: impl Future<Output = Result<Frame, String>>,
) -> Option<Frame> {
    let kind = &desk.config.camera.kind;
    let remedy = match kind {
        CameraKind::Folder { .. } => "put JPEG files into the folder of `camera.folder`",
        CameraKind::Csi | CameraKind::Uvc(_) | CameraKind::None => {
            "check the camera's cable at both ends, then start the trap again"
        }
    };
    let mut taken = None;
    let work = async {
        let frame = match look.await {
            Ok(frame) => frame,
            Err(why) => return said(&why, remedy),
        };
        match trapline_detect::jpeg::dimensions(&frame.jpeg) {
            Ok((width, height)) => {
                let kb = frame.jpeg.len() / 1_000;
                taken = Some(frame);
                Found::good(format!(
                    "took a picture of {width} × {height} pixels, {kb} kB"
                ))
            }
            Err(error) => Found::bad(crate::stage::in_full(&error), remedy),
        }
    };
    tour.step("camera", picture_limit(&desk.config) + TURN, work)
        .await;
    taken
}

/// A row for each sensor and for the battery-backed clock.
pub(super) async fn sensors(desk: &Desk, tour: &mut Tour<'_>, probes: &mut Probes) {
    if probes.parts.is_empty() {
        let found = Found::absent("none are configured; `trapline-agent hal scan` finds them");
        tour.note("sensors", found, Duration::ZERO);
    }
    for probe in &mut probes.parts {
        let (read, remedy) = (&mut probe.read, &probe.remedy);
        let work = async {
            match read.job(desk.hands, SENSOR_LIMIT, |read| read()).await {
                Ok(Ok(words)) => Found::good(words),
                // Most words of drivers carry the remedy themselves.
                Ok(Err(error)) => said(&device_words(&error), remedy),
                Err(not_back) => Found::bad(not_back_words(not_back, SENSOR_LIMIT), remedy),
            }
        };
        let limit = SENSOR_LIMIT + Duration::from_secs(1);
        tour.step(&probe.part, limit, work).await;
    }
}

/// Words that carry their remedy behind a semicolon, or those with `otherwise`.
pub(crate) fn said(words: &str, otherwise: &str) -> Found {
    match words.split_once("; ") {
        Some((what, remedy)) => Found::bad(what, remedy),
        None => Found::bad(words, otherwise),
    }
}

/// The devices of the front, as they showed themselves while the check ran.
pub(super) async fn front(desk: &Desk, tour: &mut Tour<'_>) {
    let parts = [
        ("display", "check its plug and its wires"),
        ("button", "check its wires"),
        ("led", "check its wires"),
        ("trigger", "check its wires"),
    ];
    for (part, remedy) in parts {
        let shown = desk.board.shown();
        if !shown.parts.contains_key(part) {
            let found = Found::absent("none is configured");
            tour.note(part, found, Duration::ZERO);
            continue;
        }
        let began = Instant::now();
        let found = match timeout(FRONT_LIMIT, known(desk, part)).await {
            Err(_) => Found::bad("nothing is known of it yet", remedy),
            Ok(state) => match &state.said {
                Ok(_) if part == "button" && state.is_active == Some(true) => Found::care(
                    "it is pressed",
                    "let go; if nobody presses, look for a crushed cable",
                ),
                Ok(words) => {
                    tour.note(part, Found::good(words.clone()), state.took);
                    continue;
                }
                Err(words) => said(words, remedy),
            },
        };
        tour.note(part, found, began.elapsed());
    }
}

/// How a device of the front is, as soon as that is known.
async fn known(desk: &Desk, part: &str) -> PartState {
    let mut board = desk.board.follow();
    loop {
        let state = board.borrow_and_update().parts.get(part).cloned().flatten();
        if let Some(state) = state {
            return state;
        }
        if board.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Reads the battery beside everything else; `None` where none is measured.
pub(crate) async fn probe_battery(desk: &Desk, probes: &mut Probes) -> Option<PowerReading> {
    let battery = probes.battery.as_mut()?;
    let read = battery.job(desk.hands, SENSOR_LIMIT, |battery| battery.read());
    read.await.ok()
}
