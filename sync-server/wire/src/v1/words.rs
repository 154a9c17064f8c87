//! Words of the wire for whoever writes them elsewhere: the ledger's columns, tables and pages.

use super::{ClockQuality, MissReason, PictureFlaw, ShotCause, TrackEnd, TrackOrigin};

/// Gives a type its words, which a test holds against its JSON.
macro_rules! words {
    ($type:ident: $($variant:ident $word:literal),+) => {
        impl $type {
            /// Every one, in the order of the type.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word on the wire.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The one that has this word on the wire.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words!(ClockQuality: Unset "unset", Restored "restored", Rtc "rtc", Synced "synced");
words!(
    MissReason: Camera "camera", Disk "disk", Cut "cut", Off "off", Overrun "overrun",
    Battery "battery", Clock "clock"
);
words!(ShotCause: Schedule "schedule", Trigger "trigger", Visit "visit", Other "other");
words!(
    PictureFlaw: Covered "covered", Dark "dark", Overexposed "overexposed", Blurred "blurred",
    Cast "cast", Other "other"
);
words!(TrackOrigin: Arrived "arrived", Present "present");
words!(TrackEnd: Gone "gone", CardChanged "card_changed", Lost "lost");

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    /// Each word of a type is that of its JSON, and is read back.
    macro_rules! check {
        ($type:ident) => {
            for one in $type::ALL {
                assert_eq!(json(one), one.word());
                assert_eq!($type::from_word(one.word()), Some(*one));
            }
            assert_eq!($type::from_word("weather"), None);
        };
    }

    fn json<T: Serialize>(value: &T) -> serde_json::Value {
        serde_json::to_value(value).unwrap()
    }

    #[test]
    fn words_are_those_of_the_json() {
        check!(ClockQuality);
        check!(MissReason);
        check!(ShotCause);
        check!(PictureFlaw);
        check!(TrackOrigin);
        check!(TrackEnd);
    }
}
