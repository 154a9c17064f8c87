//! What a power cut takes from a simulated card: bytes and names that were not synced.

use super::card::{FileNumber, Named, Names, State, file_name};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of something that was not synced when the power failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// All of it is there: it had reached the card by chance.
    Nothing,
    /// Half of what was not synced is there.
    Half,
    /// It is as it was at the last sync.
    Everything,
}

/// What a power cut takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// Of the bytes of files that were not synced.
    pub bytes: Lost,
    /// Of the names of folders that were not synced. With [`Lost::Half`] new
    /// names are kept and removed ones come back.
    pub names: Lost,
}

impl State {
    /// Makes of bytes and names what `loss` leaves of them; all of that is synced then.
    pub(super) fn lose(&mut self, loss: Loss) {
        match loss.names {
            Lost::Nothing => self.durable = self.names.clone(),
            Lost::Half => {
                let mut both = self.durable.clone();
                for (folder, entries) in &self.names {
                    both.entry(folder.clone())
                        .or_default()
                        .extend(entries.iter().map(|(name, named)| (name.clone(), *named)));
                }
                self.durable = both;
            }
            Lost::Everything => {}
        }
        // A folder whose own name is lost takes its content with it.
        let mut kept = Names::new();
        for (folder, entries) in &self.durable {
            let is_root = folder.parent().is_none_or(|parent| {
                !self.durable.contains_key(parent) && !self.names.contains_key(parent)
            });
            let is_named = folder.parent().is_some_and(|parent| {
                let name = file_name(folder);
                let inside = kept.get(parent).and_then(|entries| entries.get(&name));
                inside == Some(&Named::Folder)
            });
            if is_root || is_named {
                kept.insert(folder.clone(), entries.clone());
            }
        }
        self.names = kept.clone();
        self.durable = kept;
        for content in self.files.values_mut() {
            match loss.bytes {
                Lost::Nothing => {}
                Lost::Half => {
                    let synced = content.durable.len();
                    let half = synced + content.bytes.len().saturating_sub(synced) / 2;
                    content.bytes.truncate(half);
                }
                Lost::Everything => content.bytes = content.durable.clone(),
            }
            content.durable = content.bytes.clone();
        }
        self.forget_unnamed();
    }

    fn forget_unnamed(&mut self) {
        let named: BTreeSet<FileNumber> = self
            .names
            .values()
            .chain(self.durable.values())
            .flat_map(BTreeMap::values)
            .filter_map(|named| match named {
                Named::File(number) => Some(*number),
                Named::Folder => None,
            })
            .collect();
        self.files.retain(|number, _| named.contains(number));
    }
}
