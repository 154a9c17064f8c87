//! Passwords are kept as argon2id hashes.

use crate::problem::Failure;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use std::sync::OnceLock;

/// Shorter passwords are refused.
pub(crate) const PASSWORD_CHARS_MIN: usize = 8;
/// Longer passwords are refused, so that nobody makes the server hash a book.
pub(crate) const PASSWORD_BYTES_MAX: usize = 1_000;

/// The argon2id hash of a password, in PHC form.
pub(crate) fn hash(password: &str, salt: &[u8; 16]) -> Result<String, Failure> {
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|hash| hash.to_string())
        .map_err(|error| Failure::Broken(format!("cannot hash a password: {error}")))
}

/// Whether the password fits; a user who does not exist takes as long as one who does.
pub(crate) fn fits(password: &str, stored_hash: Option<&str>) -> Result<bool, Failure> {
    static NOBODY: OnceLock<String> = OnceLock::new();
    let text = match stored_hash {
        Some(text) => text,
        None => match NOBODY.get() {
            Some(text) => text,
            None => NOBODY.get_or_init(|| hash("nobody", &[7; 16]).unwrap_or_default()),
        },
    };
    let parsed = PasswordHash::new(text)
        .map_err(|error| Failure::Broken(format!("a stored password hash is broken: {error}")))?;
    let fits = Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok();
    Ok(fits && stored_hash.is_some())
}
