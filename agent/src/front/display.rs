//! The display of the front: the sheet that is due on the panel that is there.
//!
//! A panel that does not answer is a fault, and is tried again at longer and
//! longer intervals, or when the button is pressed. E-paper takes seconds for a
//! picture, which is why every call goes to a thread, and it is spared while
//! nobody looks: each drawing wears it.

use super::board::PartState;
use super::gather::Gatherer;
use super::light::flat;
use crate::config::front::DisplayConfig;
use crate::desk::Desk;
use crate::lent::{AWAY_MAX, Lent};
use crate::screen::{self, Carousel, Facts, Sheet, SheetId, Shows};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use trapline_hal::{Asleep, Canvas, DeviceError, Panel, PanelSize};

/// Opens the panel.
pub type OpenPanel = Box<dyn FnMut() -> Result<Box<dyn Panel>, DeviceError> + Send>;

/// Its name in faults and in the wiring table.
pub(super) const PART: &str = trapline_hal::panel::DEVICE;
/// E-paper in the cold takes ten seconds.
const DEADLINE: Duration = Duration::from_secs(15);
/// While somebody looks, the facts are looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The same for e-paper that nobody looks at.
const PAPER_EVERY: Duration = Duration::from_mins(5);
/// A panel that failed is tried again after this, later after more.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// Draws until the agent stops, then puts the panel to sleep.
pub(super) async fn draw(desk: &Desk, open: OpenPanel, config: &DisplayConfig) {
    let mut display = Display {
        desk: desk.clone(),
        gatherer: Gatherer::new(desk.clone()),
        open: Lent::of(open),
        panel: Lent::empty(),
        began: Instant::now(),
        on_glass: OnGlass::Unknown,
        contrast: config.contrast,
    };
    let mut retry = RETRY.0;
    let mut board = desk.board.follow();
    let mut seen = Seen::default();
    let sleep_after_ms = crate::moment::millis(config.sleep_after);
    let mut carousel: Option<Carousel> = None;
    loop {
        let shown = board.borrow_and_update().clone();
        let drawn = match display.ready().await {
            Err(why) => Err(why),
            Ok((size, asleep)) => {
                let now_ms = display.now_ms();
                let carousel =
                    carousel.get_or_insert_with(|| Carousel::new(asleep, sleep_after_ms, now_ms));
                let is_called = shown.check.is_some() && shown.check_steps != seen.check_steps;
                let is_pressed = shown.presses != seen.presses;
                let is_awake = carousel.is_awake(now_ms) || is_pressed || is_called;
                if is_awake || asleep == Asleep::KeepsPicture {
                    let facts = display.gatherer.gather(&shown, is_awake).await;
                    let sheets = screen::sheets(&facts, size);
                    let ids: Vec<SheetId> = sheets.iter().map(|sheet| sheet.id.clone()).collect();
                    if is_called {
                        carousel.call(now_ms, &ids);
                    } else if is_pressed {
                        carousel.press(now_ms, &ids);
                    }
                    display
                        .show(&carousel.look(now_ms, &ids), &sheets, size)
                        .await
                } else {
                    display.darken().await
                }
            }
        };
        seen = Seen {
            presses: shown.presses,
            check_steps: shown.check_steps,
        };
        let is_well = drawn.is_ok();
        display.tell(drawn);
        let rest = match (&carousel, is_well) {
            (_, false) | (None, _) => {
                let rest = retry;
                retry = (retry * 2).min(RETRY.1);
                rest
            }
            (Some(carousel), true) => {
                retry = RETRY.0;
                display.rest(carousel)
            }
        };
        tokio::select! {
            biased;
            () = desk.stop.over(Duration::ZERO) => break,
            () = pressed(&mut board, &seen, is_well) => {}
            () = sleep(rest) => {}
        }
    }
    display.put_out().await;
}

/// What of the board was reacted to.
#[derive(Debug, Default)]
struct Seen {
    presses: u64,
    check_steps: u64,
}

/// Returns when the board says something that the display shows at once.
async fn pressed(
    board: &mut tokio::sync::watch::Receiver<super::board::Shown>,
    seen: &Seen,
    is_well: bool,
) {
    // A panel that failed is not bothered with every step of a check.
    let is_news = |shown: &super::board::Shown| {
        shown.presses != seen.presses || (is_well && shown.check_steps != seen.check_steps)
    };
    if board.wait_for(is_news).await.is_err() {
        std::future::pending().await
    }
}

/// What is on the panel, as far as we know.
#[derive(Debug, PartialEq)]
enum OnGlass {
    Unknown,
    Dark,
    Picture(Canvas),
}

struct Display {
    desk: Desk,
    gatherer: Gatherer,
    open: Lent<OpenPanel>,
    panel: Lent<Box<dyn Panel>>,
    began: Instant,
    on_glass: OnGlass,
    contrast: u8,
}

