//! Trees of files like the kernel's.

#![expect(clippy::disallowed_methods, reason = "test files need no durability")]

use super::*;
use tempfile::TempDir;

/// 2026-11-21 16:40:07.
const NOW: i64 = 1_795_279_207;
const AT: i64 = 1_795_297_200;

fn hwclock(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/hwclock")
        .join(name)
}

/// A clock that says `NOW`, with a wake alarm where `wakes`.
fn plug_in(root: &TempDir, rtc: &str, (name, chip): (&str, Option<&str>), wakes: bool) -> PathBuf {
    let folder = root.path().join(CLOCKS).join(rtc);
    fs::create_dir_all(folder.join("device")).unwrap();
    fs::create_dir_all(root.path().join("dev")).unwrap();
    fs::write(folder.join("name"), format!("{name}\n")).unwrap();
    fs::write(folder.join("hctosys"), "0\n").unwrap();
    fs::write(folder.join("since_epoch"), format!("{NOW}\n")).unwrap();
    if let Some(chip) = chip {
        fs::write(folder.join("device/name"), format!("{chip}\n")).unwrap();
    }
    if wakes {
        fs::write(folder.join("wakealarm"), "").unwrap();
    }
    folder
}

const PI_5: (&str, Option<&str>) = ("rpi-rtc soc:rpi_rtc", None);
const DS3231: (&str, Option<&str>) = ("rtc-ds1307 1-0068", Some("ds3231"));
const PCF8563: (&str, Option<&str>) = ("rtc-pcf8563 1-0051", Some("pcf8563"));

fn trap(clock: (&str, Option<&str>), wakes: bool) -> (TempDir, KernelClocks, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let folder = plug_in(&root, "rtc0", clock, wakes);
    let clocks = KernelClocks::under(root.path(), hwclock("sets"));
    (root, clocks, folder)
}

#[test]
fn clocks_are_found_by_any_of_their_names() {
    let (root, clocks, _) = trap(DS3231, false);
    let pi = plug_in(&root, "rtc1", PI_5, true);
    fs::write(pi.join("hctosys"), "1\n").unwrap();
    for name in [
        "rtc0",
        "ds3231",
        "DS3231",
        "rtc-ds1307",
        "rtc-ds1307 1-0068",
    ] {
        assert_eq!(clocks.find(Some(name)).unwrap().number, 0, "{name}");
    }
    let first = clocks.find(None).unwrap();
    assert_eq!(first.number, 1, "the one that can wake comes first");
    assert!(first.sets_system);
    assert_eq!(
        first.to_string(),
        "Raspberry Pi 5 clock (rtc1, rpi-rtc soc:rpi_rtc)"
    );
    let fault = clocks.find(Some("pcf8563")).unwrap_err();
    assert!(fault.message.contains("only DS3231 (rtc0"), "{fault}");
    fs::remove_dir_all(root.path().join(CLOCKS)).unwrap();
    let fault = clocks.find(None).unwrap_err();
    assert!(fault.message.contains("none at all"), "{fault}");
}

#[test]
fn a_time_that_was_lost_is_told_apart() {
    let (_root, clocks, folder) = trap(DS3231, true);
    let clock = clocks.find(None).unwrap();
    assert_eq!(clock.read().unwrap(), NOW);
    let lost = clock.unreadable(Errno::INVAL.into());
    assert!(
        lost.message.contains("lost its time; replace its battery"),
        "{lost}"
    );
    fs::write(folder.join("since_epoch"), "noon\n").unwrap();
    assert!(clock.read().unwrap_err().message.contains("`noon`"));
    fs::remove_file(folder.join("since_epoch")).unwrap();
    assert_eq!(clock.read().unwrap_err().kind, FaultKind::Absent);
}

#[test]
fn it_is_set_in_utc_and_read_back() {
    let (root, clocks, folder) = trap(DS3231, true);
    clocks.find(None).unwrap().set(AT).unwrap();
    let says = fs::read_to_string(folder.join("since_epoch")).unwrap();
    assert_eq!(says.trim(), AT.to_string());
    let set = |program: &str| {
        let clocks = KernelClocks::under(root.path(), hwclock(program));
        clocks.find(None).unwrap().set(NOW).unwrap_err()
    };
    let differs = set("does-nothing");
    assert_eq!(differs.kind, FaultKind::Broken);
    assert!(
        differs
            .message
            .contains("was set to 2026-11-21 16:40:07 UTC and says 2026-11-21 21:40:00"),
        "{differs}"
    );
    assert!(
        set("refused")
            .message
            .contains("Cannot access the Hardware Clock")
    );
    let missing = set("not-installed");
    assert!(
        missing.message.contains("apt install util-linux-extra"),
        "{missing}"
    );
}

