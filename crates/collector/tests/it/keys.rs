//! Keys: what each opens, how it ends, and that none opens another project.

use super::Server;
use crate::process::hoplog;
use crate::support::{NOON, RUNTIME, Response, TempDir, request};
use hoplog_collector::{Keys, MadeKey, NewKey};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

fn keys(directory: &TempDir) -> Keys {
    let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOON);
    Keys::open(Server::config(directory.path()).clock(clock)).unwrap()
}

fn make(directory: &TempDir, change: impl FnOnce(&mut NewKey)) -> MadeKey {
    let mut new = NewKey::default();
    change(&mut new);
    RUNTIME.block_on(keys(directory).create(new)).unwrap()
}

fn scopes(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn bearer(key: &MadeKey) -> String {
    format!("Bearer {}", key.secret)
}

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let body = br#"{"logs":[{"message":"x"}]}"#;
    let all = [&[("content-type", "application/json")], headers].concat();
    request(server.address, method, path, &all, if method == "POST" { body } else { b"" })
}

/// Waits for a fact that comes with the next look at the keys; how long it took.
fn within_five_seconds(fact: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !fact() {
        assert!(began.elapsed() < Duration::from_secs(5), "not within 5 s");
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

#[test]
fn every_wrong_key_is_told_the_same_and_none_is_told_why() {
    let directory = Arc::new(TempDir::new());
    let every = |new: &mut NewKey| new.scopes = scopes(&["ingest", "query", "admin"]);
    let good = make(&directory, every);
    let expired = make(&directory, |new| {
        every(new);
        new.lasts = Some(Duration::ZERO);
    });
    let elsewhere = make(&directory, |new| {
        every(new);
        new.networks = vec!["192.0.2.0/24".to_owned()];
    });
    let revoked = make(&directory, every);
    RUNTIME.block_on(keys(&directory).revoke(&revoked.id)).unwrap();
    let pair = make(&directory, |new| {
        every(new);
        new.pair = true;
    });
    let server = Server::in_directory(Arc::clone(&directory), |config| config);
    let [right, expired, elsewhere, revoked] = [&good, &expired, &elsewhere, &revoked].map(bearer);
    let other_id = right.replacen(&good.id, "000000000000", 1);
    let typo = right[..right.len() - 1].to_owned() + "_";
    let bare_secret = format!("Bearer {}", good.secret.split('_').nth(3).unwrap());
    let wrong: [(&str, &[(&str, &str)]); 13] = [
        ("none", &[]),
        ("malformed", &[("authorization", "Bearer")]),
        ("another scheme", &[("authorization", "Basic aGw6eA==")]),
        ("unknown id", &[("authorization", &other_id)]),
        ("typo", &[("authorization", &typo)]),
        ("secret alone", &[("authorization", &bare_secret)]),
        ("revoked", &[("authorization", &revoked)]),
        ("expired", &[("authorization", &expired)]),
        ("from elsewhere", &[("authorization", &elsewhere)]),
        ("in a cookie", &[("cookie", &good.secret)]),
        ("a pair's public half", &[("x-api-key", &pair.id)]),
        ("a pair's secret half", &[("x-api-key", &pair.secret)]),
        ("a pair with another secret", &[("x-api-key", &pair.id), ("x-api-secret", &good.secret)]),
    ];
    let mut told = Vec::new();
    let in_query = format!("/api/v1/logs?key={0}&api_key={0}", good.secret);
    for path in ["/api/v1/logs", "/stats", "/metrics", "/no/such/path", in_query.as_str()] {
        for (what, headers) in &wrong {
            // Of an address of its own each, as too many failures of one are told to wait.
            let response =
                crate::support::request_from(told.len() / 10 + 2, server.address, "GET", path, headers);
            assert_eq!(response.status, 401, "{what} {path}: {response:?}");
            assert_eq!(response.header("www-authenticate"), Some("Bearer"));
            assert!(!response.body.contains(&good.secret) && !response.head.contains(&good.secret));
            told.push(response.body);
        }
    }
    assert!(told.iter().all(|body| *body == told[0]), "one body for every failure");
    println!("FIGURE keys.wrong_ways {} count", told.len());
    for headers in [
        &[("authorization", right.as_str())][..],
        &[("x-api-key", &good.secret)],
        &[("x-api-key", &pair.id), ("x-api-secret", &pair.secret)],
    ] {
        assert_eq!(ask(&server, "GET", "/stats", headers).status, 200);
        assert_eq!(ask(&server, "POST", "/logs", headers).status, 200);
    }
    let metrics = ask(&server, "GET", "/metrics", &[("authorization", &right)]).body;
    for reason in ["missing", "unknown", "wrong_secret", "revoked", "expired", "network"] {
        let line = format!("hoplog_keys_denied_total{{reason=\"{reason}\"}} 0");
        assert!(!metrics.contains(&line), "{reason} is counted: {metrics}");
    }
    // Nothing of a secret is on the disk but its hash.
    let secrets = [&good.secret, &pair.secret];
    for file in std::fs::read_dir(directory.path()).unwrap().flatten().filter(|f| f.path().is_file()) {
        let bytes = std::fs::read(file.path()).unwrap();
        for secret in secrets {
            let part = secret.split('_').max_by_key(|part| part.len()).unwrap().as_bytes();
            assert!(!bytes.windows(part.len()).any(|w| w == part), "{:?}", file.path());
        }
    }
    for secret in secrets {
        assert!(!Server::keys_as_text(directory.path()).contains(secret.split('_').nth(3).unwrap_or(secret)));
    }
}

#[test]
fn a_key_does_what_its_scopes_say_and_is_told_which_it_lacks() {
    let directory = Arc::new(TempDir::new());
    let with = |names: &[&str]| {
        let names = scopes(names);
        bearer(&make(&directory, |new| new.scopes = names))
    };
    let [ingest, query, admin] = [with(&["ingest"]), with(&["query"]), with(&["admin"])];
    let server = Server::in_directory(Arc::clone(&directory), |config| config);
    for (key, path, method, status) in [
        (&ingest, "/logs", "POST", 200),
        (&ingest, "/stats", "GET", 403),
        (&ingest, "/metrics", "GET", 403),
        (&query, "/logs", "POST", 403),
        (&query, "/api/v1/logs/batch", "POST", 403),
        (&query, "/stats", "GET", 200),
        (&query, "/api/v1/logs", "GET", 200),
        (&query, "/metrics", "GET", 200),
        (&admin, "/logs", "POST", 403),
        (&admin, "/metrics", "GET", 200),
    ] {
        let response = ask(&server, method, path, &[("authorization", key)]);
        assert_eq!(response.status, status, "{method} {path}: {response:?}");
        if status == 403 {
            assert!(response.json()["detail"].as_str().unwrap().contains("use one with the scope"));
        }
    }
}

#[test]
fn a_key_ends_within_five_seconds_of_its_revocation_and_a_rotation_leaves_no_gap() {
    let directory = Arc::new(TempDir::new());
    let old = make(&directory, |_| {});
    let server = Server::in_directory(Arc::clone(&directory), |config| config);
    let status = |key: &MadeKey| ask(&server, "POST", "/logs", &[("authorization", &bearer(key))]).status;
    assert_eq!(status(&old), 200);
    let new = RUNTIME.block_on(keys(&directory).rotate(&old.id, Duration::from_secs(3_600))).unwrap();
    let seen = within_five_seconds(|| status(&new) == 200);
    assert_eq!(status(&old), 200, "both are live");
    server.clock.set(NOON + 3_601);
    assert_eq!((status(&old) == 200, status(&new)), (false, 200), "the old one has ended");
    RUNTIME.block_on(keys(&directory).revoke(&new.id)).unwrap();
    let gone = within_five_seconds(|| status(&new) != 200);
    println!("FIGURE keys.seen_after {} ms", seen.as_millis());
    println!("FIGURE keys.revoked_after {} ms", gone.as_millis());
    let listed = RUNTIME.block_on(keys(&directory).list(None)).unwrap();
    let states: Vec<_> = listed.iter().map(|key| key.state).collect();
    assert_eq!(listed.len(), 2);
    assert!(states.contains(&"revoked"), "{states:?}");
    assert_ne!(status(&old), 200, "with no valid key left nothing is open by itself");
    assert_ne!(ask(&server, "GET", "/stats", &[]).status, 200);
}

#[test]
fn where_an_address_fails_too_often_it_is_told_to_wait_and_a_valid_key_passes_all_the_same() {
    let server = Server::with(|config| config.api_key("hl_key"));
    let statuses: Vec<u16> = (0..25).map(|_| ask(&server, "GET", "/stats", &[]).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 20);
    assert_eq!(statuses[20..], [429; 5]);
    let answer = ask(&server, "GET", "/stats", &[("authorization", "Bearer hl_kez")]);
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=72).contains(&wait), "{wait}");
    assert_eq!(ask(&server, "GET", "/stats", &[("authorization", "Bearer hl_key")]).status, 200);
    let elsewhere = crate::support::request_from(9, server.address, "GET", "/stats", &[]);
    assert_eq!(elsewhere.status, 401, "another address is none the worse");
}

