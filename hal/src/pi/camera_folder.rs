//! The folder camera: replays the JPEG files of a folder in the order of their
//! names. What it gives is real and says that it was replayed.

use crate::camera::{Camera, Frame, FrameSource, ShotFacts, ShotSettings};
use crate::error::{DeviceError, FaultKind};
use std::path::{Path, PathBuf};

const DEVICE: &str = "camera";
/// A picture larger than this is no picture of a camera.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How often the folder is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playback {
    /// Each file once, then no more.
    Once,
    /// From the start again after the last file.
    Loop,
}

/// Replays a folder.
#[derive(Debug)]
pub struct FolderCamera {
    folder: PathBuf,
    playback: Playback,
    files: Vec<String>,
    next: usize,
}

impl FolderCamera {
    /// Lists `folder` and starts after the file named `resume_after`, so that a
    /// trap that was cut off neither repeats nor skips a picture.
    ///
    /// # Errors
    /// [`FaultKind::Absent`] when the folder cannot be read or holds no `.jpg` or `.jpeg`.
    pub fn open(
        folder: &Path,
        playback: Playback,
        resume_after: Option<&str>,
    ) -> Result<Self, DeviceError> {
        let files = list_jpegs(folder)?;
        let next = resume_after.map_or(0, |last| {
            files.partition_point(|name| name.as_str() <= last)
        });
        Ok(Self {
            folder: folder.to_owned(),
            playback,
            files,
            next,
        })
    }

    /// How many files the folder holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether the folder holds no file; never true for an opened camera.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl Camera for FolderCamera {
    fn shoot(&mut self, settings: &ShotSettings) -> Result<Frame, DeviceError> {
        if self.playback == Playback::Loop && self.next >= self.files.len() {
            self.next = 0;
        }
        let Some(name) = self.files.get(self.next).cloned() else {
            let message = format!(
                "all {} pictures of {} were replayed",
                self.files.len(),
                self.folder.display()
            );
            return Err(DeviceError::new(DEVICE, FaultKind::Absent, message));
        };
        // A file that cannot be read must not be tried for ever: the next shot takes the next file.
        if !settings.only_to_look {
            self.next += 1;
        }
        let jpeg = read_jpeg(&self.folder.join(&name))?;
        Ok(Frame {
            jpeg,
            source: FrameSource::Replayed { file_name: name },
            facts: ShotFacts::default(),
        })
    }

    fn is_exhausted(&self) -> bool {
        self.playback == Playback::Once && self.next >= self.files.len()
    }
}

fn list_jpegs(folder: &Path) -> Result<Vec<String>, DeviceError> {
    let absent = |message: String| DeviceError::new(DEVICE, FaultKind::Absent, message);
    let entries = std::fs::read_dir(folder)
        .map_err(|e| absent(format!("cannot read the folder {}", folder.display())).caused_by(e))?;
    let mut files: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_jpeg_name(name))
        .collect();
    files.sort_unstable();
    if files.is_empty() {
        return Err(absent(format!(
            "no .jpg or .jpeg file in {}",
            folder.display()
        )));
    }
    Ok(files)
}

fn is_jpeg_name(name: &str) -> bool {
    let extension = Path::new(name)
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    extension.eq_ignore_ascii_case("jpg") || extension.eq_ignore_ascii_case("jpeg")
}

fn read_jpeg(path: &Path) -> Result<Vec<u8>, DeviceError> {
    let broken = |message: String| DeviceError::new(DEVICE, FaultKind::Broken, message);
    let size_bytes = std::fs::metadata(path)
        .map_err(|e| broken(format!("cannot read {}", path.display())).caused_by(e))?
        .len();
    if size_bytes > FILE_BYTES_MAX {
        return Err(broken(format!(
            "{} has {size_bytes} bytes; a picture has at most {FILE_BYTES_MAX}",
            path.display()
        )));
    }
    let jpeg = std::fs::read(path)
        .map_err(|e| broken(format!("cannot read {}", path.display())).caused_by(e))?;
    if !jpeg.starts_with(&[0xff, 0xd8, 0xff]) {
        return Err(broken(format!(
            "{} is not a JPEG file, whatever its name says",
            path.display()
        )));
    }
    Ok(jpeg)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "test files need no durability")]
mod tests {
    use super::*;

    fn folder_of(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];

    fn replay(camera: &mut FolderCamera, shots: usize) -> Vec<String> {
        let name = |result: Result<Frame, DeviceError>| match result {
            Ok(Frame {
                source: FrameSource::Replayed { file_name },
                ..
            }) => file_name,
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{:?}", error.kind),
        };
        (0..shots)
            .map(|_| name(camera.shoot(&ShotSettings::default())))
            .collect()
    }

    #[test]
    fn once_plays_each_file_in_order_and_ends() {
        let folder = folder_of(&[("b.jpg", JPEG), ("a.JPEG", JPEG), ("notes.txt", b"x")]);
        let mut camera = FolderCamera::open(folder.path(), Playback::Once, None).unwrap();
        assert_eq!(replay(&mut camera, 3), ["a.JPEG", "b.jpg", "Absent"]);
        assert!(camera.is_exhausted());
    }

    #[test]
    fn a_loop_starts_again_and_never_ends() {
        let folder = folder_of(&[("a.jpg", JPEG), ("b.jpg", JPEG)]);
        let mut camera = FolderCamera::open(folder.path(), Playback::Loop, Some("a.jpg")).unwrap();
        assert_eq!(replay(&mut camera, 3), ["b.jpg", "a.jpg", "b.jpg"]);
        assert!(!camera.is_exhausted());
    }

    #[test]
    fn what_is_no_jpeg_is_refused_and_the_next_file_follows() {
        let folder = folder_of(&[("a.jpg", b"Dear diary"), ("b.jpg", JPEG)]);
        let mut camera = FolderCamera::open(folder.path(), Playback::Once, None).unwrap();
        assert_eq!(replay(&mut camera, 2), ["Broken", "b.jpg"]);
    }

    #[test]
    fn an_empty_folder_is_said_at_once() {
        let folder = folder_of(&[("notes.txt", b"x")]);
        let error = FolderCamera::open(folder.path(), Playback::Once, None).unwrap_err();
        assert!(error.to_string().contains("no .jpg"), "{error}");
    }
}
