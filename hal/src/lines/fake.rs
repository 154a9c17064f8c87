//! Lines that keep a record, for tests.

use super::{Input, Level, Lines, Output, OutputKind, Pull, Wiring};
use crate::error::{DeviceError, FaultKind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// An output that records what it was set to, and can be made to fail.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeOutput(Arc<Mutex<Record>>);

#[derive(Debug, Default)]
struct Record {
    levels: Vec<u16>,
    failures_left: u32,
}

impl FakeOutput {
    /// The next `count` settings fail.
    pub(crate) fn fail(&self, count: u32) {
        self.record().failures_left = count;
    }

    /// All that it was set to, in order.
    pub(crate) fn levels(&self) -> Vec<u16> {
        self.record().levels.clone()
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap()
    }
}

impl Output for FakeOutput {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        let mut record = self.record();
        if record.failures_left > 0 {
            record.failures_left -= 1;
            return Err(DeviceError::new("lamp", FaultKind::Transient, "refused"));
        }
        record.levels.push(level.permille());
        Ok(())
    }

    fn dims(&self) -> bool {
        true
    }
}

/// Goes off when it is dropped, as the real ones do.
struct Held(FakeOutput);

impl Output for Held {
    fn set(&mut self, level: Level) -> Result<(), DeviceError> {
        self.0.set(level)
    }

    fn dims(&self) -> bool {
        self.0.dims()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.set(Level::OFF).ok();
    }
}

/// Lines that are all the same output.
#[derive(Debug, Default)]
pub(crate) struct FakeLines {
    line: FakeOutput,
    taken: Mutex<Vec<Wiring>>,
    busy: AtomicU32,
}

impl FakeLines {
    pub(crate) fn line(&self) -> FakeOutput {
        self.line.clone()
    }

    /// The next `count` who want the line find it in use.
    #[cfg(feature = "pi")]
    pub(crate) fn busy_for(&self, count: u32) {
        self.busy.store(count, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self) -> Vec<Wiring> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<Wiring>> {
        self.taken.lock().unwrap()
    }
}

impl Lines for FakeLines {
    fn output(
        &self,
        device: &'static str,
        wiring: &Wiring,
        _kind: OutputKind,
    ) -> Result<Box<dyn Output>, DeviceError> {
        let busy = self.busy.load(Ordering::Relaxed);
        if busy > 0 {
            self.busy.store(busy - 1, Ordering::Relaxed);
            return Err(DeviceError::new(device, FaultKind::Busy, "in use"));
        }
        self.list().push(wiring.clone());
        let mut held = Held(self.line.clone());
        held.set(Level::OFF)?;
        Ok(Box::new(held))
    }

    fn input(
        &self,
        device: &'static str,
        _wiring: &Wiring,
        _pull: Pull,
    ) -> Result<Box<dyn Input>, DeviceError> {
        Err(DeviceError::new(device, FaultKind::Absent, "no inputs"))
    }
}
