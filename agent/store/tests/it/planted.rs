//! Planted bugs: each is a way in which software of this kind loses pictures, and the cuts and laws of these tests see it.
//! A planted day without a cut looks good, which is why the cuts are needed.
//!
//! | planted | what is done wrong | who sees it |
//! |---|---|---|
//! | row before file | the row of a capture is committed, then its file is written | recovery finds a row without its picture |
//! | delete before receipt | a picture leaves the card when it was sent, not when its receipt came | the law that what is not on the card is on the server |
//! | unheard is delivered | a batch that nobody answered counts as stored | the law that a stored record is on the server |

use crate::crash::{changes, live_until, recover_and_check};
use crate::day::{self, OnError};
use crate::laws;
use crate::trap::{LOSSES, Trap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use trapline_store::Disk;
use trapline_store::disk::{CommitPoint, DiskFile, Entry, LockGuard, SimDisk};

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Planted {
    Nothing,
    RowBeforeFile,
    DeleteBeforeReceipt,
    UnheardIsDelivered,
}

/// What the first failure says of a planted bug, with a cut at each operation of a day.
fn caught(planted: Planted) -> Option<String> {
    let mut trap = Trap::with(planted);
    day::live(&mut trap, OnError::Stop);
    for cut in changes(&trap.disk) {
        // What is not synced is lost: the hardest card.
        let seen = catch_unwind(AssertUnwindSafe(|| {
            let mut trap = live_until(planted, cut, LOSSES[1]);
            recover_and_check(&mut trap, &format!("{planted:?}, cut at {cut}"));
        }));
        if let Err(panic) = seen {
            return Some(panic.downcast_ref::<String>().cloned().unwrap_or_default());
        }
    }
    None
}

/// Whether a day without a cut keeps all laws.
fn looks_good(planted: Planted) -> bool {
    let seen = catch_unwind(|| {
        let mut trap = Trap::with(planted);
        day::live(&mut trap, OnError::Stop);
        let (ledger, recovery) = trap.open().unwrap();
        assert_eq!((recovery.damaged, recovery.gone_but_safe), (0, 0));
        laws::check(&trap, &ledger);
    });
    seen.is_ok()
}

#[test]
fn nothing_planted_is_not_caught() {
    assert!(looks_good(Planted::Nothing));
    assert_eq!(caught(Planted::Nothing), None);
}

#[test]
fn a_row_before_its_file_is_caught() {
    assert!(looks_good(Planted::RowBeforeFile));
    let words = caught(Planted::RowBeforeFile).unwrap();
    assert!(words.contains("left: (1, 0)"), "{words}");
}

#[test]
fn a_deletion_before_the_receipt_is_caught() {
    assert!(looks_good(Planted::DeleteBeforeReceipt));
    let words = caught(Planted::DeleteBeforeReceipt).unwrap();
    let is_seen = ["Safe", "Pruned"]
        .iter()
        .any(|state| words.contains(&format!("is {state} and the server never had it")));
    assert!(is_seen, "{words}");
}

#[test]
fn an_unheard_batch_that_counts_as_delivered_is_caught() {
    let words = caught(Planted::UnheardIsDelivered).unwrap();
    assert!(
        words.contains("is `stored` and the server never had it"),
        "{words}"
    );
}

/// A disk that puts off all work on files until the next commit is done.
pub(crate) struct RowFirst {
    disk: SimDisk,
    late: Arc<Mutex<Vec<Late>>>,
}

enum Late {
    Create(PathBuf),
    Write(Vec<u8>),
    Sync,
    Rename(PathBuf, PathBuf),
    SyncFolder(PathBuf),
}

impl RowFirst {
    pub(crate) fn over(disk: SimDisk) -> Self {
        Self {
            disk,
            late: Arc::default(),
        }
    }

    fn put_off(&self, what: Late) {
        self.late
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }

    fn catch_up(&self) -> io::Result<()> {
        let late = std::mem::take(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner));
        let mut open: Option<Box<dyn DiskFile>> = None;
        for what in late {
            match what {
                Late::Create(file) => open = Some(self.disk.create(&file)?),
                Late::Write(bytes) => open.as_mut().expect("a file").write(&bytes)?,
                Late::Sync => open.as_mut().expect("a file").sync()?,
                Late::Rename(from, to) => self.disk.rename(&from, &to)?,
                Late::SyncFolder(folder) => self.disk.sync_folder(&folder)?,
            }
        }
        Ok(())
    }

    fn is_behind(&self) -> bool {
        let late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        !late.is_empty()
    }
}

struct LateFile {
    late: Arc<Mutex<Vec<Late>>>,
}

impl DiskFile for LateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.push(Late::Write(bytes.to_vec()));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        late.push(Late::Sync);
        Ok(())
    }
}

impl Disk for RowFirst {
    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        self.disk.make_folder(folder)
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.put_off(Late::Create(file.to_owned()));
        Ok(Box::new(LateFile {
            late: Arc::clone(&self.late),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.is_behind() {
            self.put_off(Late::Rename(from.to_owned(), to.to_owned()));
            return Ok(());
        }
        self.disk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if self.is_behind() {
            self.put_off(Late::SyncFolder(folder.to_owned()));
            return Ok(());
        }
        self.disk.sync_folder(folder)
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.disk.remove(file)
    }

    fn read_at(&self, file: &Path, offset_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
        self.disk.read_at(file, offset_bytes, len_bytes)
    }

    fn size_bytes(&self, file: &Path) -> io::Result<Option<u64>> {
        self.disk.size_bytes(file)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.disk.list(folder)
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        self.disk.free_bytes(folder)
    }

    fn lock(&self, file: &Path) -> io::Result<LockGuard> {
        self.disk.lock(file)
    }

    fn commit_point(&self, point: CommitPoint) -> io::Result<()> {
        self.disk.commit_point(point)?;
        match point {
            CommitPoint::Before => Ok(()),
            CommitPoint::After => self.catch_up(),
        }
    }

    fn commits_must_sync(&self) -> bool {
        self.disk.commits_must_sync()
    }
}
