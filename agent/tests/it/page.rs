//! The technician's page over a real socket of this machine, as a phone and as
//! somebody who means no good ask it. Time is real here, and nothing waits for it.

use crate::devices::{detector, jpeg};
use crate::stages::Trap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use trapline_agent::desk::Desk;
use trapline_store::{OsDisk, View};

const PAGE: &str = "\n[page]\nlisten = \"127.0.0.1:0\"\n";
/// Nothing here takes that long; without an answer by then a test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A phone beside the trap.
struct Phone {
    desk: Desk,
    at: String,
    cookie: String,
}

/// One answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Phone {
    /// A phone whose trap serves its page.
    async fn beside(desk: Desk) -> Self {
        loop {
            if let Some(invitation) = desk.page.invitation() {
                let at = invitation.address.strip_prefix("http://").unwrap();
                return Self {
                    at: at.to_owned(),
                    cookie: String::new(),
                    desk,
                };
            }
            tokio::task::yield_now().await;
        }
    }

    async fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(&self.at).await.unwrap();
        // Who is sent away early may not be able to say everything.
        let _partly = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let _cut = stream.read_to_end(&mut bytes).await;
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        Answer {
            status: status.unwrap_or(0),
            body: bytes.get(end + 4..).unwrap_or_default().to_vec(),
            head,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        let cookie = &self.cookie;
        let text = format!(
            "GET {path} HTTP/1.1\r\nhost: trap\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
        );
        self.raw(text.as_bytes()).await
    }

    async fn send(&self, path: &str, more: &str, body: &[u8]) -> Answer {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: trap\r\ncookie: {}\r\nconnection: close\r\n\
             content-length: {}\r\n{more}\r\n",
            self.cookie,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.raw(&request).await
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(path, "x-trapline: 1\r\n", body.as_bytes()).await
    }

    /// Types the password that the display shows.
    async fn enter(&mut self) {
        let code = self.desk.page.invitation().unwrap().code;
        let answer = self
            .post("/api/login", &format!("{{\"password\": \"{code}\"}}"))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let cookie = answer.head.lines().find_map(|line| {
            let cookie = line.strip_prefix("set-cookie: ")?;
            assert!(cookie.contains("httponly; samesite=strict"), "{cookie}");
            cookie.split(';').next()
        });
        // Heads are compared in small letters, a token is not.
        assert!(cookie.is_some_and(|cookie| cookie.starts_with("trapline_page=")));
        self.cookie = self.cookie_of(&code).await;
    }

    async fn cookie_of(&self, code: &str) -> String {
        let body = format!("{{\"password\": \"{code}\"}}");
        let request = format!(
            "POST /api/login HTTP/1.1\r\nhost: trap\r\nx-trapline: 1\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(&self.at).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (_, cookie) = text.split_once("set-cookie: ").unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }
}

/// What happens beside a trap that runs, with its page open.
fn beside<F: Future<Output = ()>>(trap: &Trap, visit: impl FnOnce(Desk) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let agent = trap.agent(Vec::new(), detector(Vec::new()));
        let desk = agent.desk().clone();
        // Both are too large for the stack of a test's thread.
        let running = Box::pin(agent.run(std::future::pending()));
        let visit = Box::pin(async {
            // The planned shot of the start goes first; from its end on captures can be counted.
            let _reading = desk.asks.sense().await.unwrap();
            visit(desk).await;
        });
        let visit = tokio::time::timeout(PATIENCE, visit);
        tokio::select! {
            done = running => panic!("the agent stopped: {done:?}"),
            visited = visit => visited.expect("nothing takes that long"),
        }
    });
}

fn trap_with_page() -> Trap {
    let mut trap = Trap::new(Vec::new());
    trap.settings.push_str(PAGE);
    trap
}

#[test]
fn without_a_setting_nothing_listens() {
    let trap = Trap::new(Vec::new());
    beside(&trap, async |desk| {
        assert!(!desk.page.open(Duration::from_mins(5)));
        assert!(!desk.page.is_open());
        assert_eq!(desk.page.invitation(), None);
    });
}

#[test]
fn a_stranger_sees_a_bare_page_and_nothing_else() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let phone = Phone::beside(desk).await;
        let page = phone.get("/").await;
        assert_eq!(page.status, 200);
        assert!(
            page.head
                .contains("content-security-policy: default-src 'none'")
        );
        assert!(
            !page.text().contains("7f3a9c21"),
            "no name, no number of the trap"
        );
        for path in [
            "/api/state",
            "/api/pictures",
            "/api/pictures/7f3a9c21-00000001/480",
            "/api/deployments",
            "/api/deployments/1/photo",
            "/api/settings",
            "/api/log",
        ] {
            assert_eq!(phone.get(path).await.status, 401, "{path}");
        }
        for path in [
            "/api/focus",
            "/api/shot",
            "/api/time",
            "/api/deployments",
            "/api/close",
        ] {
            assert_eq!(phone.post(path, "{}").await.status, 401, "{path}");
        }
        let forged = Phone {
            cookie: "trapline_page=guessed".to_owned(),
            ..phone
        };
        assert_eq!(forged.get("/api/state").await.status, 401);
    });
}