impl Display {
    fn now_ms(&self) -> u64 {
        crate::moment::millis(self.began.elapsed())
    }

    /// How long nothing changes unless somebody presses.
    fn rest(&self, carousel: &Carousel) -> Duration {
        let now_ms = self.now_ms();
        if carousel.is_awake(now_ms) {
            let until_ms = carousel.awake_until_ms().saturating_sub(now_ms);
            return Duration::from_millis(until_ms).min(LOOK_EVERY);
        }
        PAPER_EVERY
    }

    /// Makes sure that a panel is here, and says what it is like.
    async fn ready(&mut self) -> Result<(PanelSize, Asleep), String> {
        if !self.panel.is_here() {
            self.on_glass = OnGlass::Unknown;
            if self.open.hanging() + self.panel.hanging() >= AWAY_MAX {
                return Err("it hangs; check its wires, then restart the trap".to_owned());
            }
            let opened = self.open.job(self.desk.hands, DEADLINE, |open| open());
            let mut panel = flat(opened.await)?;
            panel.set_contrast(self.contrast);
            self.panel.put(panel);
        }
        match self.panel.get() {
            Some(panel) => Ok((panel.size(), panel.asleep())),
            None => Err("it does not answer in time; check its wires".to_owned()),
        }
    }

    async fn show(
        &mut self,
        shows: &Shows,
        sheets: &[Sheet],
        size: PanelSize,
    ) -> Result<Option<Duration>, String> {
        let sheet = match shows {
            Shows::Dark => return self.darken().await,
            Shows::Sheet(id) => sheets.iter().find(|sheet| sheet.id == *id),
        };
        let Some(sheet) = sheet else {
            return self.darken().await;
        };
        let canvas = screen::draw(sheet, size);
        // An OLED that lost its power meanwhile is dark, and only a transfer finds that out.
        let is_paper = self.panel.get().map(|panel| panel.asleep()) == Some(Asleep::KeepsPicture);
        if is_paper && self.on_glass == OnGlass::Picture(canvas.clone()) {
            return Ok(None);
        }
        self.on_glass = OnGlass::Unknown;
        let began = Instant::now();
        let picture = canvas.clone();
        self.job(move |panel| panel.show(&picture)).await?;
        self.on_glass = OnGlass::Picture(canvas);
        Ok(Some(began.elapsed()))
    }

    async fn darken(&mut self) -> Result<Option<Duration>, String> {
        if self.on_glass == OnGlass::Dark {
            return Ok(None);
        }
        self.on_glass = OnGlass::Unknown;
        let began = Instant::now();
        self.job(|panel| panel.sleep()).await?;
        self.on_glass = OnGlass::Dark;
        Ok(Some(began.elapsed()))
    }

    async fn job<F>(&mut self, work: F) -> Result<(), String>
    where
        F: FnOnce(&mut dyn Panel) -> Result<(), DeviceError> + Send + 'static,
    {
        let done = self
            .panel
            .job(self.desk.hands, DEADLINE, move |panel| work(panel.as_mut()));
        flat(done.await)
    }

    /// Puts on the board and among the faults how the panel is.
    fn tell(&self, drawn: Result<Option<Duration>, String>) {
        let (said, took) = match drawn {
            // Nothing was said to it, so nothing is known anew.
            Ok(None) => return,
            Ok(Some(took)) => {
                self.desk.health.clear(PART);
                (Ok("it shows pictures".to_owned()), took)
            }
            Err(why) => {
                let now_ms = self.desk.clock.stamp().unix_ms;
                self.desk.health.raise(PART, &why, now_ms);
                (Err(why), Duration::ZERO)
            }
        };
        let state = PartState {
            said,
            took,
            is_active: None,
        };
        self.desk.board.saw(PART, state);
    }

    /// An OLED goes dark; e-paper says that the trap may be unplugged.
    async fn put_out(&mut self) {
        let Some((size, asleep)) = self.panel.get().map(|panel| (panel.size(), panel.asleep()))
        else {
            return;
        };
        let done = match asleep {
            Asleep::Dark => self.darken().await,
            Asleep::KeepsPicture => {
                let facts = Facts {
                    trap: self.desk.config.trap.name.clone(),
                    doing: screen::Doing::Stopping,
                    ..Facts::default()
                };
                let sheets = screen::sheets(&facts, size);
                let first = sheets.first().map(|sheet| Shows::Sheet(sheet.id.clone()));
                self.show(&first.unwrap_or(Shows::Dark), &sheets, size)
                    .await
            }
        };
        if let Err(why) = done {
            log::debug!("the display could not be put out: {why}");
        }
    }
}
