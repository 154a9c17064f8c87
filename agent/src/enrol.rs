//! How the trap becomes one of a server's, and how a copy of its card is noticed.
//!
//! At its first start the trap makes a key pair ([`kept`]). Before its first
//! sync it asks the server ([`ask`]), with the token on its card or with a code
//! that a person accepts, and it asks again whenever it doubts the answer, which
//! costs nothing. Captures never wait for any of it. A card that finds itself in
//! other hardware than it was made in parks itself: it takes its pictures, keeps
//! everything, and delivers nothing until a person has decided.

pub mod ask;
pub mod kept;

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// How the trap stands with its server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolFacts {
    /// In one word.
    pub state: EnrolState,
    /// The trap's id, which follows from its key pair.
    pub trap: String,
    /// What a person compares.
    pub code: String,
    /// The server's address.
    pub server: String,
    /// The trap's name there, once it has one.
    #[serde(default)]
    pub name: Option<String>,
    /// Why it is parked or not enrolled, with the remedy.
    #[serde(default)]
    pub why: Option<String>,
}

/// The steps of an enrolment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrolState {
    /// The server has not answered yet.
    Asking,
    /// A person has to accept it.
    Pending,
    /// It is a trap of the server.
    Enrolled,
    /// Its card is a copy, and a person has to decide.
    Parked,
}

impl fmt::Display for EnrolFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trap, code, server, ..
        } = self;
        match self.state {
            EnrolState::Asking => {
                write!(f, "not enrolled yet; asks {server} as trap {trap}")?;
            }
            EnrolState::Pending => write!(
                f,
                "waits to be accepted at {server}: code {code}; accept it there on the page \
                 Enrolment, or with `trapline-server enrol accept {code}`"
            )?,
            EnrolState::Enrolled => {
                let name = self.name.as_deref().unwrap_or("?");
                write!(f, "{name:?} (trap {trap}) at {server}")?;
            }
            EnrolState::Parked => write!(f, "parked (trap {trap})")?,
        }
        match &self.why {
            Some(why) => write!(f, "; {why}"),
            None => Ok(()),
        }
    }
}

/// What a person at the trap decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Ask the server now.
    Ask,
    /// This card becomes a trap of its own.
    Anew,
    /// The other card is gone, and this one goes on as the trap.
    Same,
}

/// Orders on their way to the sync stage.
#[derive(Debug, Default)]
pub struct Orders(Mutex<Option<Order>>);

impl Orders {
    /// Leaves an order; a later one replaces it.
    pub fn leave(&self, order: Order) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(order);
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    /// Takes the order.
    #[must_use]
    pub fn take(&self) -> Option<Order> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
