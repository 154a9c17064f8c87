//! Who gets in: nobody without a key or a login, and nobody by guessing.

use crate::house::{HOUR_MS, House, capture, jpeg, request};
use serde_json::{Value, json};
use trapline_wire::TrapKey;

const RESEARCHERS: &[&str] = &[
    "/api/v1/me",
    "/api/v1/traps",
    "/api/v1/traps/aaaaaaaa",
    "/api/v1/traps/aaaaaaaa/timeline",
    "/api/v1/captures",
    "/api/v1/captures.csv",
    "/api/v1/detections.csv",
    "/api/v1/captures/aaaaaaaa/7f3a9c21-00000001",
    "/api/v1/captures/aaaaaaaa/7f3a9c21-00000001/picture",
    "/api/v1/captures/aaaaaaaa/7f3a9c21-00000001/thumbnail",
    "/api/v1/readings",
    "/api/v1/readings.csv",
    "/api/v1/effort",
    "/api/v1/effort.csv",
];

const TRAPS: &[(&str, &str)] = &[
    ("POST", "/api/v1/sync"),
    ("POST", "/api/v1/uploads"),
    ("GET", "/api/v1/uploads?sha256=00"),
    ("OPTIONS", "/api/v1/uploads"),
    ("HEAD", "/api/v1/uploads/x"),
    ("PATCH", "/api/v1/uploads/x"),
    ("DELETE", "/api/v1/uploads/x"),
    ("GET", "/api/v1/models/00"),
    ("POST", "/api/v1/uploads/x"),
    ("OPTIONS", "/api/v1/uploads/x"),
];

#[tokio::test]
async fn nothing_is_reachable_without_a_login_or_a_key() {
    let house = House::new();
    let bearer = format!("Bearer {}", house.key.reveal());
    for path in RESEARCHERS {
        for headers in [
            vec![],
            vec![("cookie", "trapline_session=guess")],
            vec![("authorization", bearer.as_str())],
        ] {
            house
                .send(request("GET", path, &headers, ""))
                .await
                .refused(401, "not_logged_in");
        }
    }
    let cookie = house.login().await;
    let unknown = format!("Bearer {}", TrapKey::from_random(&[9; 25]).reveal());
    let mistyped = bearer.replace("trapk_a", "trapk_b");
    for (method, path) in TRAPS {
        for headers in [
            vec![],
            vec![("cookie", cookie.as_str())],
            vec![("authorization", "Bearer trapk_x")],
            vec![("authorization", "Basic YTpi")],
            vec![("authorization", unknown.as_str())],
            vec![("authorization", mistyped.as_str())],
        ] {
            let mut all = vec![("tus-resumable", "1.0.0")];
            all.extend(headers);
            let answer = house.send(request(method, path, &all, "")).await;
            assert_eq!(answer.status, 401, "{method} {path} {all:?}");
        }
    }
    house
        .send(request("POST", "/api/v1/logout", &[], ""))
        .await
        .refused(401, "not_logged_in");
    house
        .send(request("GET", "/api/v1/secret", &[], ""))
        .await
        .refused(404, "not_found");
    let health = house.send(request("GET", "/healthz", &[], "")).await;
    assert_eq!(health.json::<Value>(), json!({ "status": "ok" }));
}

#[tokio::test]
async fn login_gives_a_cookie_that_only_the_browser_sees_and_logout_ends_it() {
    let house = House::new();
    let answer = house.try_login("ada", "correct horse").await;
    assert_eq!(answer.json::<Value>(), json!({ "name": "ada" }));
    let cookie = answer.header("set-cookie").to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"));
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let me = house.get(&format!("other=1; {cookie}"), "/api/v1/me").await;
    assert_eq!(me.json::<Value>(), json!({ "name": "ada" }));

    let out = request("POST", "/api/v1/logout", &[("cookie", &cookie)], "");
    assert_eq!(house.send(out).await.status, 204);
    house
        .get(&cookie, "/api/v1/me")
        .await
        .refused(401, "not_logged_in");

    let cookie = house.login().await;
    house.pass(31 * 24 * HOUR_MS);
    house
        .get(&cookie, "/api/v1/me")
        .await
        .refused(401, "not_logged_in");
}

#[tokio::test]
async fn behind_https_the_cookie_is_never_sent_without() {
    let house = House::with(|settings| settings.https = true);
    let answer = house.try_login("ada", "correct horse").await;
    assert!(answer.header("set-cookie").contains("; Secure"));
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let house = House::new();
    for _ in 0..10 {
        house
            .try_login("ada", "guess")
            .await
            .refused(401, "bad_login");
    }
    let slowed = house.try_login("ada", "correct horse").await;
    slowed.refused(429, "slow_down");
    assert_eq!(slowed.header("retry-after"), "900");
    // Others still get in, until the address itself has guessed too often.
    for _ in 0..20 {
        house.try_login("nobody at all", "guess").await;
    }
    house
        .try_login("eve", "guess")
        .await
        .refused(401, "bad_login");
    house.pass(HOUR_MS);
    assert_eq!(house.try_login("ada", "correct horse").await.status, 200);
}