#[test]
fn no_route_shows_one_project_what_is_anothers() {
    let directory = Arc::new(TempDir::new());
    let of = |name: &str| {
        let every = scopes(&["ingest", "query", "admin"]);
        let name = name.to_owned();
        bearer(&make(&directory, |new| (new.project, new.scopes) = (name, every)))
    };
    let projects = [("default", of("default")), ("one", of("one")), ("two", of("two"))];
    let server = Server::in_directory(Arc::clone(&directory), |config| config);
    // The same ids and traces in each, so that what is found tells whose it is by its words alone.
    let ids: Vec<String> = (0..8).map(|_| crate::support::id_of(NOON)).collect();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (name, key) in &projects {
        let logs: Vec<Value> = ids
            .iter()
            .map(|id| {
                json!({"id": id, "message": format!("words-of-{name}"), "service": format!("service-of-{name}"),
                       "level": "ERROR", "trace_id": trace, "kind": "request", "method": "GET",
                       "path": format!("/path-of-{name}"), "route": format!("/route-of-{name}"), "status_code": 500,
                       "error_type": format!("error-of-{name}"), "user_id": "u", "tag": format!("tag-of-{name}")})
            })
            .collect();
        let body = json!({"logs": logs, "boot_id": "0199b0c0-0000-7000-8000-000000000000", "seq": 0,
                          "batch_id": crate::support::id_of(NOON), "source": {"service": format!("source-of-{name}")}});
        let headers = [("authorization", key.as_str())];
        let answer = server.post("/logs", &headers, body.to_string().as_bytes());
        assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (200, Some(8)), "{name}: {answer:?}");
    }
    let mut paths: Vec<String> = crate::support::get_routes(&server);
    paths.retain(|path| !path.contains('{') && !path.ends_with("/tail"));
    for id in &ids {
        paths.push(format!("/api/v1/logs/{id}"));
    }
    paths.push(format!("/api/v1/traces/{trace}"));
    for filter in [
        "q=words",
        "user_id=u",
        "level=ERROR",
        "from=1h&limit=1000",
        "trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
    ] {
        paths.push(format!("/api/v1/logs?{filter}"));
    }
    for (name, _) in &projects {
        for filter in ["service=service-of", "path=/path-of", "route=/route-of", "metadata.tag=tag-of"] {
            paths.push(format!("/api/v1/logs?{filter}-{name}"));
        }
    }
    let (mut cases, mut found, mut foreign) = (0, 0, 0);
    for path in &paths {
        for (name, key) in &projects {
            let answer = ask(&server, "GET", path, &[("authorization", key)]);
            assert!(answer.status < 500, "{path}: {answer:?}");
            cases += 1;
            found += usize::from(answer.body.contains(&format!("-of-{name}")));
            for (other, _) in projects.iter().filter(|(other, _)| other != name) {
                foreign += usize::from(answer.body.contains(&format!("-of-{other}")));
            }
        }
    }
    println!("FIGURE projects.cases {cases} count");
    println!("FIGURE projects.cases_that_found_something {found} count");
    println!("FIGURE projects.foreign {foreign} count");
    assert_eq!(foreign, 0);
    assert!(found > cases / 3, "the questions find something: {found} of {cases}");
    // The names are nowhere on the disk as a path.
    if server.files().is_none() {
        return;
    }
    let under = std::fs::read_dir(directory.path().join("projects")).unwrap().flatten();
    let mut names: Vec<_> = under.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["1", "2"]);
}

