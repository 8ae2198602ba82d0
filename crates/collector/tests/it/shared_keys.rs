//! Several collectors on one database: one set of keys, projects and quotas, and one pepper.

use crate::process::hoplog;
use crate::support::{Backend as _, NOON, Postgres, RUNTIME, ServerOn, TempDir};
use hoplog_collector::{Collector, Config, Keys, MadeKey, NewKey};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

type Server = ServerOn<Postgres>;

/// A directory beside another one, on the same database.
fn beside(first: &TempDir) -> Option<Arc<TempDir>> {
    let url = Postgres::store(first.path())?;
    let directory = TempDir::new();
    std::fs::write(directory.path().join("database"), url).unwrap();
    Some(Arc::new(directory))
}

fn on(directory: &TempDir) -> Config {
    Server::config(directory.path())
        .listen("127.0.0.1:0".parse().unwrap())
        .clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(NOON))
}

fn make(directory: &TempDir, change: impl FnOnce(&mut NewKey)) -> MadeKey {
    let mut new = NewKey::default();
    new.scopes.push("query".to_owned());
    change(&mut new);
    RUNTIME.block_on(Keys::open(on(directory)).unwrap().create(new)).unwrap()
}

fn send(server: &Server, key: &MadeKey, bytes: usize) -> u16 {
    let body = json!({"logs": [{"message": "x".repeat(bytes)}]}).to_string();
    server.post("/logs", &[("authorization", &format!("Bearer {}", key.secret))], body.as_bytes()).status
}

fn within_five_seconds(fact: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !fact() {
        assert!(began.elapsed() < Duration::from_secs(5), "not within 5 s");
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

#[test]
fn collectors_on_one_database_share_keys_projects_and_the_days_bytes() {
    let first = Arc::new(TempDir::new());
    let Some(second) = beside(&first) else { return };
    // Made before any collector was there, by the command and its address alone.
    let made = hoplog(&["keys", "create", "--project", "shop", "--json", "--data-dir"])
        .arg(first.path())
        .arg("--store")
        .arg(Postgres::store(first.path()).unwrap())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    std::fs::copy(first.path().join("keys.pepper"), second.path().join("keys.pepper")).unwrap();
    let of_another = make(&first, |new| new.project = "other".to_owned());
    let quota = |config: Config| config.project_bytes_per_day(50_000);
    let servers = [Arc::clone(&first), second].map(|directory| Server::in_directory(directory, quota));
    let later = make(&first, |new| new.project = "shop".to_owned());
    let took = within_five_seconds(|| servers.iter().all(|server| send(server, &later, 1) == 200));
    println!("FIGURE keys.shared_seen_after {} ms", took.as_millis());
    // What one takes in, the other shows to the same project and to no other.
    let shown = |server: &Server, key: &MadeKey| {
        let headers = [("authorization", format!("Bearer {}", key.secret))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = crate::support::request(server.address, "GET", "/api/v1/logs?limit=1000", &headers, b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["logs"].as_array().unwrap().len()
    };
    assert_eq!(shown(&servers[0], &later), shown(&servers[1], &later));
    assert!(shown(&servers[1], &later) >= 2);
    assert_eq!((shown(&servers[0], &of_another), shown(&servers[1], &of_another)), (0, 0));
    // A day's bytes are those through both.
    assert_eq!(send(&servers[0], &later, 60_000), 200);
    let took = within_five_seconds(|| send(&servers[1], &later, 1) == 429);
    println!("FIGURE keys.shared_day_seen_after {} ms", took.as_millis());
    RUNTIME.block_on(Keys::open(on(&first)).unwrap().revoke(&of_another.id)).unwrap();
    let took = within_five_seconds(|| servers.iter().all(|server| send(server, &of_another, 1) != 200));
    println!("FIGURE keys.shared_revoked_after {} ms", took.as_millis());
}

#[test]
fn a_collector_with_another_pepper_says_so_in_place_of_refusing_every_key() {
    let first = Arc::new(TempDir::new());
    let Some(second) = beside(&first) else { return };
    let key = make(&first, |_| {});
    for pepper in [None, Some("another pepper")] {
        let config = pepper.into_iter().fold(on(&second), Config::key_pepper);
        let refused = RUNTIME.block_on(Collector::start(config)).unwrap_err().to_string();
        assert!(refused.contains("another pepper") && refused.contains("HOPLOG_KEY_PEPPER"), "{refused}");
    }
    assert!(!second.path().join("keys.pepper").exists(), "no wrong one is made");
    let refused = RUNTIME.block_on(Keys::open(on(&second)).unwrap().create(NewKey::default())).unwrap_err();
    assert!(refused.to_string().contains("another pepper"), "{refused}");
    std::fs::copy(first.path().join("keys.pepper"), second.path().join("keys.pepper")).unwrap();
    let server = Server::in_directory(second, |config| config);
    assert_eq!(send(&server, &key, 1), 200);
}

#[test]
fn a_collector_that_meets_the_first_key_without_its_pepper_closes_and_opens_with_it() {
    let first = Arc::new(TempDir::new());
    let Some(second) = beside(&first) else { return };
    let server = Server::in_directory(Arc::clone(&second), |config| config);
    assert_eq!(server.get("/stats").status, 200, "open to loopback as long as there is no key");
    let key = make(&first, |_| {});
    within_five_seconds(|| server.get("/stats").status != 200);
    let ready = server.get("/readyz");
    assert!(ready.status == 503 && ready.body.contains("another pepper"), "{ready:?}");
    assert_eq!(send(&server, &key, 1), 401);
    std::fs::copy(first.path().join("keys.pepper"), second.path().join("keys.pepper")).unwrap();
    within_five_seconds(|| send(&server, &key, 1) == 200);
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn keys_of_a_file_are_not_forgotten_in_silence() {
    let directory = TempDir::new();
    if Postgres::store(directory.path()).is_none() {
        return;
    }
    let of_a_file = Config::default().data_dir(directory.path());
    RUNTIME.block_on(Keys::open(of_a_file).unwrap().create(NewKey::default())).unwrap();
    let refused = RUNTIME.block_on(Collector::start(on(&directory))).unwrap_err().to_string();
    assert!(refused.contains("keys.db holds keys") && refused.contains("hoplog keys create"), "{refused}");
    make(&directory, |_| {});
    let running = RUNTIME.block_on(Collector::start(on(&directory))).unwrap();
    RUNTIME.block_on(running.shutdown());
}

#[test]
fn a_database_that_is_away_leaves_the_keys_as_they_were_known() {
    let Some(cluster) = hoplog_testdb::Cluster::start(hoplog_testdb::Sync::Off) else { return };
    let directory = Arc::new(TempDir::new());
    std::fs::write(directory.path().join("database"), cluster.database()).unwrap();
    let key = make(&directory, |_| {});
    let server = Server::in_directory(Arc::clone(&directory), |config| config);
    assert_eq!(send(&server, &key, 1), 200);
    cluster.stop_immediately();
    assert_eq!(send(&server, &key, 1), 503, "the key is good, the store is away");
    assert_eq!(server.get("/stats").status, 401, "and nothing is open");
    within_five_seconds(|| server.get("/readyz").status == 503);
    cluster.start_again();
    within_five_seconds(|| send(&server, &key, 1) == 200);
    RUNTIME.block_on(Keys::open(on(&directory)).unwrap().revoke(&key.id)).unwrap();
    within_five_seconds(|| send(&server, &key, 1) != 200);
}
