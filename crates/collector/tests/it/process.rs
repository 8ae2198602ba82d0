//! The program itself: its words, its exit codes, its signals, its sudden death.

use crate::support::{Response, TempDir, request};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) fn hoplog(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hoplog"));
    command.args(arguments).env_remove("HOPLOG_API_KEY").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A running program; killed with this value.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    pub(crate) fn serve(directory: &Path) -> Self {
        Self::serve_with(directory, &[])
    }

    pub(crate) fn serve_with(directory: &Path, more: &[&str]) -> Self {
        let mut child = Self::begin(directory, more);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("hoplog listens on http://").unwrap().parse().unwrap();
        Self { child, address }
    }

    /// Starts it, and does not wait until it serves.
    pub(crate) fn begin(directory: &Path, more: &[&str]) -> Child {
        let plain = ["serve", "--listen", "127.0.0.1:0", "--data-dir", directory.to_str().unwrap()];
        hoplog(&[&plain, more].concat()).spawn().unwrap()
    }

    pub(crate) fn post(&self, body: &[u8]) -> Response {
        request(self.address, "POST", "/logs", &[("content-type", "application/json")], body)
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until_it_no_longer_listens(process: &Process) {
    while std::net::TcpStream::connect(process.address).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs to its end: exit code and stderr.
fn fails(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_keeps_it_from_starting_is_one_line_and_exit_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = TempDir::new();
    let data = directory.path().to_str().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let in_file = file.join("data");
    for (arguments, part) in [
        (
            vec!["--listen", &address, "--data-dir", data],
            "is in use: stop the other process or pass --listen",
        ),
        (vec!["--listen", "0.0.0.0:0", "--data-dir", data], "set HOPLOG_API_KEY, or listen on 127.0.0.1"),
        (vec!["--listen", "192.0.2.1:0", "--data-dir", data], "set HOPLOG_API_KEY"),
        (
            vec!["--listen", "127.0.0.1:0", "--data-dir", in_file.to_str().unwrap()],
            "make it writable or pass --data-dir",
        ),
        (
            vec!["--listen", "127.0.0.1:0", "--store", "oracle://x"],
            "unknown store `oracle`: pass --store sqlite:PATH or --store postgres://USER@HOST/DATABASE",
        ),
        (vec!["--listen", "127.0.0.1:0", "--store", "sqlite:"], "unknown store"),
    ] {
        let arguments = [vec!["serve"], arguments].concat();
        let (code, said) = fails(&mut hoplog(&arguments));
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        assert!(said.starts_with("hoplog: ") && said.contains(part), "{arguments:?}: {said}");
    }
    for arguments in [&["serve", "--prot", "1"][..], &["sevre"], &[]] {
        assert_eq!(fails(&mut hoplog(arguments)).0, Some(2), "{arguments:?}");
    }
    let away = fails(
        hoplog(&["serve", "--listen", "192.0.2.1:0", "--data-dir", data, "--insecure-listen"])
            .env("HOPLOG_API_KEY", "k"),
    );
    assert_eq!(away.0, Some(1), "{away:?}");
    assert!(away.1.contains("cannot listen on 192.0.2.1:0") && away.1.lines().count() == 1, "{away:?}");
}

#[test]
fn a_directory_that_cannot_be_written_to_is_refused() {
    let directory = TempDir::new();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    // The superuser may write all the same; a path below a file stands in for it then (above).
    if std::fs::write(directory.path().join("may"), "").is_err() {
        let data = directory.path().to_str().unwrap();
        let (code, said) = fails(&mut hoplog(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data]));
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{said}");
        assert!(said.contains("make it writable"), "{said}");
    }
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn with_a_key_in_the_environment_it_is_asked_for() {
    let directory = TempDir::new();
    let store = format!("sqlite:{}", directory.path().join("elsewhere").display());
    let mut child = hoplog(&["serve", "--listen", "127.0.0.1:0", "--store", &store])
        .env("HOPLOG_API_KEY", "hl_key")
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("hoplog listens on http://").unwrap().parse().unwrap();
    let process = Process { child, address };
    assert_eq!(request(process.address, "GET", "/stats", &[], b"").status, 401);
    assert_eq!(request(process.address, "GET", "/stats", &[("x-api-key", "hl_key")], b"").status, 200);
    assert!(directory.path().join("elsewhere/LOCK").exists());
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let directory = TempDir::new();
    let (mut acknowledged, mut kills) = (0_u64, 0);
    for round in 0..5 {
        let process = Process::serve(directory.path());
        let found =
            request(process.address, "GET", "/stats", &[], b"").json()["total_logs"].as_u64().unwrap();
        assert!(found >= acknowledged, "{acknowledged} were acknowledged, {found} are there");
        acknowledged = found;
        // Senders at work while the process dies; what was answered counts, the rest may or may not be there.
        let answered: u64 = std::thread::scope(|scope| {
            let address = process.address;
            let senders: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(move || {
                        let logs: Vec<_> = (0..50).map(|n| json!({"message": n})).collect();
                        let body = json!({ "logs": logs }).to_string();
                        let mut answered = 0;
                        for _ in 0..200 {
                            let Ok(response) = std::panic::catch_unwind(|| {
                                request(
                                    address,
                                    "POST",
                                    "/logs",
                                    &[("content-type", "application/json")],
                                    body.as_bytes(),
                                )
                            }) else {
                                break;
                            };
                            if response.status != 200 {
                                break;
                            }
                            answered += 50;
                        }
                        answered
                    })
                })
                .collect();
            // The facts to wait for: some of each round's batches are committed.
            while request(address, "GET", "/stats", &[], b"").json()["total_logs"].as_u64().unwrap()
                < acknowledged + 100 * (round + 1)
            {}
            process.signal("KILL");
            kills += 1;
            senders.into_iter().map(|s| s.join().unwrap()).sum()
        });
        assert!(answered > 0);
        acknowledged += answered;
    }
    let process = Process::serve(directory.path());
    let found = request(process.address, "GET", "/stats", &[], b"").json()["total_logs"].as_u64().unwrap();
    assert!(found >= acknowledged, "{acknowledged} were acknowledged over {kills} kills, {found} are there");
}

#[test]
fn sigterm_drains_and_exits_0() {
    let directory = TempDir::new();
    let mut process = Process::serve(directory.path());
    assert_eq!(process.post(br#"{"logs":[{"message":"a"}]}"#).status, 200);
    // A request whose body is still on its way when the signal comes.
    let mut slow = crate::support::connect(process.address);
    let body = br#"{"logs":[{"message":"under way"}]}"#;
    let head = format!(
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    std::io::Write::write_all(&mut slow, head.as_bytes()).unwrap();
    std::io::Write::write_all(&mut slow, &body[..5]).unwrap();
    process.signal("TERM");
    until_it_no_longer_listens(&process);
    std::io::Write::write_all(&mut slow, &body[5..]).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(process.child.wait().unwrap().code(), Some(0));
    let again = Process::serve(directory.path());
    assert_eq!(request(again.address, "GET", "/stats", &[], b"").json()["total_logs"], 2);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let directory = TempDir::new();
    let mut process = Process::serve(directory.path());
    let mut slow = crate::support::connect(process.address);
    std::io::Write::write_all(&mut slow, b"POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{")
        .unwrap();
    process.signal("INT");
    until_it_no_longer_listens(&process);
    process.signal("INT");
    assert_eq!(process.child.wait().unwrap().code(), Some(130));
}