#[test]
fn a_name_of_a_project_never_becomes_a_path() {
    let directory = TempDir::new();
    let cases = [
        "..",
        "../x",
        "/etc",
        "a/b",
        "a\\b",
        ".",
        "",
        "A",
        "a b",
        "a\0b",
        "%2e%2e",
        "ü",
        "-;drop table keys",
    ];
    let mut refused = 0;
    for name in cases {
        let new = |new: &mut NewKey| new.project = name.to_owned();
        let mut wanted = NewKey::default();
        new(&mut wanted);
        refused += usize::from(RUNTIME.block_on(keys(&directory).create(wanted)).is_err());
    }
    println!("FIGURE projects.bad_names {} count", cases.len());
    assert_eq!(refused, cases.len());
    let made: Vec<_> =
        std::fs::read_dir(directory.path()).unwrap().flatten().map(|e| e.file_name()).collect();
    // `database` is the test's own.
    let known = ["keys.db", "keys.pepper", "database"];
    assert!(made.iter().all(|name| known.iter().any(|known| name == known)), "{made:?}");
    // Of a good name, too, only the number is ever a path.
    let server = Server::in_directory(Arc::new(directory), |config| {
        config.api_key("hl_key").open_from("127.0.0.1/32=a..b")
    });
    assert_eq!(ask(&server, "POST", "/logs", &[]).status, 200);
    let projects =
        std::fs::read_dir(server.directory.path().join("projects")).into_iter().flatten().flatten();
    let projects = projects.map(|entry| entry.file_name()).collect::<Vec<_>>();
    assert_eq!(projects, if server.files().is_some() { vec!["1"] } else { vec![] });
}

