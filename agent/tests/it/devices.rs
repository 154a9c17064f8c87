//! Devices that behave like devices, also like broken ones.

#![expect(
    clippy::unwrap_in_result,
    reason = "a fake that breaks its own promise ends the test"
)]

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;
use trapline_agent::capture::Devices;
use trapline_agent::capture::fittings::Fittings;
use trapline_agent::inspect::{Asked, Detect, LoadDetector, LookError, Seen, SeenBox};
use trapline_detect::arrivals::appearance;
use trapline_detect::{Detection, Picture};
use trapline_hal::{
    Ambient, AmbientReading, Camera, Celsius, Clock, ClockQuality, DeviceError, FaultKind, Frame,
    FrameSource, Power, PowerReading, ShotFacts, ShotSettings, Stamp,
};
use trapline_wire::Sha256;
use trapline_wire::v1::{CardSeen, LookFacts, ModelRef, WholeBecause};

/// 2026-06-01T00:00:00Z.
pub(crate) const JUNE_MS: i64 = 1_780_272_000_000;

/// A clock that follows tokio's and can be set.
#[derive(Debug)]
pub(crate) struct TestClock {
    began: Instant,
    set_ms: AtomicI64,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            set_ms: AtomicI64::new(JUNE_MS),
        }
    }

    pub(crate) fn jump_ms(&self, by_ms: i64) {
        self.set_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn stamp(&self) -> Stamp {
        let uptime_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap();
        Stamp {
            unix_ms: self.set_ms.load(Ordering::SeqCst) + i64::try_from(uptime_ms).unwrap(),
            quality: ClockQuality::Synced,
            boot_id: "boot".to_owned(),
            uptime_ms,
        }
    }
}

/// What the camera does at its shots, one after the other; then it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shot {
    Works,
    Fails,
    Panics,
    /// Gives bytes that are no picture.
    Garbage,
    /// Gives this file, as a real camera would.
    Gives(Vec<u8>),
}

struct TestCamera {
    script: Arc<Mutex<Vec<Shot>>>,
    taken: Arc<Mutex<u8>>,
}

impl Camera for TestCamera {
    fn shoot(&mut self, _settings: &ShotSettings) -> Result<Frame, DeviceError> {
        let next = {
            let mut script = self.script.lock().unwrap();
            if script.is_empty() {
                Shot::Works
            } else {
                script.remove(0)
            }
        };
        let jpeg = match next {
            Shot::Works => {
                let mut taken = self.taken.lock().unwrap();
                *taken += 1;
                jpeg(*taken)
            }
            Shot::Gives(jpeg) => {
                return Ok(Frame {
                    jpeg,
                    source: FrameSource::Camera {
                        model: "test".to_owned(),
                    },
                    facts: ShotFacts::default(),
                });
            }
            Shot::Garbage => b"\xff\xd8\xff and no more".to_vec(),
            Shot::Fails => {
                let why = "no frame from the sensor";
                return Err(DeviceError::new("camera", FaultKind::Transient, why));
            }
            Shot::Panics => panic!("index out of bounds in the driver"),
        };
        Ok(Frame {
            jpeg,
            // What is drawn is known by its bytes, so nothing may be written into it.
            source: FrameSource::Simulated,
            facts: ShotFacts::default(),
        })
    }
}

/// A small real picture, another one for each shade.
pub(crate) fn jpeg(shade: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut file, 80);
    let pixels = vec![shade; 32 * 16 * 3];
    encoder
        .encode(&pixels, 32, 16, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    file
}

struct TestAmbient;

impl Ambient for TestAmbient {
    fn read(&mut self) -> AmbientReading {
        let absent = DeviceError::new("light", FaultKind::Absent, "no answer at 0x23");
        AmbientReading {
            temperature: Celsius::new(21.5),
            faults: vec![absent],
            ..AmbientReading::default()
        }
    }
}

struct TestPower;

impl Power for TestPower {
    fn read(&mut self) -> PowerReading {
        PowerReading::default()
    }
}

/// A camera with this script, a thermometer, and a light sensor that is not there.
pub(crate) fn devices(script: Vec<Shot>) -> Devices {
    let script = Arc::new(Mutex::new(script));
    let taken = Arc::new(Mutex::new(0));
    Devices {
        open_camera: Box::new(move |_resume_after| {
            Ok(Box::new(TestCamera {
                script: Arc::clone(&script),
                taken: Arc::clone(&taken),
            }))
        }),
        ambient: Box::new(TestAmbient),
        power: Box::new(TestPower),
        fittings: Fittings::default(),
    }
}

/// What the detector does, one look after the other; then it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Fails,
    Panics,
    Unreadable,
}

struct TestDetector {
    script: Arc<Mutex<Vec<Look>>>,
}

impl Detect for TestDetector {
    fn model(&self) -> ModelRef {
        ModelRef {
            id: "test-1".to_owned(),
            sha256: Sha256::of(b"model"),
            threshold: 0.5,
        }
    }

    fn look(
        &mut self,
        asked: &Asked<'_>,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Seen, LookError> {
        assert!(keep_going(), "there is always time for a small picture");
        let mut script = self.script.lock().unwrap();
        if script.is_empty() {
            return Ok(seen(asked.memory));
        }
        match script.remove(0) {
            Look::Fails => Err(LookError::Failed("out of memory".to_owned())),
            Look::Unreadable => Err(LookError::Unreadable("the JPEG is cut off".to_owned())),
            Look::Panics => {
                drop(script);
                panic!("attempt to subtract with overflow")
            }
        }
    }
}

/// One insect in the same place in each picture; remembers how many it saw.
pub(crate) fn seen(memory: Option<&[u8]>) -> Seen {
    let before = memory.and_then(|bytes| bytes.first().copied()).unwrap_or(0);
    let picture = Picture {
        width_px: 40,
        height_px: 40,
        rgb: [200, 190, 60].repeat(40 * 40),
    };
    let place = Detection {
        x_px: 10.0,
        y_px: 12.0,
        width_px: 13.0,
        height_px: 14.0,
        score: 0.9,
        class: 0,
    };
    Seen {
        boxes: vec![SeenBox {
            x_px: place.x_px,
            y_px: place.y_px,
            width_px: place.width_px,
            height_px: place.height_px,
            score: place.score,
            class: 0,
            carried: before > 0,
            appearance: appearance(&picture, &place),
        }],
        class_names: vec!["insect".to_owned()],
        facts: LookFacts {
            tiles: 4,
            tiles_run: if before > 0 { 1 } else { 4 },
            whole: (before == 0).then_some(WholeBecause::First),
            is_half: false,
            shift_x_px: (before > 0).then_some(0.0),
            shift_y_px: (before > 0).then_some(0.0),
            card: if before > 0 {
                CardSeen::Same
            } else {
                CardSeen::First
            },
            sharpness: 1.0,
            mean_luma: 120.0,
            clipped_share: 0.0,
            is_poor: false,
        },
        scene: None,
        memory: vec![before.saturating_add(1)],
    }
}

/// A detector with this script.
pub(crate) fn detector(script: Vec<Look>) -> LoadDetector {
    let script = Arc::new(Mutex::new(script));
    Box::new(move |_choice| {
        Ok(Box::new(TestDetector {
            script: Arc::clone(&script),
        }))
    })
}
