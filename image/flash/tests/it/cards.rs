//! A card from end to end in a file, with a FAT partition that was really made,
//! and disks that lie.

use lzma_rust2::{XzOptions, XzWriter};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use trapline_flash::image::Image;
use trapline_flash::job::{Job, is_still};
use trapline_flash::partition;
use trapline_flash::progress::Progress;
use trapline_flash::series::Series;
use trapline_flash::target::{OpenDisk, Target};
use trapline_flash::traps::Trap;

const START_SECTORS: u32 = 2048;
const FAT_BYTES: usize = 4 * 1024 * 1024;

/// A disk with a table, a FAT partition with a file, and something behind it.
fn image_bytes() -> Vec<u8> {
    let mut fat = io::Cursor::new(vec![0; FAT_BYTES]);
    fatfs::format_volume(&mut fat, fatfs::FormatVolumeOptions::new()).unwrap();
    {
        let volume = fatfs::FileSystem::new(&mut fat, fatfs::FsOptions::new()).unwrap();
        let root = volume.root_dir();
        let mut file = root.create_file("trapline.toml").unwrap();
        file.write_all(b"# of the image\r\n[trap]\r\n#name = \"x\"\r\n")
            .unwrap();
    }
    let start = usize::try_from(START_SECTORS).unwrap() * 512;
    let mut image = vec![0; start];
    image.extend(fat.into_inner());
    image
        .extend((0..2 * 1024 * 1024_u32).map(|i| i.to_le_bytes()[usize::try_from(i % 3).unwrap()]));
    let sectors = u32::try_from(FAT_BYTES / 512).unwrap();
    image[446 + 4] = 0x0c;
    image[446 + 8..446 + 12].copy_from_slice(&START_SECTORS.to_le_bytes());
    image[446 + 12..446 + 16].copy_from_slice(&sectors.to_le_bytes());
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
    image
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    #[expect(clippy::disallowed_methods, reason = "test files need no durability")]
    std::fs::write(&path, bytes).unwrap();
    path
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn job(image: &Path, name: Option<&str>) -> Job {
    Job {
        image: Image::open(image).unwrap(),
        template: None,
        trap: name.map(|name| Trap {
            name: name.to_owned(),
            ..Trap::default()
        }),
    }
}

fn quiet() -> Progress<'static> {
    Progress::new(false, |_text| {})
}

#[test]
fn a_card_is_written_proved_and_given_its_settings() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = image_bytes();
    for (name, content) in [("a.img", bytes.clone()), ("a.img.xz", packed(&bytes))] {
        let image = put(dir.path(), name, &content);
        let out = dir.path().join(format!("{name}.card"));
        let mut said = String::new();
        let mut progress = Progress::new(false, |text| said.push_str(text));
        let mut target = OpenDisk::file(&out).unwrap();
        let made = job(&image, Some("orchard-3"))
            .make(&mut target, &mut progress)
            .unwrap();
        drop(progress);
        assert_eq!(made.size_bytes, u64::try_from(bytes.len()).unwrap());
        assert!(said.contains("Comparing 100 %"), "{said}");
        let label = made.label.clone().unwrap();
        assert_eq!(
            (label.ssid.as_str(), label.password.len()),
            ("Trapline-orchard-3", 11)
        );
        let extent = partition::find(&mut target).unwrap();
        let file = partition::read_file(&mut target, extent, "trapline.toml")
            .unwrap()
            .unwrap();
        let text = String::from_utf8(file).unwrap();
        assert!(
            text.starts_with("# of the image\r\n[trap]\r\nname = \"orchard-3\"\r\n"),
            "{text}"
        );
        assert!(is_still(&mut target, &made));
        let behind = std::fs::read(&out).unwrap();
        let end = 1024 * 1024 + FAT_BYTES;
        assert!(
            behind[end..] == bytes[end..],
            "what is not the first partition is the image's"
        );
    }
}

#[test]
fn without_settings_the_card_is_the_image() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = image_bytes();
    let image = put(dir.path(), "a.img", &bytes);
    let out = dir.path().join("card");
    let made = job(&image, None)
        .make(&mut OpenDisk::file(&out).unwrap(), &mut quiet())
        .unwrap();
    assert_eq!(made.label, None);
    assert!(std::fs::read(&out).unwrap() == bytes);
}

/// A disk that loses or changes what was written to it.
struct Liar {
    inner: OpenDisk,
    size_bytes: Option<u64>,
    flips_at: Option<u64>,
    ends_at: Option<u64>,
}