#[tokio::test]
async fn a_login_that_is_none_is_refused() {
    let house = House::new();
    for body in ["", "{}", "<html>", "{\"name\": 1, \"password\": 2}"] {
        let login = request("POST", "/api/v1/login", &[], body);
        house.send(login).await.refused(400, "bad_request");
    }
    let long = json!({ "name": "ada", "password": "x".repeat(5000) }).to_string();
    let login = request("POST", "/api/v1/login", &[], long);
    house.send(login).await.refused(413, "too_large");
}

#[tokio::test]
async fn other_sites_change_nothing() {
    let house = House::new();
    let cookie = house.login().await;
    for headers in [
        [
            ("host", "traps.example"),
            ("origin", "https://evil.example"),
        ],
        [("host", "traps.example"), ("sec-fetch-site", "cross-site")],
        [("host", "traps.example"), ("sec-fetch-site", "same-site")],
        [("host", "traps.example"), ("origin", "null")],
    ] {
        for path in ["/api/v1/login", "/api/v1/logout"] {
            let mut all = vec![("cookie", cookie.as_str())];
            all.extend(headers);
            house
                .send(request("POST", path, &all, ""))
                .await
                .refused(403, "other_origin");
        }
    }
    assert_eq!(house.get(&cookie, "/api/v1/me").await.status, 200);
}

#[tokio::test]
async fn every_answer_guards_the_browser_and_unknown_pages_are_the_app() {
    let house = House::new();
    for path in ["/", "/traps/whatever", "/healthz", "/api/v1/me"] {
        let answer = house.send(request("GET", path, &[], "")).await;
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'self'")
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let page = house.send(request("GET", "/traps/whatever", &[], "")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let missing = house
        .send(request("GET", "/assets/gone-1234.js", &[], ""))
        .await;
    assert_eq!(missing.status, 404);
    let posted = house.send(request("POST", "/", &[], "")).await;
    assert_eq!(posted.status, 405);
    let wrong = house
        .send(request("DELETE", "/api/v1/traps", &[], ""))
        .await;
    wrong.refused(405, "bad_method");
}

#[tokio::test]
async fn pictures_go_out_as_they_came_in() {
    let house = House::new();
    let (picture, text) = (jpeg(1), b"no picture at all".to_vec());
    house.upload(&picture).await;
    let waiting = jpeg(2);
    house
        .sync(&json!({ "captures": [
            capture(1, 1000, &picture), capture(2, 2000, &text), capture(3, 3000, &waiting),
        ]}))
        .await;
    house.upload(&text).await;
    let cookie = house.login().await;
    let trap = house.key.trap();
    let path = |number: u32, part: &str| {
        format!(
            "/api/v1/captures/{trap}/{}/{part}",
            crate::house::id(number)
        )
    };

    let shown = house.get(&cookie, &path(1, "picture")).await;
    assert_eq!(shown.header("content-type"), "image/jpeg");
    assert_eq!(shown.body, picture);
    assert!(shown.header("cache-control").starts_with("private"));
    let tag = shown.header("etag").to_owned();
    let headers = [("cookie", cookie.as_str()), ("if-none-match", &*tag)];
    let known = house
        .send(request("GET", &path(1, "picture"), &headers, ""))
        .await;
    assert_eq!((known.status.as_u16(), known.body.len()), (304, 0));

    let small = house.get(&cookie, &path(1, "thumbnail")).await;
    let small = image::load_from_memory(&small.body).unwrap();
    assert!(small.width() <= 320 && small.height() <= 320);

    let odd = house.get(&cookie, &path(2, "picture")).await;
    assert_eq!(odd.header("content-type"), "application/octet-stream");
    assert_eq!(odd.body, text);
    house
        .get(&cookie, &path(2, "thumbnail"))
        .await
        .refused(404, "not_found");
    house
        .get(&cookie, &path(3, "picture"))
        .await
        .refused(404, "not_found");
    house
        .get(&cookie, &path(4, "picture"))
        .await
        .refused(404, "not_found");

    let list: Value = house
        .get(&cookie, "/api/v1/captures?order=oldest")
        .await
        .json();
    let states: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["picture_state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["stored", "unreadable", "on_trap"]);
}

#[tokio::test]
async fn a_hundred_megapixels_and_a_torn_picture_are_kept_and_not_decoded() {
    let house = House::new();
    let mut huge = jpeg(1);
    // The frame header holds height and width, two bytes each.
    let frame = huge
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    huge[frame + 5..frame + 9].copy_from_slice(&[0x27, 0x10, 0x27, 0x10]);
    let mut torn = jpeg(2);
    torn.truncate(torn.len() / 3);
    house.upload(&huge).await;
    house.upload(&torn).await;
    house
        .sync(&json!({ "captures": [capture(1, 1000, &huge), capture(2, 2000, &torn)] }))
        .await;
    let cookie = house.login().await;
    let list: Value = house.get(&cookie, "/api/v1/captures").await.json();
    assert_eq!(list["items"][0]["picture_state"], "unreadable");
    assert_eq!(list["items"][1]["picture_state"], "unreadable");
    let trap = house.key.trap();
    let path = format!("/api/v1/captures/{trap}/{}/picture", crate::house::id(2));
    assert_eq!(house.get(&cookie, &path).await.body, torn);
}
