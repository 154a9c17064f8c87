//! How a trap becomes one of a server's.

use crate::identity::{EnrolCode, PublicKey, Signature};
use crate::{EnrolToken, Sha256, TrapId};
use serde::{Deserialize, Serialize};

/// `POST /api/v1/enrol`: an [`EnrolRequest`] and the proof that the trap itself says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedEnrolment {
    /// The JSON of an [`EnrolRequest`], letter for letter as it was signed.
    pub asking: String,
    /// Made by [`Identity::sign`](crate::identity::Identity::sign) with the key pair
    /// whose public half stands in it.
    pub signature: Signature,
}

/// What a trap asks until it is enrolled, and again whenever it doubts that it still is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// Who asks; the trap's id follows from it.
    pub public_key: PublicKey,
    /// SHA-256 of the trap's key, which the trap made itself.
    pub key_sha256: Sha256,
    /// The token on its card; without one a person has to accept it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<EnrolToken>,
    /// What its people call it, if they said so on its card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it stands, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<EnrolPlace>,
    /// What it runs on.
    #[serde(default)]
    pub hardware: Hardware,
    /// The card that everything on its own was copied from, when it noticed that itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<String>,
    /// The version of its program.
    pub agent_version: String,
    /// Anything that was not said before; the answer repeats it.
    pub nonce: String,
    /// A person at the trap said that this card goes on as the trap and the other is gone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replaces_card: bool,
}

/// A place on Earth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EnrolPlace {
    /// Degrees north.
    pub latitude_deg: f64,
    /// Degrees east.
    pub longitude_deg: f64,
}

/// By what a copy is told from the original: 16 hexadecimal digits each, the beginning of
/// a SHA-256 of what the part says of itself. `None` where it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hardware {
    /// The SD card, or the disk, on which the ledger lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// The computer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<String>,
}

/// The answer to a [`SignedEnrolment`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolReply {
    /// That of the request.
    pub nonce: String,
    /// The server's time, milliseconds since 1970 in UTC.
    pub server_time_ms: i64,
    /// What is to be.
    pub answer: EnrolAnswer,
}

/// What a server says to a trap that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum EnrolAnswer {
    /// It is a trap of this server, and its key holds.
    Enrolled {
        /// Its id.
        trap: TrapId,
        /// Its name here, which may be another than the one it wished for.
        name: String,
    },
    /// A person has to accept it first.
    Pending {
        /// What the person compares.
        code: EnrolCode,
    },
    /// Its card is a copy: it keeps everything and delivers nothing until a person has decided.
    Parked {
        /// Why, and what to do.
        message: String,
    },
    /// A person decided that this card is a trap of its own: it makes a new identity and asks again.
    Anew {},
}