impl Liar {
    fn new(path: &Path) -> Self {
        Self {
            inner: OpenDisk::file(path).unwrap(),
            size_bytes: None,
            flips_at: None,
            ends_at: None,
        }
    }
}

impl Target for Liar {
    fn write(&mut self, at_bytes: u64, bytes: &[u8]) -> io::Result<()> {
        // A fake card takes everything, and keeps what it has room for.
        let room = self
            .ends_at
            .map_or(u64::MAX, |end| end.saturating_sub(at_bytes));
        let kept = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.inner.write(at_bytes, &bytes[..kept])?;
        if let Some(at) = self
            .flips_at
            .filter(|at| (at_bytes..at_bytes + 4_194_304).contains(at))
        {
            let mut byte = [0];
            self.inner.read(at, &mut byte)?;
            self.inner.write(at, &[byte[0] ^ 1])?;
        }
        Ok(())
    }

    fn read(&mut self, at_bytes: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.inner.read(at_bytes, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.sync()
    }

    fn read_back(&mut self, at_bytes: u64, len_bytes: usize) -> io::Result<Vec<u8>> {
        self.inner.read_back(at_bytes, len_bytes)
    }

    fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }
}

#[test]
fn a_card_that_lies_is_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = image_bytes();
    let image = put(dir.path(), "a.img", &bytes);
    let job = job(&image, None);
    let last = u64::try_from(bytes.len()).unwrap() - 1;
    for (index, at) in [0, 5_000_000, last].into_iter().enumerate() {
        let mut target = Liar::new(&dir.path().join(format!("flip-{index}")));
        target.flips_at = Some(at);
        let why = job.make(&mut target, &mut quiet()).unwrap_err().to_string();
        assert!(why.contains("other bytes than were written"), "{at}: {why}");
    }
    let mut target = Liar::new(&dir.path().join("short"));
    target.ends_at = Some(6_000_000);
    let why = job.make(&mut target, &mut quiet()).unwrap_err().to_string();
    assert!(why.contains("smaller than it says"), "{why}");
}

#[test]
fn a_disk_that_is_too_small_and_an_image_that_is_damaged_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = image_bytes();
    let plain = put(dir.path(), "a.img", &bytes);
    let mut xz = packed(&bytes);
    let half = put(dir.path(), "half.img.xz", &xz[..xz.len() / 2]);
    let middle = xz.len() / 2;
    xz[middle] ^= 0x10;
    let spoilt = put(dir.path(), "spoilt.img.xz", &xz);
    let whole = put(dir.path(), "a.img.xz", &packed(&bytes));
    let mut count = 0;
    let mut failure = |image: &Path, size_bytes: Option<u64>| {
        count += 1;
        let mut target = Liar::new(&dir.path().join(format!("card-{count}")));
        target.size_bytes = size_bytes;
        let error = job(image, None)
            .make(&mut target, &mut quiet())
            .unwrap_err();
        format!("{error:#}")
    };
    assert!(failure(&plain, Some(1_000_000)).contains("the disk only 1000000"));
    assert!(failure(&whole, Some(1_000_000)).contains("larger than the disk"));
    assert!(failure(&half, None).contains("damaged"));
    assert!(failure(&spoilt, None).contains("damaged"));
    put(dir.path(), "a.img.sha256", b"0123  a.img\n");
    let why = Image::open(&plain).unwrap_err().to_string();
    assert!(why.contains("not what was published"), "{why}");
    assert!(Image::open(&put(dir.path(), "note.txt", b"hello")).is_err());
}

#[test]
fn a_series_goes_on_where_it_stood() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("traps.csv");
    let trap = |name: &str| Trap {
        name: name.to_owned(),
        ..Trap::default()
    };
    let mut series = Series::of_list(&list).unwrap();
    series.note(&trap("a"), "hash", None).unwrap();
    let mut again = Series::of_list(&list).unwrap();
    assert!(again.is_done(&trap("a")) && !again.is_done(&trap("b")));
    let changed = Trap {
        country: "CH".to_owned(),
        ..trap("a")
    };
    assert!(
        !again.is_done(&changed),
        "a row that changed is written again"
    );
    again.forget("a");
    assert!(!again.is_done(&trap("a")));
    put(dir.path(), "traps.csv.done.json", b"{");
    assert!(Series::of_list(&list).is_err());
}