#[test]
fn paths_lead_nowhere_else() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        phone.enter().await;
        for path in [
            "/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/page-password",
            "/ledger.sqlite",
            "/api/pictures/..%2f..%2fledger.sqlite/480",
            "/api/pictures/7f3a9c21-00000001/..",
            "/api/pictures/7f3a9c21-00000001/9999999",
            "/api/pictures/00000000-00000001/480",
            "/api/pictures/7f3a9c21-99999999/480",
            "/api/deployments/-1/photo",
            "/api/deployments/1 OR 1=1/photo",
        ] {
            let answer = phone.get(path).await;
            assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        }
    });
}

#[test]
fn wrong_passwords_are_refused_and_then_slowed_down() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let phone = Phone::beside(desk).await;
        let mut statuses = Vec::new();
        for _ in 0..7 {
            let answer = phone.post("/api/login", "{\"password\": \"guess\"}").await;
            statuses.push(answer.status);
        }
        assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429]);
        let empty = phone.post("/api/login", "").await;
        assert_eq!(empty.status, 400);
        let huge = format!("{{\"password\": \"{}\"}}", "x".repeat(100_000));
        assert_eq!(phone.post("/api/login", &huge).await.status, 413);
    });
}

#[test]
fn another_sites_page_changes_nothing() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        phone.enter().await;
        for more in [
            "",
            "x-trapline: 1\r\norigin: http://evil.example\r\n",
            "x-trapline: 1\r\nsec-fetch-site: cross-site\r\n",
        ] {
            let answer = phone.send("/api/shot", more, b"{}").await;
            assert_eq!(answer.status, 403, "{more:?}");
        }
    });
}

#[test]
fn the_focus_view_gets_pictures_that_nobody_keeps() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        phone.enter().await;
        let kept = trap.summary().captures;
        for zoom in [true, false] {
            let body = format!("{{\"zoom\": {zoom}}}");
            let answer = phone.post("/api/focus", &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert!(
                answer.head.contains("x-focus: {\"sharpness\":"),
                "{}",
                answer.head
            );
            assert!(answer.body.starts_with(&[0xff, 0xd8, 0xff]));
        }
        assert_eq!(trap.summary().captures, kept);
        assert_eq!(phone.post("/api/focus", "{\"zoom\": 7}").await.status, 400);
    });
}

#[test]
fn a_picture_out_of_turn_is_kept_and_shown() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        phone.enter().await;
        let taken = phone.post("/api/shot", "{}").await;
        assert_eq!(taken.status, 200, "{}", taken.text());
        let id = taken.json()["id"].as_str().unwrap().to_owned();
        let list = phone.get("/api/pictures").await.json();
        assert_eq!(list[0]["id"], id);
        assert_eq!(
            (&list[0]["width_px"], &list[0]["shown"]),
            (&32.into(), &true.into())
        );
        for _twice_of_which_one_is_remembered in 0..2 {
            let small = phone.get(&format!("/api/pictures/{id}/480")).await;
            assert_eq!(small.status, 200);
            assert!(small.body.starts_with(&[0xff, 0xd8, 0xff]));
        }
        let state = phone.get("/api/state").await.json();
        assert_eq!(state["status"]["running"], true);
        assert_eq!(state["clock"]["quality"], "synced");
    });
}

#[test]
fn a_clock_that_is_confirmed_is_left_alone() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        phone.enter().await;
        let never_set = phone.post("/api/time", "{\"unix_ms\": 86400000}").await;
        assert_eq!(never_set.status, 400, "{}", never_set.text());
        let answer = phone
            .post("/api/time", "{\"unix_ms\": 1780272000000}")
            .await;
        assert_eq!(answer.status, 409, "{}", answer.text());
    });
}

#[test]
fn what_is_told_of_the_spot_is_kept() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        phone.enter().await;
        let photo = jpeg(90);
        let form = serde_json::json!({
            "site": " North orchard ", "bait": "pheromone", "notes": "wind\nfrom the lake",
            "technician": "Jo", "height_cm": 150, "facing_deg": 90,
            "place": {"latitude": 52.5163, "longitude": 13.3777, "from_phone": false},
            "photo": STANDARD.encode(&photo),
        });
        let answer = phone.post("/api/deployments", &form.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let all = phone.get("/api/deployments").await.json();
        assert_eq!(all[0]["site"], "North orchard");
        assert_eq!(all[0]["place_from"], "typed");
        assert_eq!(all[0]["stamp"]["quality"], "synced");
        assert_eq!(phone.get("/api/deployments/1/photo").await.body, photo);
        let view = View::open(trap.folder.path(), Arc::new(OsDisk)).unwrap();
        assert_eq!(view.deployments(10).unwrap().len(), 1);
    });
}

