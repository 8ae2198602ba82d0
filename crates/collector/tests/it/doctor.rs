//! `hoplog doctor`: what it finds, and its exit codes.

use crate::process::hoplog;
use crate::support::{Server, TempDir};
use serde_json::json;

fn examined(arguments: &[&str]) -> (i32, String) {
    let output = hoplog(&[&["doctor"], arguments].concat())
        .env_remove("HOPLOG_ENDPOINT")
        .env("NO_PROXY", "*")
        .output();
    let output = output.unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_healthy_collector_is_told_to_be_and_a_sick_one_what_to_do() {
    let server = Server::with(|config| config.api_key("hl_key"));
    let url = format!("http://{}", server.address);
    let directory = std::sync::Arc::clone(&server.directory);
    let data = directory.path().to_str().unwrap();
    std::fs::set_permissions(data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let with = |key: &str| examined(&["--url", &url, "--data-dir", data, "--api-key", key]);
    let (code, said) = with("hl_key");
    assert_eq!(code, 0, "{said}");
    for part in ["the key may send entries", "the key may ask", "clock", "it takes entries", "MiB free"] {
        assert!(said.lines().any(|line| line.starts_with("ok ") && line.contains(part)), "{part}: {said}");
    }
    let (code, said) = with("hl_kez");
    assert!(code == 1 && said.contains("wrong  the key is not valid"), "{said}");
    let key = hoplog_entry::ApiKey::compose("live", [1; 9], &[2; 32]).unwrap();
    let (code, said) = with(&key[..key.len() - 2]);
    assert!(code == 1 && said.contains("mistyped or cut off") && !said.contains(&key[8..40]), "{said}");
    let leak =
        json!({"logs": [{"service": "shop", "request_headers": {"authorization": ["Basic aGw6eA=="]}}]});
    let headers = [("authorization", "Bearer hl_key")];
    assert_eq!(server.post("/logs", &headers, leak.to_string().as_bytes()).status, 200);
    let (code, said) = with("hl_key");
    assert!(code == 1 && said.contains("wrong  shop sends what looks like a secret"), "{said}");
    assert!(!said.contains("aGw6eA=="), "{said}");
    server.stop();
    let (code, said) = with("hl_key");
    assert!(code == 1 && said.contains("cannot be reached") && said.contains("hoplog serve"), "{said}");
}

#[test]
fn a_directory_that_others_may_read_or_of_a_newer_hoplog_is_named() {
    let directory = TempDir::new();
    let data = directory.path().to_str().unwrap();
    std::fs::set_permissions(data, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let newer = rusqlite::Connection::open(directory.path().join("logs-2026-03-10.db")).unwrap();
    newer.execute_batch("PRAGMA user_version = 99; CREATE TABLE t (x)").unwrap();
    let (code, said) = examined(&["--data-dir", data]);
    assert_eq!(code, 1);
    assert!(said.contains("chmod 700") && said.contains("newer hoplog"), "{said}");
    let (code, said) = examined(&["--data-dir", data, "--tls-cert", "x", "--store", "what"]);
    assert!(code == 1 && said.contains("go together"), "{said}");
}

#[test]
fn a_database_is_looked_at_too() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let directory = TempDir::new();
    let data = directory.path().to_str().unwrap();
    std::fs::set_permissions(data, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    let url = cluster.database();
    let (code, said) = examined(&["--data-dir", data, "--store", &url]);
    assert!(code == 1 && said.contains("layout: hoplog has no tables here"), "{said}");
    // The shared cluster of the tests does without the disk, and that is named.
    assert!(said.contains("server: fsync or full_page_writes is off"), "{said}");
    let (code, said) = examined(&["--data-dir", data, "--store", "postgres://user:hidden@127.0.0.1:1/none"]);
    assert!(code == 1 && said.contains("PostgreSQL cannot be reached") && !said.contains("hidden"), "{said}");
}

#[test]
fn a_clock_that_is_off_is_named_with_its_direction() {
    use std::io::{Read as _, Write as _};
    for (date, words) in
        [("Sun, 06 Nov 1994 08:49:37 GMT", "behind"), ("Wed, 06 Nov 2094 08:49:37 GMT", "ahead of")]
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer =
            format!("HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4_096]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let directory = TempDir::new();
        let (code, said) = examined(&["--url", &url, "--data-dir", directory.path().to_str().unwrap()]);
        assert!(
            code == 1 && said.contains(&format!("s {words} this machine's")) && said.contains("NTP"),
            "{said}"
        );
    }
}
