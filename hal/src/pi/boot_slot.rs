//! Which of the card's two systems is running, as the boot loader said it.

/// What the kernel was started with.
const COMMAND_LINE: &str = "/proc/cmdline";
const KEY: &str = "rauc.slot=";

/// What our boot script says beside: `1` while it counts the starts of a slot that is new.
const TRIAL_KEY: &str = "trapline.trial=";

/// The name of the slot from which this system was started; `None` on a card without slots.
#[must_use]
pub fn booted_slot() -> Option<String> {
    word(&std::fs::read_to_string(COMMAND_LINE).ok()?, KEY)
}

/// Whether the boot loader counts the starts of this slot and takes the other one after a few;
/// what it does not say is taken for yes.
#[must_use]
pub fn is_counted() -> bool {
    let line = std::fs::read_to_string(COMMAND_LINE).unwrap_or_default();
    word(&line, TRIAL_KEY).is_none_or(|trial| trial != "0")
}

fn word(command_line: &str, key: &str) -> Option<String> {
    let mut words = command_line.split_ascii_whitespace();
    let value = words.find_map(|word| word.strip_prefix(key))?;
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_loader_names_the_slot() {
        let line = "console=ttyAMA0 root=PARTUUID=54524150-03 rauc.slot=B trapline.trial=1 quiet\n";
        assert_eq!(word(line, KEY).as_deref(), Some("B"));
        assert_eq!(word(line, TRIAL_KEY).as_deref(), Some("1"));
        assert_eq!(word("root=PARTUUID=54524150-02 quiet", KEY), None);
        assert_eq!(word("rauc.slot= quiet", KEY), None);
    }
}
