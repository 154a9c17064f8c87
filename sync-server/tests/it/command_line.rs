//! The program as it is called: what it prints, how it ends, and that it serves.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use trapline_wire::TrapKey;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_trapline-server"))
}

fn call(data: &Path, words: &[&str]) -> Output {
    program()
        .args(words)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn call_with_password(data: &Path, words: &[&str], password: &str) -> Output {
    let mut child = program()
        .args(words)
        .args(["--password-stdin", "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A call that is refused for its name does not read the password.
    drop(writeln!(child.stdin.take().unwrap(), "{password}"));
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A server process that never outlives its test.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(data: &Path) -> Self {
        let mut child = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut first)
            .unwrap();
        let address = first
            .trim()
            .strip_prefix("listening on http://")
            .unwrap()
            .to_owned();
        Self { child, address }
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, as one test wants.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn traps_are_added_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let added = call(folder.path(), &["trap", "add", "meadow 1"]);
    assert!(added.status.success());
    let printed = out(&added);
    assert_eq!(printed.lines().count(), 1);
    let key: TrapKey = printed.trim().parse().unwrap();
    assert!(err(&added).contains("shown only now"));

    let twice = call(folder.path(), &["trap", "add", "meadow 1"]);
    assert_eq!((twice.status.code(), out(&twice)), (Some(1), String::new()));
    let json = call(folder.path(), &["trap", "add", "forest", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["name"], "forest");
    json["key"].as_str().unwrap().parse::<TrapKey>().unwrap();

    let list = out(&call(folder.path(), &["trap", "list"]));
    assert!(
        list.contains(key.trap().as_str()) && list.contains("meadow 1"),
        "{list}"
    );
    let revoked = call(folder.path(), &["trap", "revoke", key.trap().as_str()]);
    assert!(revoked.status.success());
    assert_eq!(
        call(folder.path(), &["trap", "revoke", "meadow 1"])
            .status
            .code(),
        Some(1)
    );
    let list = call(folder.path(), &["trap", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    assert!(list[1]["revoked_ms"].is_i64());
    assert!(
        call(folder.path(), &["trap", "add", "meadow 1"])
            .status
            .success()
    );
}

#[test]
fn users_are_added_and_get_new_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let add = |password| call_with_password(folder.path(), &["user", "add", "ada"], password);
    assert!(err(&add("short")).contains("at least 8"));
    assert!(add("correct horse").status.success());
    assert_eq!(add("correct horse").status.code(), Some(1));
    let passwd =
        |name| call_with_password(folder.path(), &["user", "passwd", name], "new password");
    assert!(passwd("ada").status.success());
    assert_eq!(passwd("eve").status.code(), Some(1));
    let silent = call(folder.path(), &["user", "add", "eve"]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(err(&silent).contains("--password-stdin"));
}

#[test]
fn wrong_use_and_wrong_settings_have_their_own_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(program().output().unwrap().status.code(), Some(2));
    assert_eq!(
        program().arg("surve").output().unwrap().status.code(),
        Some(2)
    );
    assert_eq!(
        program()
            .args(["trap", "list"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(78)
    );
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "data = \"x\"\nlissten = \"0.0.0.0:80\"\n").unwrap();
    let bad = program()
        .args(["trap", "list", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(bad.status.code(), Some(78));
    assert!(err(&bad).contains("lissten"), "{}", err(&bad));
    let help = program().arg("--help").output().unwrap();
    assert!(out(&help).contains("trapline-server trap add meadow-1"));
}

#[test]
fn it_serves_takes_new_keys_meanwhile_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let health = server.ask("GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");

    let key = out(&call(folder.path(), &["trap", "add", "meadow"]));
    let sync = |key: &str| {
        server.ask(&format!(
            "POST /api/v1/sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-length: 2\r\nconnection: close\r\n\r\n{{}}",
            key.trim()
        ))
    };
    let answer = sync(&key);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"stored\":0"), "{answer}");
    assert!(
        call(folder.path(), &["trap", "revoke", "meadow"])
            .status
            .success()
    );
    assert!(sync(&key).starts_with("HTTP/1.1 401"));

    let second = call(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(
        err(&second).contains("another trapline-server"),
        "{}",
        err(&second)
    );

    let pid = rustix::process::Pid::from_child(&server.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn an_offer_to_nobody_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("trap.raucb");
    std::fs::write(&bundle, b"a bundle").unwrap();
    let data = folder.path().join("data");
    let path = bundle.display().to_string();
    let added = call(&data, &["update", "add", &path, "--version", "0.2.0"]);
    assert!(added.status.success(), "{}", err(&added));
    let offered = call(&data, &["update", "offer", "0.2.0", "--all"]);
    assert!(!offered.status.success());
    assert!(err(&offered).contains("no trap"), "{}", err(&offered));
    call(&data, &["trap", "add", "meadow"]);
    let offered = call(&data, &["update", "offer", "0.2.0", "--all"]);
    assert!(offered.status.success() && err(&offered).contains("meadow"));
}
