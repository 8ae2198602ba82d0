//! PostgreSQL at its limits, for real: a disk without room, a server without a free connection.

use crate::chaos::{figure, skipped};
use crate::support::{NOON, Postgres, ServerOn, TempDir, id_of};
use hoplog_collector::{Config, Limits};
use hoplog_testdb::{Cluster, Sync};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Server = ServerOn<Postgres>;

/// A collector on a database of a cluster that no other test has.
fn collector(url: &str, change: impl FnOnce(Config) -> Config) -> Server {
    let directory = Arc::new(TempDir::new());
    std::fs::write(directory.path().join("database"), url).unwrap();
    Server::in_directory(directory, change)
}

/// A file system in memory, taken away with this.
struct Disk(PathBuf);

impl Disk {
    /// `None`, said aloud, where nothing may be mounted.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(at).output();
        if mounted.is_ok_and(|mount| mount.status.success()) {
            return Some(Self(at.to_owned()));
        }
        skipped("a full disk of PostgreSQL's", "no tmpfs can be mounted here");
        None
    }

    fn resize(&self, size: &str) {
        let options = format!("remount,{size}");
        let done = Command::new("mount").args(["-o", &options]).arg(&self.0).status();
        assert!(done.unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_507_and_what_was_acknowledged_is_there_and_more_is_taken_once_there_is_room() {
    let root = TempDir::new();
    std::fs::set_permissions(root.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let Some(disk) = Disk::mount(&root.path().join("disk"), "size=16m") else { return };
    // Dropped before its disk is.
    let Some(cluster) = Cluster::start(Sync::Off) else { return };
    cluster.programs().give(&disk.0);
    let url = cluster.database();
    let (database, at) = (url.rsplit('/').next().unwrap(), disk.0.display());
    cluster.sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{at}'"));
    cluster.sql("postgres", &format!("ALTER DATABASE {database} SET default_tablespace = 'small'"));
    let server = collector(&url, |config| config);
    let batch = |n: usize| {
        let text = "x".repeat(1_000);
        let logs: Vec<_> = (0..500).map(|i| json!({"message": format!("{n} {i}"), "path": text})).collect();
        json!({ "logs": logs }).to_string()
    };
    let (mut taken, mut refused) = (0, None);
    for n in 0..100 {
        let answer = server.post("/logs", &[], batch(n).as_bytes());
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
        taken += 500;
    }
    let answer = refused.expect("more than the disk holds");
    assert_eq!((answer.status, answer.header("retry-after").is_some()), (507, true), "{answer:?}");
    assert!(answer.body.contains("no room on PostgreSQL's disk"), "{answer:?}");
    assert!(taken > 1_000, "{taken}");
    figure("postgresql_full.acknowledged", taken, "count");
    assert_eq!(server.get("/stats").json()["stored"], taken, "questions are answered");
    assert_eq!(server.post("/logs", &[], batch(100).as_bytes()).status, 507, "as long as it is full");
    disk.resize("size=64m");
    let again = server.post("/logs", &[], batch(taken / 500).as_bytes());
    assert_eq!(again.json()["accepted"], 500, "{again:?}");
    assert_eq!(server.get("/stats").json()["stored"], taken + 500);
    assert_eq!(cluster.sql(&url, "SELECT count(*) FROM logs"), (taken + 500).to_string());
    drop(server);
}

#[test]
fn without_a_free_connection_it_is_503_until_there_is_one() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let url = cluster.database();
    let (server_part, database) = url.rsplit_once('/').unwrap();
    let role = format!("of_{database}");
    cluster.sql("postgres", &format!("CREATE ROLE {role} LOGIN; ALTER DATABASE {database} OWNER TO {role}"));
    cluster.sql(&url, &format!("ALTER SCHEMA public OWNER TO {role}"));
    let theirs = format!("{}/{database}", server_part.replace("postgres@", &format!("{role}@")));
    let server = collector(&theirs, |config| config);
    server.send(json!([{"message": "before"}]));
    // A superuser's would be above the limit.
    let limit = |most: i32| {
        let ended =
            format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{role}'");
        cluster.sql("postgres", &format!("ALTER ROLE {role} CONNECTION LIMIT {most}"));
        cluster.sql("postgres", &ended).parse::<usize>().unwrap()
    };
    assert!(limit(0) > 0, "it had connections");
    let body = json!({"logs": [{"id": id_of(NOON), "message": "meanwhile"}]}).to_string();
    for _ in 0..3 {
        let refused = server.post("/logs", &[], body.as_bytes());
        assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true), "{refused:?}");
        assert!(refused.body.contains("too many connections"), "{refused:?}");
    }
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 503);
    limit(-1);
    let taken = server.post("/logs", &[], body.as_bytes());
    assert_eq!((taken.status, &taken.json()["accepted"]), (200, &json!(1)), "{taken:?}");
    assert_eq!(server.get("/stats").json()["stored"], 2);
}

/// Processes that stand still until this is dropped.
struct Still(Vec<String>);

impl Still {
    fn signal(&self, signal: &str) -> bool {
        Command::new("kill").arg(signal).args(&self.0).status().is_ok_and(|status| status.success())
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

#[test]
fn a_server_that_says_nothing_any_more_is_asked_over_another_connection() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let url = cluster.database();
    let mut limits = Limits::default();
    limits.store_time = Duration::from_millis(500);
    let server = collector(&url, |config| config.postgres_writers(1).limits(limits));
    server.send(json!([{"message": "before"}]));
    let writers = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query = 'COMMIT'";
    let still = Still(cluster.sql(&url, writers).lines().map(str::to_owned).collect());
    assert!(still.0.len() == 1 && still.signal("-STOP"), "{:?}", still.0);
    let begun = Instant::now();
    let answer = server.send(json!([{"id": id_of(NOON), "message": "meanwhile"}]));
    assert_eq!(answer["accepted"], 1);
    assert!(begun.elapsed() >= Duration::from_millis(500), "the one that is still was asked");
    let metrics = server.get("/metrics").body;
    assert!(metrics.contains("hoplog_store_commits_unknown_total 1"), "{metrics}");
    drop(still);
    assert_eq!(server.get("/stats").json()["stored"], 2);
}
