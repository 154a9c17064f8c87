//! Traps and researchers of a server that runs in the same process: what
//! `trap add`, `enrol`, `user add`, `model add`, `update add` and their offers do, for
//! simulations and tests.

use crate::auth::password;
use crate::db::{NewToken, Which};
use crate::models::{self, Added};
use crate::state::{CannotOpen, State};
use crate::updates;
use std::path::Path;
use trapline_wire::{EnrolToken, Sha256, TrapKey};

impl State {
    /// Adds a trap with this key; false when a trap in use has that name.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn enrol_trap(&self, name: &str, key: &TrapKey) -> Result<bool, CannotOpen> {
        let now_ms = self.now_ms();
        Ok(self.shared().writer().add_trap(name, key, now_ms)?)
    }

    /// Makes a token that enrols so many traps until `expires_ms`.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn make_token(&self, uses_max: u32, expires_ms: i64) -> Result<EnrolToken, CannotOpen> {
        let shared = self.shared();
        let token = EnrolToken::from_random(&shared.random());
        let new = NewToken {
            prefix: "",
            uses_max,
            expires_ms,
            made_by: "the command line",
        };
        shared.writer().add_token(&token, &new, shared.now_ms())?;
        Ok(token)
    }

    /// Adds somebody who may log in; false when somebody has that name.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn enrol_researcher(&self, name: &str, password: &str) -> Result<bool, CannotOpen> {
        let salt: [u8; 16] = self.shared().random();
        let hash = password::hash(password, &salt)?;
        let now_ms = self.now_ms();
        Ok(self.shared().writer().add_user(name, &hash, now_ms)?)
    }

    /// Checks the model beside a manifest and stores its files; gives its id.
    ///
    /// # Errors
    /// What is wrong with the model, or when the disk or the database refuses.
    pub fn add_model(&self, manifest: &Path) -> Result<String, CannotOpen> {
        let shared = self.shared();
        let added = models::add(
            &mut shared.writer(),
            &shared.settings.data,
            manifest,
            shared.now_ms(),
        );
        match added {
            Ok(Added::New(row) | Added::Known(row)) => Ok(row.id),
            Err(error) => Err(CannotOpen::because(&format!("{error:#}"))),
        }
    }

    /// Stores a bundle under this version; gives its SHA-256.
    ///
    /// # Errors
    /// What is wrong with the bundle, or when the disk or the database refuses.
    pub fn add_update(&self, bundle: &Path, version: &str) -> Result<Sha256, CannotOpen> {
        let shared = self.shared();
        let added = updates::add(
            &mut shared.writer(),
            &shared.settings.data,
            bundle,
            Some(version),
            shared.now_ms(),
        );
        match added {
            Ok(updates::Added::New(row) | updates::Added::Known(row)) => Ok(row.sha256),
            Err(error) => Err(CannotOpen::because(&format!("{error:#}"))),
        }
    }

    /// Offers an update to these traps; gives their names.
    ///
    /// # Errors
    /// When a trap is not known, or the database refuses.
    pub fn offer_update(&self, version: &str, traps: &[String]) -> Result<Vec<String>, CannotOpen> {
        let (which, now_ms) = (Which::Named(traps), self.now_ms());
        let offered = self
            .shared()
            .writer()
            .offer_update(version, which, now_ms)?;
        offered.map_err(|unknown| CannotOpen::because(&format!("no trap is called `{unknown}`")))
    }

    /// Offers a model to every trap in use, or to those of these names; gives their names.
    ///
    /// # Errors
    /// When a trap is not known, or the database refuses.
    pub fn offer_model(&self, id: &str, traps: &[String]) -> Result<Vec<String>, CannotOpen> {
        let which = if traps.is_empty() {
            Which::All
        } else {
            Which::Named(traps)
        };
        let now_ms = self.now_ms();
        let offered = self.shared().writer().offer_model(id, which, now_ms)?;
        offered.map_err(|unknown| CannotOpen::because(&format!("no trap is called `{unknown}`")))
    }
}
