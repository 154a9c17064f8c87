//! A card in folders: what is written, kept, taken away and told.

use super::*;
use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt as _;

#[derive(Default)]
struct Told {
    said: RefCell<Vec<String>>,
    read_only: bool,
}

impl System for Told {
    fn name_host(&self, name: &str) -> io::Result<()> {
        self.said.borrow_mut().push(format!("host {name}"));
        Ok(())
    }

    fn name_country(&self, country: &str) -> io::Result<()> {
        self.said.borrow_mut().push(format!("country {country}"));
        Err(io::Error::other("there is no radio"))
    }

    fn is_mounted_read_only(&self, _folder: &Path) -> bool {
        self.read_only
    }

    fn remount(&self, _folder: &Path, writable: bool) -> io::Result<()> {
        self.said.borrow_mut().push(format!("writable {writable}"));
        Ok(())
    }

    fn group(&self, _name: &str) -> Option<u32> {
        None
    }

    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }
}

struct Desk {
    _dir: tempfile::TempDir,
    places: Places,
    system: Told,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::create_dir(at("card")).unwrap();
        let places = Places {
            card: at("card"),
            data: at("data/etc"),
            run: at("run"),
            board: at("board.toml"),
        };
        Self {
            _dir: dir,
            places,
            system: Told::default(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "test files need no durability")]
    fn card(&self, bytes: impl AsRef<[u8]>) -> Applied {
        std::fs::write(self.places.card.join(card::CARD_FILE), bytes).unwrap();
        apply(&self.places, &self.system)
    }

    fn data(&self, name: &str) -> String {
        std::fs::read_to_string(self.places.data.join(name)).unwrap_or_default()
    }

