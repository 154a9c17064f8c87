//! `[ssh] key`: public keys, one or several, and the mistake of giving the private one.

use toml::de::DeValue;

const KINDS: [&str; 6] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
];

/// The keys of a text or a list of texts, or what is wrong with remedy.
pub(super) fn read(value: &DeValue<'_>) -> Result<Vec<String>, (String, String)> {
    let remedy = || {
        "copy the one line of the file that ends in .pub, like `ssh-ed25519 AAAA… you@computer`"
            .to_owned()
    };
    let written: Option<Vec<&str>> = match value.as_str() {
        Some(text) => Some(text.lines().collect()),
        None => value.as_array().map(|items| {
            items
                .iter()
                .filter_map(|item| item.get_ref().as_str())
                .collect()
        }),
    };
    let Some(written) = written else {
        return Err(("`key` needs a text in quotes".to_owned(), remedy()));
    };
    let mut keys = Vec::new();
    for line in written.iter().map(|line| line.trim()) {
        if line.is_empty() {
            continue;
        }
        if line.contains("PRIVATE KEY") {
            let why = "this is the private half of a key, which must never leave your computer";
            return Err((why.to_owned(), remedy()));
        }
        if !is_public_key(line) {
            return Err(("this is no public ssh key".to_owned(), remedy()));
        }
        keys.push(line.to_owned());
    }
    Ok(keys)
}

fn is_public_key(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let is_kind = words.next().is_some_and(|kind| KINDS.contains(&kind));
    let is_body = words.next().is_some_and(|body| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        body.len() >= 40 && body.starts_with("AAAA") && body.chars().all(is_letter)
    });
    is_kind && is_body && !line.chars().any(char::is_control)
}
