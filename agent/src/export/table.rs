//! A table of an export: it gets its name when it is complete and on the disk.

use anyhow::Context as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use trapline_wire::cell::guarded;

/// A table that gets its name when it is complete.
pub(super) struct Table {
    writer: csv::Writer<File>,
    path: PathBuf,
}

impl Table {
    pub(super) fn new(dir: &Path, name: &str, headings: &[&str]) -> anyhow::Result<Self> {
        let path = dir.join(name);
        let part = part_of(&path);
        let mut writer = csv::Writer::from_path(&part)
            .with_context(|| format!("cannot write {}", part.display()))?;
        writer.write_record(headings)?;
        Ok(Self { writer, path })
    }

    pub(super) fn row(&mut self, cells: &[String]) -> anyhow::Result<()> {
        let guarded = cells.iter().map(|cell| guarded(cell));
        self.writer
            .write_record(guarded)
            .context("cannot write a row")
    }

    pub(super) fn finish(self) -> anyhow::Result<()> {
        let failed = |error: csv::Error| anyhow::Error::from(error);
        let Self { mut writer, path } = self;
        writer.flush()?;
        let file = writer
            .into_inner()
            .map_err(|e| failed(e.into_error().into()))?;
        put_in_place(&file, &path)
    }
}

pub(super) fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

/// Gives a written file its name once its bytes are on the disk.
#[expect(
    clippy::disallowed_methods,
    reason = "the file is synced first, and a name lost in a power cut is exported again"
)]
pub(super) fn put_in_place(file: &File, path: &Path) -> anyhow::Result<()> {
    file.sync_all()
        .with_context(|| format!("cannot sync {}", path.display()))?;
    std::fs::rename(part_of(path), path).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn no_cell_of_an_export_runs_in_a_spreadsheet_and_numbers_stay_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = Table::new(folder.path(), "notes.csv", &["text"]).unwrap();
        for cell in [" =1+1", "\n=1+1", "-2+3", "-2.5", "Wiese 3"] {
            table.row(&[cell.to_owned()]).unwrap();
        }
        table.finish().unwrap();
        let mut read = csv::Reader::from_path(folder.path().join("notes.csv")).unwrap();
        let cells: Vec<String> = read
            .records()
            .map(|row| row.unwrap()[0].to_owned())
            .collect();
        assert_eq!(cells, ["' =1+1", "'\n=1+1", "'-2+3", "-2.5", "Wiese 3"]);
    }
}