    fn status(&self) -> String {
        std::fs::read_to_string(self.places.card.join(status_file::STATUS_FILE)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        std::fs::metadata(self.places.data.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    }
}

const RIGHT: &str = "\
[trap]
name = \"Wiese Süd\"
country = \"ch\"
[[wifi]]
ssid = \"Farm\"
password = \"the password\"
[[wifi]]
ssid = \"Hut\"
[ssh]
key = \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExample me\"
[agent.schedule]
every = \"7m\"
";

fn every_ms(desk: &Desk) -> i64 {
    let text = desk.data(AGENT_FILE);
    Config::from_text(AGENT_FILE, &text)
        .unwrap()
        .schedule
        .every_ms()
}

#[test]
fn a_right_card_becomes_the_files_of_the_system() {
    let desk = Desk::new();
    let applied = desk.card(RIGHT);
    assert_eq!(applied.handover.held, Held::Card);
    assert_eq!(
        applied.handover.fault(),
        None,
        "a trap without radio is no fault"
    );
    assert_eq!(every_ms(&desk), 420_000);
    let profile = "NetworkManager/system-connections/trapline-wifi-1.nmconnection";
    assert!(desk.data(profile).contains("psk=the password"));
    assert_eq!(desk.mode(profile), 0o600);
    assert_eq!(desk.mode(AGENT_FILE), 0o640);
    assert_eq!(desk.data("hostname"), "wiese-sued\n");
    assert!(desk.data("ssh/authorized_keys").starts_with("ssh-ed25519 "));
    assert_eq!(
        *desk.system.said.borrow(),
        ["host wiese-sued", "country CH"]
    );
    let again = apply(&desk.places, &desk.system);
    assert_eq!(
        again.written,
        Vec::<String>::new(),
        "what is the same is not written"
    );
}

#[test]
fn what_leaves_the_card_leaves_the_trap() {
    let desk = Desk::new();
    desk.card(RIGHT);
    let drawn = desk.data(DRAWN_FILE);
    desk.card("[trap]\nname = \"b\"\n");
    assert_eq!(
        desk.data("ssh/authorized_keys"),
        "",
        "the door is shut again"
    );
    let folder = desk.places.data.join(network::PROFILES_DIR);
    let left = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(left, 1, "only the trap's own network");
    assert_eq!(desk.data(DRAWN_FILE), drawn, "its password stays");
    assert_eq!(every_ms(&desk), 1_200_000);
    assert!(desk.data(LAST_GOOD_AGENT_FILE).contains("7m"));
}

#[test]
fn a_broken_card_keeps_what_was_right_last_and_says_why() {
    let broken: [(&[u8], &str); 6] = [
        (b"[trap\nname ==", "trapline.toml:1"),
        (b"[trap]\nnmae = \"x\"\n", "did you mean `name`?"),
        (
            b"[trap]\nlatitude = 520\nlongitude = 8\n",
            "needs degrees between -90 and 90",
        ),
        (b"", "the file is empty"),
        (b"\x7fELF\x00\x01", "this is no text"),
        (&[b'x'; 5_000_000], "longer than"),
    ];
    for (bytes, expected) in broken {
        let desk = Desk::new();
        let first = desk.card(bytes);
        assert_eq!(first.handover.held, Held::BuiltIn);
        assert_eq!(
            every_ms(&desk),
            1_200_000,
            "the trap works with what is built in"
        );
        desk.card(RIGHT);
        let applied = desk.card(bytes);
        assert_eq!(applied.handover.held, Held::LastGood);
        assert_eq!(every_ms(&desk), 420_000);
        assert!(desk.data("ssh/authorized_keys").starts_with("ssh-"));
        let fault = Handover::read(&desk.places.run).unwrap().fault().unwrap();
        assert!(fault.contains(expected), "{fault}");
        assert!(fault.ends_with("the settings that were right last hold until this is mended"));
        let status = desk.status();
        assert!(status.contains("NOT USED"), "{status}");
        assert!(
            !status.replace("\r\n", "").contains('\n'),
            "Notepad wants CR LF"
        );
    }
}

#[test]
fn a_file_that_is_missing_or_misnamed_is_said() {
    let desk = Desk::new();
    desk.card(RIGHT);
    let file = desk.places.card.join(card::CARD_FILE);
    std::fs::copy(&file, desk.places.card.join("trapline.toml.txt")).unwrap();
    std::fs::remove_file(&file).unwrap();
    let applied = apply(&desk.places, &desk.system);
    assert_eq!(applied.handover.held, Held::LastGood);
    let fault = applied.handover.fault().unwrap();
    assert!(fault.contains("rename it to trapline.toml"), "{fault}");
}

#[test]
fn the_status_file_is_written_when_something_changed_and_the_mount_is_restored() {
    let mut desk = Desk::new();
    desk.system.read_only = true;
    desk.card(RIGHT);
    let said = desk.system.said.take();
    assert_eq!(
        said,
        [
            "host wiese-sued",
            "country CH",
            "writable true",
            "writable false"
        ]
    );
    let status = desk.status();
    assert!(
        status.contains("\"Trapline-Wiese Süd\", password "),
        "{status}"
    );
    assert!(status.contains("all of them hold"), "{status}");
    apply(&desk.places, &desk.system);
    assert_eq!(
        desk.system.said.take(),
        ["host wiese-sued", "country CH"],
        "FAT is left alone"
    );
}

#[test]
fn a_data_partition_that_cannot_be_written_fails_no_boot() {
    let mut desk = Desk::new();
    desk.places.data = PathBuf::from("/proc/none/etc");
    let applied = desk.card(RIGHT);
    assert_eq!(applied.handover.held, Held::Card);
    let fault = applied.handover.fault().unwrap();
    assert!(fault.contains("agent.toml cannot be written"), "{fault}");
}

#[test]
fn a_check_at_a_desk_says_what_the_trap_would_do() {
    let base = Base::default();
    let right = Checked::of(RIGHT.as_bytes(), &base).to_string();
    assert!(right.contains("Pictures   every 7 minutes"), "{right}");
    assert!(!right.contains("the password\n"), "{right}");
    let wrong = Checked::of(b"[trap]\nnmae = 1\n", &base);
    assert!(!wrong.is_right && wrong.problems.len() == 1);
}
