//! One card from end to end: image, proof, settings, label.

use crate::card_file::{self, CARD_FILE};
use crate::image::Image;
use crate::label::Label;
use crate::partition;
use crate::progress::Progress;
use crate::series::draw_password;
use crate::target::Target;
use crate::traps::Trap;
use crate::write::{self, Written};
use anyhow::{Context as _, Result};
use serde::Serialize;

/// What a card becomes.
#[derive(Debug, Clone)]
pub struct Job {
    /// What is written.
    pub image: Image,
    /// The technician's own `trapline.toml`; without it the card's serves as template.
    pub template: Option<String>,
    /// Whose card it is.
    pub trap: Option<Trap>,
}

/// A card that was written and proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// The trap's name, where it has one.
    pub name: Option<String>,
    /// The image's size.
    pub size_bytes: u64,
    /// The image's SHA-256, which is the card's too.
    pub sha256: String,
    /// What its label says, where there is enough for one.
    pub label: Option<Label>,
    /// The settings on it; secrets, for the next step only.
    #[serde(skip)]
    pub settings: Option<String>,
}

impl Job {
    /// Makes the card.
    ///
    /// # Errors
    /// When any step fails; the card is then of no use.
    pub fn make(&self, target: &mut dyn Target, progress: &mut Progress<'_>) -> Result<Made> {
        let written = write::write(&self.image, target, progress)?;
        write::verify(target, &written, progress)?;
        let settings = self.personalise(target)?;
        let Written { size_bytes, sha256 } = written;
        let label = settings.as_deref().and_then(Label::of_card);
        let name = settings
            .as_deref()
            .and_then(|text| card_file::setting(text, "trap", "name"));
        Ok(Made {
            name,
            size_bytes,
            sha256,
            label,
            settings,
        })
    }

    fn personalise(&self, target: &mut dyn Target) -> Result<Option<String>> {
        if self.template.is_none() && self.trap.is_none() {
            return Ok(None);
        }
        let extent = partition::find(target)?;
        let template = match &self.template {
            Some(text) => text.clone(),
            None => match partition::read_file(target, extent, CARD_FILE)? {
                Some(bytes) => {
                    String::from_utf8(bytes).context("the image's own trapline.toml is no text")?
                }
                None => card_file::TEMPLATE.to_owned(),
            },
        };
        let mut trap = self.trap.clone().unwrap_or_default();
        let has_password = card_file::setting(&template, "hotspot", "password").is_some();
        if trap.hotspot_password.is_empty() && !has_password {
            trap.hotspot_password = draw_password()?;
        }
        let text = card_file::fill(&template, &trap)?;
        let bytes = card_file::for_windows(&text);
        partition::write_file(target, extent, CARD_FILE, &bytes)?;
        Ok(Some(text))
    }
}

/// Whether the disk still holds the card that was made before.
pub fn is_still(target: &mut dyn Target, before: &Made) -> bool {
    let Some(settings) = &before.settings else {
        return false;
    };
    let Ok(extent) = partition::find(target) else {
        return false;
    };
    let found = partition::read_file(target, extent, CARD_FILE);
    found.is_ok_and(|bytes| bytes.is_some_and(|bytes| bytes == card_file::for_windows(settings)))
}