#[test]
fn an_alarm_is_written_and_read_back() {
    let (_root, clocks, folder) = trap(PI_5, true);
    let mut clock = clocks.find(None).unwrap();
    let armed = clock.arm(AT, NOW).unwrap();
    assert_eq!(armed.wakes_unix_s, AT);
    assert_eq!(armed.by, "Raspberry Pi 5 clock");
    let alarm = fs::read_to_string(folder.join("wakealarm")).unwrap();
    assert_eq!(alarm.trim(), AT.to_string());
    clock.disarm().unwrap();
    assert_eq!(clock.alarm().unwrap(), None);
}

#[test]
fn a_wrong_clock_is_told_its_own_time() {
    let (_root, clocks, folder) = trap(DS3231, true);
    fs::write(folder.join("since_epoch"), "946684800\n").unwrap();
    let armed = clocks.find(None).unwrap().arm(AT, NOW).unwrap();
    assert_eq!(armed.wakes_unix_s, AT);
    let alarm = fs::read_to_string(folder.join("wakealarm")).unwrap();
    assert_eq!(alarm.trim(), (946_684_800 + AT - NOW).to_string());
}

#[test]
fn an_alarm_that_knows_minutes_wakes_before_the_time() {
    let (_root, clocks, folder) = trap(PCF8563, true);
    let mut clock = clocks.find(None).unwrap();
    let wrote = || fs::read_to_string(folder.join("wakealarm")).unwrap();
    assert_eq!(clock.arm(AT + 35, NOW).unwrap().wakes_unix_s, AT);
    assert_eq!(wrote().trim(), AT.to_string());
    // 16:40:30 cannot be had, and 16:40 is past.
    let soon = clock.arm(NOW + 23, NOW).unwrap();
    assert_eq!(soon.wakes_unix_s, NOW + 53);
    assert_eq!(wrote().trim(), (NOW + 53).to_string());
}

#[test]
fn what_cannot_wake_says_why() {
    let (_root, clocks, folder) = trap(DS3231, false);
    let mut clock = clocks.find(None).unwrap();
    let fault = clock.arm(AT, NOW).unwrap_err();
    assert!(
        fault.message.contains("its driver has no wake alarm"),
        "{fault}"
    );
    assert!(
        fault.message.contains("i2c-rtc,ds3231,wakeup-source"),
        "{fault}"
    );
    assert!(!folder.join("wakealarm").exists(), "nothing is made");
    fs::write(folder.join("wakealarm"), "").unwrap();
    for errno in [Errno::ACCESS, Errno::ROFS] {
        let refused = clock.no_alarm(errno.into()).to_string();
        assert!(refused.contains("its unit has to allow it"), "{refused}");
    }
    let past = clock.arm(NOW - 60, NOW).unwrap_err();
    assert!(past.message.contains("which is past"), "{past}");
    let far = clock.arm(NOW + 28 * 86_400, NOW).unwrap_err();
    assert!(far.message.contains("27 days ahead"), "{far}");
}

#[test]
fn an_alarm_that_is_not_there_afterwards_is_no_alarm() {
    let (_root, clocks, folder) = trap(DS3231, false);
    let alarm = folder.join("wakealarm");
    std::os::unix::fs::symlink("/dev/null", &alarm).unwrap();
    let swallowed = clocks.find(None).unwrap().arm(AT, NOW).unwrap_err();
    assert!(swallowed.message.contains("no alarm is set"), "{swallowed}");
    fs::remove_file(&alarm).unwrap();
    std::os::unix::fs::symlink("/dev/full", &alarm).unwrap();
    let full = clocks.find(None).unwrap().arm(AT, NOW).unwrap_err();
    assert!(
        full.message.contains("did not take its wake alarm"),
        "{full}"
    );
}
