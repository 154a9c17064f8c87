//! The guard at chosen times, and at the end of its pipe.

use super::*;
use crate::lines::fake::FakeOutput;
use std::os::fd::AsFd;

const CAP_MS: u64 = 5_000;

fn keeper() -> (Keeper, FakeOutput) {
    let line = FakeOutput::default();
    let keeper = Keeper::new(Box::new(line.clone()), CAP_MS).unwrap();
    (keeper, line)
}

fn done(by_limit: bool) -> Reply {
    Reply::Done { by_limit }
}

#[test]
fn it_begins_with_darkness_and_waits_for_nothing() {
    let (mut keeper, line) = keeper();
    assert_eq!(line.levels(), [0]);
    assert_eq!(keeper.tick(1_000_000), None);
}

#[test]
fn the_time_puts_the_lamp_out_and_the_next_answer_says_so() {
    let (mut keeper, line) = keeper();
    assert_eq!(keeper.obey("on 700 3000", 100), done(false));
    assert_eq!(keeper.tick(101), Some(2_999));
    assert_eq!(keeper.tick(3_099), Some(1));
    assert_eq!(keeper.tick(3_100), None);
    assert_eq!(line.levels(), [0, 700, 0]);
    assert_eq!(keeper.obey("off", 3_200), done(true));
    assert_eq!(keeper.obey("off", 3_300), done(false), "said once");
}

#[test]
fn a_lamp_that_is_on_does_not_stay_on_longer_by_being_asked_again() {
    let (mut keeper, line) = keeper();
    for now_ms in (0..CAP_MS).step_by(100) {
        keeper.obey("on 1000 3600000", now_ms);
    }
    assert_eq!(keeper.tick(CAP_MS), None);
    assert_eq!(line.levels().last(), Some(&0));
    keeper.obey("on 1000 3000", 10_000);
    keeper.obey("on 200 100", 10_000);
    assert_eq!(keeper.tick(10_100), None, "an earlier end counts");
    assert_eq!(line.levels().last(), Some(&0));
}

#[test]
fn many_commands_do_not_hold_the_time_up() {
    let (mut keeper, line) = keeper();
    keeper.obey("on 1000 100", 0);
    assert_eq!(keeper.obey("on 1000 100", 100), done(true));
    assert_eq!(line.levels(), [0, 1_000, 0, 1_000], "out in between");
    keeper.obey("nonsense", 200);
    assert_eq!(line.levels().last(), Some(&0));
}

#[test]
fn a_line_that_refuses_is_told_again_until_it_is_dark() {
    let (mut keeper, line) = keeper();
    keeper.obey("on 1000 100", 0);
    line.fail(3);
    assert!(matches!(keeper.obey("off", 10), Reply::Fault { .. }));
    assert_eq!(keeper.tick(11), Some(RETRY_MS));
    assert_eq!(keeper.tick(31), Some(RETRY_MS));
    assert_eq!(keeper.tick(51), None);
    assert_eq!(line.levels(), [0, 1_000, 0]);
}

#[test]
fn a_lamp_that_did_not_light_is_darkened_too() {
    let (mut keeper, line) = keeper();
    line.fail(1);
    assert!(matches!(keeper.obey("on 1000 100", 0), Reply::Fault { .. }));
    assert_eq!(keeper.tick(0), None);
    assert_eq!(line.levels(), [0, 0]);
}

#[test]
fn no_time_is_no_light() {
    let (mut keeper, line) = keeper();
    assert_eq!(keeper.obey("on 1000 0", 7), done(false));
    assert_eq!(keeper.obey("on 0 100", 8), done(false));
    assert_eq!(line.levels(), [0, 0, 0]);
}

#[test]
fn at_the_end_a_line_that_refuses_is_told_several_times() {
    let (mut keeper, line) = keeper();
    keeper.obey("on 1000 100", 0);
    line.fail(4);
    keeper.end().unwrap();
    assert_eq!(line.levels(), [0, 1_000, 0]);
}

/// Runs a guard to its end on what `owner` writes before it hangs up; what it answers.
fn guarded(line: &FakeOutput, owner: &str) -> String {
    let (commands, their_end) = UnixStream::pair().unwrap();
    let (replies, heard) = UnixStream::pair().unwrap();
    let (stop, _nobody) = UnixStream::pair().unwrap();
    io::Write::write_all(&mut &their_end, owner.as_bytes()).unwrap();
    drop(their_end);
    let pipes = Pipes {
        commands: commands.as_fd(),
        replies: replies.as_fd(),
        stop: stop.as_fd(),
    };
    let lamp = line.clone();
    keep(CAP_MS, move || Ok(Box::new(lamp)), pipes).unwrap();
    drop(replies);
    io::read_to_string(heard).unwrap()
}

#[test]
fn the_end_of_the_pipe_is_darkness() {
    let line = FakeOutput::default();
    assert_eq!(guarded(&line, "on 400 5000\n"), "ready dims\ndone\n");
    assert_eq!(line.levels(), [0, 400, 0]);
}

#[test]
fn half_a_command_is_none() {
    let line = FakeOutput::default();
    assert_eq!(guarded(&line, "on 1000 50"), "ready dims\n");
    assert_eq!(line.levels(), [0, 0]);
}

#[test]
fn endless_noise_is_the_end() {
    let line = FakeOutput::default();
    let noise = "x".repeat(4_000);
    assert_eq!(guarded(&line, &noise), "ready dims\n");
    assert_eq!(line.levels(), [0, 0]);
}

#[test]
fn being_asked_to_end_is_darkness_though_the_owner_lives() {
    let line = FakeOutput::default();
    let (commands, owner) = UnixStream::pair().unwrap();
    let (replies, heard) = UnixStream::pair().unwrap();
    let (stop, somebody) = UnixStream::pair().unwrap();
    let lamp = line.clone();
    let guard = std::thread::spawn(move || {
        let pipes = Pipes {
            commands: commands.as_fd(),
            replies: replies.as_fd(),
            stop: stop.as_fd(),
        };
        keep(CAP_MS, move || Ok(Box::new(lamp)), pipes)
    });
    let mut answers = io::BufRead::lines(io::BufReader::new(heard));
    assert_eq!(answers.next().unwrap().unwrap(), "ready dims");
    io::Write::write_all(&mut &owner, b"on 400 5000\n").unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), "done");
    io::Write::write_all(&mut &somebody, b"!").unwrap();
    guard.join().unwrap().unwrap();
    assert_eq!(line.levels(), [0, 400, 0]);
}

#[test]
fn a_line_that_is_not_there_is_said_with_its_reason() {
    let (commands, _owner) = UnixStream::pair().unwrap();
    let (replies, heard) = UnixStream::pair().unwrap();
    let (stop, _nobody) = UnixStream::pair().unwrap();
    let pipes = Pipes {
        commands: commands.as_fd(),
        replies: replies.as_fd(),
        stop: stop.as_fd(),
    };
    let absent = || {
        let fault = DeviceError::new(DEVICE, FaultKind::Absent, "no line GPIO99");
        Err(fault.caused_by(io::Error::other("the deeper reason")))
    };
    keep(CAP_MS, absent, pipes).unwrap_err();
    drop(replies);
    let said = io::read_to_string(heard).unwrap();
    assert_eq!(said, "fault absent no line GPIO99: the deeper reason\n");
}
