//! Traps and researchers of a server that runs in the same process: what
//! `trap add` and `user add` do, for simulations and tests.

use crate::auth::password;
use crate::state::{CannotOpen, State};
use trapline_wire::TrapKey;

impl State {
    /// Adds a trap with this key; false when a trap in use has that name.
    ///
    /// # Errors
    /// When the database refuses.
    pub fn enrol_trap(&self, name: &str, key: &TrapKey) -> Result<bool, CannotOpen> {
        let now_ms = self.now_ms();
        Ok(self.shared().writer().add_trap(name, key, now_ms)?)
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
}
