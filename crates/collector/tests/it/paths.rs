//! Names that mean other places, in every spot where a name can be said: nothing is read or written beside the data
//! directory.

use crate::chaos::figure;
use crate::process::hoplog;
use crate::support::{NOON, RUNTIME, Server, TempDir, exchange, id_of};
use hoplog_collector::{Collector, Config};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const CANARY: &str = "what-no-answer-holds-7c1f";

/// A few ways up and away.
const NAMES: [&str; 20] = [
    "../secret.txt",
    "../../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    "..%252fsecret.txt",
    "..\\secret.txt",
    "..%5csecret.txt",
    "....//secret.txt",
    "./../secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "file:///etc/passwd",
    "..;/secret.txt",
    "secret.txt%00.js",
    "%c0%ae%c0%ae/secret.txt",
    "%uff0e%uff0e/secret.txt",
    "keys.pepper",
    "~/secret.txt",
];

/// Every file below a directory, with its bytes.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    all
}

#[test]
fn no_name_leads_out_of_the_data_directory() {
    let around = Arc::new(TempDir::new());
    std::fs::write(around.path().join("secret.txt"), CANARY).unwrap();
    let data = around.path().join("data");
    let server = Server::in_directory(Arc::clone(&around), |config| config.data_dir(&data));
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let passwd = passwd.lines().next().unwrap_or("no such file");
    let before: Vec<String> =
        files(around.path()).into_keys().filter(|name| !name.contains("/data/")).collect();
    let (mut cases, mut leaks) = (0, 0);
    let leaked = |said: &str| said.contains(CANARY) || said.contains(passwd);
    let places = [
        "/assets/",
        "/",
        "/api/v1/logs/",
        "/api/v1/traces/",
        "/api/v1/export?service=",
        "/api/v1/logs?path=",
        "/reference/",
        "/openapi.json/",
        "/api/v1/logs?cursor=",
    ];
    for name in NAMES {
        for place in places {
            // As it stands: no client of ours would send it so.
            let head = format!("GET {place}{name} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
            let answer = exchange(server.address, head.as_bytes());
            assert!(answer.status < 500, "{place}{name}: {answer:?}");
            leaks += usize::from(leaked(&answer.body));
            cases += 1;
        }
        // In what entries say, and senders of themselves.
        let entry = json!({"id": id_of(NOON), "message": name, "service": name, "path": name, "file_path": name, "trace_id": name,
                           "user_id": name, "log_type": name, "host": name, "metadata": {name: name}});
        let body = json!({"logs": [entry], "boot_id": name, "batch_id": name, "source": {"service": name, "host": name}});
        let answer = server.post("/logs", &[], body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        cases += 1;
        // As a project.
        let config = Config::default().data_dir(&data).listen("127.0.0.1:0".parse().unwrap());
        let refused = RUNTIME.block_on(Collector::start(config.open_from(format!("127.0.0.1/32={name}"))));
        let is_plain = name == "keys.pepper";
        assert!(refused.is_err(), "{name}: while the first one runs, nothing is opened in any case");
        assert!(is_plain || refused.unwrap_err().to_string().contains("is no name of a project"), "{name}");
        for arguments in [
            &["store", "export", "--project", name][..],
            &["store", "check", "--project", name],
            &["keys", "list", "--project", name],
        ] {
            let output = hoplog(arguments).arg("--data-dir").arg(&data).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            leaks += usize::from(leaked(&said));
            cases += 1;
        }
    }
    let after = files(around.path());
    assert!(
        after.iter().any(|(name, _)| name.contains("/data/logs-")),
        "it kept something: {:?}",
        after.keys()
    );
    let outside: Vec<String> = after.into_keys().filter(|name| !name.contains("/data/")).collect();
    assert_eq!(outside, before, "nothing is made or taken away beside it");
    assert_eq!(std::fs::read_to_string(around.path().join("secret.txt")).unwrap(), CANARY);
    figure("paths.cases", cases, "count");
    figure("paths.leaks", leaks, "count");
    assert_eq!(leaks, 0);
    // The controls: what is looked for is seen where it is, in an answer and beside the directory.
    server.send(json!([{"message": CANARY}]));
    assert!(leaked(&server.get("/api/v1/logs?limit=1").body));
    std::fs::write(around.path().join("more.txt"), "").unwrap();
    assert!(files(around.path()).into_keys().filter(|name| !name.contains("/data/")).ne(before));
}
