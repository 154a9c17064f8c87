//! Which disks are refused, from what Linux tells of them.

use std::path::Path;
use trapline_flash::disks::linux::LinuxDisks;
use trapline_flash::disks::{Disk, Disks as _};

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "test files need no durability")]
    std::fs::write(path, text).unwrap();
}

/// A machine with a system disk, a card, soldered memory, and sticks of several kinds.
fn machine() -> (tempfile::TempDir, LinuxDisks) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let disk = |name: &str, removable: &str, gigabytes: u64, number: &str| {
        put(root, &format!("sys/block/{name}/removable"), removable);
        put(
            root,
            &format!("sys/block/{name}/size"),
            &(gigabytes * 1_953_125).to_string(),
        );
        put(root, &format!("sys/block/{name}/dev"), number);
    };
    let part = |disk: &str, part: &str, number: &str| {
        put(root, &format!("sys/block/{disk}/{part}/partition"), "1");
        put(root, &format!("sys/block/{disk}/{part}/dev"), number);
    };
    disk("sda", "0", 256, "8:0");
    part("sda", "sda1", "8:1");
    disk("sdb", "1", 32, "8:16");
    put(root, "sys/block/sdb/device/vendor", "Generic ");
    put(root, "sys/block/sdb/device/model", "Card Reader\n");
    part("sdb", "sdb1", "8:17");
    disk("mmcblk0", "0", 64, "179:0");
    put(root, "sys/block/mmcblk0/device/type", "MMC");
    disk("mmcblk1", "0", 64, "179:32");
    put(root, "sys/block/mmcblk1/device/type", "SD");
    disk("sdc", "1", 64, "8:32");
    part("sdc", "sdc1", "8:33");
    disk("sdd", "1", 0, "8:48");
    disk("sde", "1", 4000, "8:64");
    disk("sdf", "1", 32, "8:80");
    put(root, "sys/block/sdf/ro", "1");
    disk("sdg", "1", 32, "8:96");
    part("sdg", "sdg1", "8:97");
    disk("sdh", "1", 32, "8:112");
    put(root, "sys/block/sdh/sdh1/partition", "1");
    put(root, "sys/block/sdh/sdh1/holders/dm-0/dev", "253:0");
    disk("loop0", "0", 4, "7:0");
    let mounts = "\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 8:17 / /media/ada/CARD\\040ONE rw - vfat /dev/sdb1 rw
24 22 8:33 / /home rw - ext4 /dev/sdc1 rw
";
    put(root, "proc/self/mountinfo", mounts);
    let swap = root.join("dev/sdg1");
    put(
        root,
        "proc/swaps",
        &format!(
            "Filename Type Size Used Priority\n{} partition 1 0 -2\n",
            swap.display()
        ),
    );
    let disks = LinuxDisks {
        sys: root.join("sys"),
        proc: root.join("proc"),
        dev: root.join("dev"),
    };
    (dir, disks)
}

#[test]
fn cards_may_be_written_and_nothing_that_the_machine_needs() {
    let (_dir, disks) = machine();
    let all = disks.list().unwrap();
    let refusal = |name: &str| {
        let disk = all.iter().find(|disk| disk.path.ends_with(name)).unwrap();
        disk.refusal().unwrap_or_default()
    };
    assert_eq!(refusal("sdb"), "");
    assert_eq!(refusal("mmcblk1"), "");
    let cases = [
        ("sda", "needed by this computer"),
        ("mmcblk0", "not removable"),
        ("sdc", "is mounted at /home"),
        ("sdd", "no card in"),
        ("sde", "larger than any card"),
        ("sdf", "write-protected"),
        ("sdg", "swaps to"),
        ("sdh", "part of dm-0"),
        ("loop0", "not removable"),
    ];
    for (name, expected) in cases {
        assert!(
            refusal(name).contains(expected),
            "{name}: {}",
            refusal(name)
        );
    }
    let card: &Disk = all.iter().find(|disk| disk.path.ends_with("sdb")).unwrap();
    assert_eq!(card.model, "Generic Card Reader");
    assert_eq!(card.mounts[0].at, Path::new("/media/ada/CARD ONE"));
    assert_eq!(card.size_words(), "32.0 GB");
}