#[test]
fn the_command_makes_lists_rotates_and_revokes() {
    let directory = TempDir::new();
    let data = directory.path().to_str().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = hoplog(&[&["keys"], arguments, &["--data-dir", data]].concat());
        if let Some(store) = Server::store(directory.path()) {
            command.env("HOPLOG_STORE", store);
        }
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let (code, key, note) = run(&[
        "create",
        "--project",
        "shop",
        "--scope",
        "ingest,query",
        "--label",
        "the shop",
        "--expires",
        "90d",
    ]);
    assert_eq!(code, 0, "{note}");
    let key = key.trim();
    assert!(key.starts_with("hl_live_") && key.lines().count() == 1, "{key}");
    assert!(note.contains("shown this once") && !note.contains(key), "{note}");
    let id = key.split('_').nth(2).unwrap();
    let (_, list, _) = run(&["list"]);
    assert!(
        list.contains(id) && list.contains("shop") && list.contains("ingest,query") && list.contains("live")
    );
    assert!(!list.contains(key.split('_').nth(3).unwrap()), "no list shows a secret");
    let (code, other, _) = run(&["rotate", id, "--grace", "0s"]);
    assert_eq!((code, other.starts_with("hl_live_")), (0, true));
    let (_, list, _) = run(&["list", "--project", "shop", "--json"]);
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    let mut states: Vec<_> = list.iter().map(|key| key["state"].as_str().unwrap()).collect();
    states.sort_unstable();
    assert_eq!(states, ["expired", "live"]);
    assert_eq!(run(&["revoke", other.split('_').nth(2).unwrap()]).0, 0);
    let (code, pair, _) = run(&["create", "--family", "logs-sdk"]);
    assert!(
        code == 0 && pair.contains("X-API-Key: clog_pk_") && pair.contains("X-API-Secret: clog_sk_"),
        "{pair}"
    );
    for (arguments, part) in [
        (&["revoke", "nobody"][..], "there is no key nobody"),
        (&["rotate", id], "is not valid any more"),
        (&["create", "--scope", "write"], "`write` is no scope"),
        (&["create", "--from", "10.0.0.0/99"], "is no network"),
        (&["create", "--project", "a/b"], "is no name of a project"),
        (&["create", "--environment", "A"], "is no environment"),
        (&["import", "clog_pk_mine_1", "--scope", "query"], "may have the scope ingest alone"),
    ] {
        let (code, out, why) = run(arguments);
        assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {why}");
        assert!(why.starts_with("hoplog: ") && why.contains(part), "{why}");
    }
    assert_eq!(run(&["import", "clog_pk_mine_1"]).0, 0);
    let server = Server::in_directory(Arc::new(directory), |config| config);
    assert_eq!(ask(&server, "POST", "/logs", &[("x-api-key", "clog_pk_mine_1")]).status, 200, "as it came");
    assert_eq!(ask(&server, "GET", "/stats", &[("x-api-key", "clog_pk_mine_1")]).status, 403);
}

