//! Pictures for the folder camera: a few rendered plates, each time with other bytes behind the end of the JPEG, which no
//! decoder reads but every hash does.

use crate::build::Programs;
use crate::chance::Chance;
use crate::process;
use crate::trap;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Plates that are rendered.
const PLATES: u64 = 24;
/// Most bytes that are put behind a plate.
const BEHIND_BYTES_MAX: u64 = 128 * 1024;

/// The folder of the camera, with what it may still take.
pub(super) struct Stock {
    pub(super) images: PathBuf,
    plates: Vec<Vec<u8>>,
    chance: Chance,
    pictures: u64,
}

impl Stock {
    /// Renders the plates and makes an empty folder for the camera's pictures.
    pub(super) fn open(programs: &Programs, folder: &Path, seed: u64) -> Result<Self> {
        let plates = folder.join("plates");
        let (count, seed_text) = (PLATES.to_string(), seed.to_string());
        let mut command = Command::new(&programs.sim);
        command.arg("plates").arg(&plates);
        command.args(["--count", &count, "--size", "320x240", "--seed", &seed_text]);
        process::run(&mut command)?;
        let plates = trap::jpegs(&plates)?
            .iter()
            .map(std::fs::read)
            .collect::<std::io::Result<Vec<_>>>()?;
        let images = folder.join("images");
        std::fs::create_dir_all(&images)?;
        Ok(Self {
            images,
            plates,
            chance: Chance::of(seed.wrapping_add(1)),
            pictures: 0,
        })
    }

    /// Pictures laid down so far.
    pub(super) fn pictures(&self) -> u64 {
        self.pictures
    }

    /// Lays down pictures until `ahead` of them are left after the `taken` ones.
    pub(super) fn fill_up(&mut self, taken: u64, ahead: u64) -> Result<()> {
        while self.pictures < taken + ahead {
            let plate = usize::try_from(self.pictures % PLATES)?;
            let mut bytes = self.plates.get(plate).context("a plate")?.clone();
            let behind = self.chance.below(BEHIND_BYTES_MAX / 8) + 2;
            for _ in 0..behind {
                bytes.extend(self.chance.below(u64::MAX).to_le_bytes());
            }
            let name = format!("picture-{:06}.jpg", self.pictures);
            std::fs::write(self.images.join(name), bytes)?;
            self.pictures += 1;
        }
        Ok(())
    }
}