#[test]
fn what_cannot_be_true_of_the_spot_is_refused() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        phone.enter().await;
        let mut half = jpeg(90);
        half.truncate(half.len() / 2);
        for (form, why) in [
            ("{\"site\": \"\"}".to_owned(), "site"),
            ("{\"site\": \"a\", \"height_cm\": -1}".to_owned(), "understand"),
            ("{\"site\": \"a\", \"facing_deg\": 360}".to_owned(), "359"),
            ("{\"site\": \"a\", \"shell\": \"id\"}".to_owned(), "understand"),
            (
                "{\"site\": \"a\", \"place\": {\"latitude\": 91, \"longitude\": 0, \"from_phone\": true}}"
                    .to_owned(),
                "latitude",
            ),
            (format!("{{\"site\": \"{}\"}}", "a".repeat(501)), "at most 500"),
            ("{\"site\": \"a\", \"photo\": \"!\"}".to_owned(), "Base64"),
            (
                format!("{{\"site\": \"a\", \"photo\": \"{}\"}}", STANDARD.encode(b"GIF89a")),
                "not a JPEG",
            ),
            (
                format!("{{\"site\": \"a\", \"photo\": \"{}\"}}", STANDARD.encode(&half)),
                "photograph",
            ),
        ] {
            let answer = phone.post("/api/deployments", &form).await;
            assert_eq!(answer.status, 400, "{form}: {}", answer.text());
            assert!(answer.text().contains(why), "{form}: {}", answer.text());
        }
        let huge = vec![b' '; 9_000_000];
        let answer = phone
            .send("/api/deployments", "x-trapline: 1\r\n", &huge)
            .await;
        assert!(matches!(answer.status, 413 | 0), "{answer:?}");
        assert_eq!(phone.get("/api/deployments").await.text(), "[]");
    });
}

#[test]
fn slow_and_silent_phones_hold_up_nobody() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk).await;
        let mut silent = Vec::new();
        for _ in 0..20 {
            let mut stream = TcpStream::connect(&phone.at).await.unwrap();
            let _gone = stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await;
            silent.push(stream);
        }
        // Captures go on whatever the page does.
        let before = trap.summary().captures;
        phone
            .desk
            .asks
            .shot(trapline_agent::asks::ShotCause::Visit)
            .await
            .unwrap();
        assert_eq!(trap.summary().captures, before + 1);
        drop(silent);
        // Their seats are free as soon as the trap has seen that they left.
        while phone.get("/").await.status == 0 {
            tokio::task::yield_now().await;
        }
        phone.enter().await;
        assert_eq!(phone.get("/api/state").await.status, 200);
    });
}

#[test]
fn it_closes_and_can_be_opened_again() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk.clone()).await;
        phone.enter().await;
        assert_eq!(phone.post("/api/close", "{}").await.status, 200);
        desk.page.close(Duration::ZERO);
        while desk.page.invitation().is_some() {
            tokio::task::yield_now().await;
        }
        assert!(!desk.page.is_open());
        assert!(TcpStream::connect(&phone.at).await.is_err());
        assert!(desk.page.open(Duration::from_mins(5)));
        let again = Phone::beside(desk).await;
        assert_eq!(again.get("/").await.status, 200);
        let old_session = Phone {
            cookie: phone.cookie,
            ..again
        };
        assert_eq!(old_session.get("/api/state").await.status, 401);
    });
}

#[test]
fn a_departure_check_is_started_followed_and_read() {
    let trap = trap_with_page();
    beside(&trap, async |desk| {
        let mut phone = Phone::beside(desk.clone()).await;
        assert_eq!(phone.post("/api/checks/depart", "{}").await.status, 401);
        phone.enter().await;
        let nothing = phone.get("/api/checks").await.json();
        assert_eq!(
            (&nothing["running"], &nothing["kind"]),
            (&false.into(), &().into())
        );
        let invited = desk.board.shown().invitation.unwrap();
        assert!(invited.scan.starts_with(&format!("{}/#", invited.address)));
        assert_eq!(phone.post("/api/checks/format", "{}").await.status, 404);
        let started = phone.post("/api/checks/depart", "{}").await;
        assert_eq!(started.status, 200, "{}", started.text());
        loop {
            let now = phone.get("/api/checks").await.json();
            if now["running"] == false {
                assert_eq!(now["kind"], "depart");
                let checks = now["report"]["checks"].as_array().unwrap();
                let camera = checks
                    .iter()
                    .find(|check| check["part"] == "camera")
                    .unwrap();
                assert_eq!(camera["outcome"], "passed", "{camera}");
                break;
            }
        }
    });
}
