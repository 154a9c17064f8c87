//! Updates of the whole system, none of which can cost a trap.
//!
//! The card holds two complete systems, slots A and B. RAUC proves a bundle's
//! signature and writes it into the slot that does not run; the boot loader counts
//! how often the new one was started. What is done here is everything around that:
//!
//! ```text
//! sync reply or USB stick ─► incoming/ready/… ─► rauc install ─► restart when no shot is near
//!        new slot starts ─► settle: trial? ─► trial on a copy of the ledger ─► confirm: mark-good
//!                                               │ fails, hangs, power goes          │
//!                                               ▼                                   ▼
//!        restart, and after three tries the old slot, which says so     the agent may change the ledger's schema
//! ```
//!
//! [`settle`] decides at each start, as root and before the agent, and leaves word in
//! [`RUN_DIR`]. Without that word the agent never changes the schema of a ledger
//! ([`permission`]), whatever was started in which order; so the old slot can always go on with it.
//! What happened stands in [`record`], beside the ledger and outside of both slots.

pub mod fetch;
pub mod incoming;
pub mod install;
pub mod known;
pub mod permission;
pub mod rauc;
pub mod record;
pub mod restart;
pub mod settle;
pub mod trial;

/// Where updates lie on a card with two systems: beside the ledger, in neither slot.
pub const UPDATE_DIR: &str = "/data/update";
/// Word of this boot, gone with it.
pub const RUN_DIR: &str = "/run/trapline-update";
