//! `hoplog store`: a store without its collector.

use super::Server;
use crate::support::NOON;
use serde_json::{Value, json};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;

/// Its exit code, stdout and stderr.
fn store(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hoplog"));
    let output = command
        .arg("store")
        .args(arguments)
        .args(["--data-dir", directory.to_str().unwrap()])
        .envs(Server::store(directory).map(|url| ("HOPLOG_STORE", url)))
        .env_remove("HOPLOG_CONFIG")
        .env_remove("HOPLOG_API_KEY")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_store_is_counted_checked_exported_and_deleted_from() {
    let server = Server::start();
    let entry = |n: u64| json!({"message": format!("m{n}"), "user_id": format!("u{}", n % 4), "service": "shop", "created_at": NOON - n});
    server.send((0..1_000).map(entry).collect());
    // Beside a collector: read-only, or not at all; a database has room for both.
    let (code, out, err) = store(server.directory.path(), &["check"]);
    let is_a_file = server.files().is_some();
    assert!(out.ends_with(" ok\n"), "{out} {err}");
    assert_eq!(code, i32::from(!is_a_file), "only the days around the test's own noon are there: {out}");
    if is_a_file {
        let (code, _, err) = store(server.directory.path(), &["delete", "--user-id", "u1", "--yes"]);
        assert!(code == 1 && err.contains("in use by another collector"), "{err}");
    } else {
        let (_, out, _) = store(server.directory.path(), &["stats"]);
        assert!(out.contains("\"stored\":1000"), "{out}");
    }
    let directory = server.stop();
    let path = directory.path();
    let stats: Value = serde_json::from_str(&store(path, &["stats"]).1).unwrap();
    assert_eq!(
        (&stats["totals"]["stored"], &stats["services"][0]["service"]),
        (&json!(1_000), &json!("shop"))
    );
    let (code, out, _) = store(path, &["export", "--user-id", "u1"]);
    assert_eq!((code, out.lines().count()), (0, 250));
    assert!(out.lines().all(|line| serde_json::from_str::<Value>(line).unwrap()["user_id"] == "u1"));
    let (code, out, _) = store(path, &["delete", "--user-id", "u1"]);
    assert_eq!((code, out.as_str()), (0, "250 entries would be deleted: pass --yes to do it\n"));
    assert_eq!(store(path, &["export"]).1.lines().count(), 1_000);
    assert_eq!(store(path, &["delete", "--user-id", "u1", "--yes"]).1, "250 entries are deleted\n");
    assert_eq!(store(path, &["export"]).1.lines().count(), 750);
    for (arguments, part) in [
        (&["delete", "--yes"][..], "a filter is needed"),
        (&["export", "--level", "loud"], "`level` is `loud`"),
        (&["stats", "--project", "nobody"], "there is no project `nobody`"),
    ] {
        let (code, _, err) = store(path, arguments);
        assert!(code == 1 && err.contains(part), "{arguments:?}: {err}");
    }
    if !is_a_file {
        return;
    }
    // A page in the middle of the file, spoiled.
    let day = std::fs::read_dir(path).unwrap().map(|f| f.unwrap().path()).find(|p| {
        p.file_name().unwrap().to_str().is_some_and(|name| name.starts_with("logs-") && name.ends_with(".db"))
    });
    let mut file = std::fs::OpenOptions::new().write(true).open(day.unwrap()).unwrap();
    file.seek(SeekFrom::Start(5 * 4_096)).unwrap();
    file.write_all(&[0x5a; 4_096]).unwrap();
    let (code, out, _) = store(path, &["check"]);
    assert!(code == 1 && !out.ends_with(" ok\n"), "{out}");
}