#[test]
fn an_address_counts_as_the_trusted_proxy_tells_it_and_as_nobody_else_does() {
    let directory = Arc::new(TempDir::new());
    let key = bearer(&make(&directory, |new| {
        new.networks = vec!["203.0.113.0/24".to_owned(), "2001:db8::/32".to_owned()]
    }));
    let hops = vec!["203.0.113.7"; 1_000].join(", ");
    let cases: [(&str, bool); 12] = [
        ("203.0.113.7", true),
        ("203.0.113.7, 127.0.0.1", true),
        ("198.51.100.1, 203.0.113.7, 127.9.9.9", true),
        ("2001:db8::1", true),
        ("[2001:db8::1]:4711", true),
        ("203.0.113.7:80", true),
        (&hops, true),
        ("203.0.113.7, 198.51.100.1", false),
        ("198.51.100.1", false),
        ("203.0.113.7, garbage", false),
        ("", false),
        ("203.0.113.7, ::ffff:198.51.100.1", false),
    ];
    let trusting = Server::in_directory(Arc::clone(&directory), |config| config.trusted_proxy("127.0.0.0/8"));
    let ask_as = |server: &Server, forwarded: &str, header: &str| {
        ask(server, "POST", "/logs", &[("authorization", &key), (header, forwarded)]).status
    };
    for (forwarded, passes) in cases {
        let status = ask_as(&trusting, forwarded, "x-forwarded-for");
        assert_eq!(status == 200, passes, "{:.60}: {status}", forwarded);
        assert_ne!(ask_as(&trusting, forwarded, "x-real-ip"), 200, "a header that no proxy is known to set");
    }
    trusting.stop();
    let doubting = Server::in_directory(directory, |config| config);
    for (forwarded, _) in cases {
        assert_ne!(
            ask_as(&doubting, forwarded, "x-forwarded-for"),
            200,
            "{:.60}: nobody is trusted",
            forwarded
        );
    }
    println!("FIGURE forwarded.cases {} count", 3 * cases.len());
}

#[test]
fn what_a_key_asks_too_much_of_waits_and_says_how_long() {
    let directory = Arc::new(TempDir::new());
    let limited = bearer(&make(&directory, |new| {
        (new.requests_per_second, new.bytes_per_second) = (Some(5), Some(1_000));
    }));
    let other = bearer(&make(&directory, |_| {}));
    let server = Server::in_directory(Arc::clone(&directory), |config| config.project_bytes_per_day(100_000));
    let send = |key: &str, bytes: usize| {
        let body = json!({"logs": [{"message": "x".repeat(bytes)}]}).to_string();
        server.post("/logs", &[("authorization", key)], body.as_bytes())
    };
    let first = send(&limited, 3_000);
    assert_eq!(first.status, 200, "what a body holds is known once it was read");
    let policy = first.header("ratelimit-policy").unwrap();
    for part in ["\"requests\";q=5;w=1", "\"bytes\";q=1000;qu=\"content-bytes\";w=1", "\"day\";q=100000;"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(first.header("ratelimit").unwrap().contains("\"bytes\";r=0"), "{first:?}");
    let second = send(&limited, 1);
    assert_eq!(second.status, 429, "{second:?}");
    let wait: u64 = second.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "{wait}");
    assert!(second.json()["detail"].as_str().unwrap().contains("bytes"));
    assert_eq!(send(&other, 1).status, 200, "another key of the project is none the worse");
    // A project that has sent its day's worth takes no more, whoever sends.
    assert_eq!(send(&other, 100_000).status, 200);
    let third = send(&other, 1);
    assert_eq!(third.status, 429);
    let wait: u64 = third.header("retry-after").unwrap().parse().unwrap();
    assert!((34_000..52_000).contains(&wait), "until midnight, from noon: {wait}");
    server.clock.set(NOON + 43_200);
    assert_eq!(send(&other, 1).status, 200, "a new day");
}

#[test]
fn what_a_project_sent_today_is_known_after_a_restart() {
    let directory = Arc::new(TempDir::new());
    let key = bearer(&make(&directory, |_| {}));
    let quota = |config: hoplog_collector::Config| config.project_bytes_per_day(10_000);
    let send = |server: &Server, bytes: usize| {
        let body = json!({"logs": [{"message": "x".repeat(bytes)}]}).to_string();
        server.post("/logs", &[("authorization", &key)], body.as_bytes())
    };
    let left = |answer: &Response| -> u64 {
        let text = answer.header("ratelimit").unwrap();
        text.split("\"day\";r=").nth(1).unwrap().parse().unwrap()
    };
    let server = Server::in_directory(Arc::clone(&directory), quota);
    let first = send(&server, 6_000);
    assert_eq!(first.status, 200);
    let server = Server::in_directory(server.stop(), quota);
    let second = send(&server, 6_000);
    assert_eq!(second.status, 200, "less than its day's worth was sent before: {second:?}");
    assert_eq!(left(&second), 0);
    let server = Server::in_directory(server.stop(), quota);
    let third = send(&server, 1);
    assert_eq!(third.status, 429, "{third:?}");
    server.clock.set(NOON + 86_400);
    let next = send(&server, 100);
    assert_eq!(next.status, 200, "a new day");
    // One that is killed has told within a second or two what it counted.
    let told = within_five_seconds(|| {
        let beside = Server::config(directory.path())
            .clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOON + 86_400));
        RUNTIME.block_on(Keys::open(beside).unwrap().sent_today("default")).unwrap() >= 100
    });
    println!("FIGURE keys.day_told_after {} ms", told.as_millis());
}
