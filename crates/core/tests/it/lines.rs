//! Entries as lines, in a file and on the console.

use std::path::{Path, PathBuf};

use hoplog::{Client, Console, Outcome, RequestHead};
use hoplog_testkit::scripted::Scripted;
use serde_json::Value;

use crate::support::{LONG, builder, child, in_a_child, send};

/// A file that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.0).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn client(file: &Scratch) -> Client {
    builder("http://127.0.0.1:9").without_collector().file(&file.0).build().unwrap()
}

/// A request by `GET /users/7?token=…`, answered with 200.
fn request(client: &Client) {
    let head = RequestHead {
        method: "GET",
        path: "/users/7",
        query: Some("token=hunter2"),
        route: Some("/users/{id}"),
        http_version: "1.1",
        ..RequestHead::default()
    };
    let mut exchange = client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
    exchange.response(200, std::iter::empty::<(&str, &[u8])>(), Some(0));
    exchange.finish(Outcome::Completed);
}

#[test]
fn a_file_gets_a_json_object_per_entry_with_the_source_in_each() {
    let file = Scratch::new("entries.jsonl");
    let client = client(&file);
    send(&client, 2);
    request(&client);
    assert_eq!(client.flush_blocking(LONG).unwrap().delivered, 3);
    let lines = file.lines();
    assert_eq!(lines.len(), 3);
    for line in &lines {
        assert_eq!((&line["service"], &line["environment"]), (&"shop".into(), &"test".into()));
        assert_eq!(line["pid"], std::process::id());
    }
    assert_eq!(lines.iter().filter(|line| line["message"] == "an entry").count(), 2);
    let request = lines.iter().find(|line| line["kind"] == "request").unwrap();
    assert_eq!(request["message"], "GET /users/{id} 200");
    assert_eq!(request["query"], "token=[redacted]");
    crate::support::assert_settled(&client, 3, 0);
}

#[test]
fn a_file_is_appended_to_and_readable_by_its_owner_alone() {
    let file = Scratch::new("appended.jsonl");
    for _ in 0..2 {
        let client = client(&file);
        send(&client, 1);
    }
    assert_eq!(file.lines().len(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_cannot_be_opened_is_a_complaint_that_names_it() {
    let error = builder("http://127.0.0.1:9").file("/nowhere/entries.jsonl").build().unwrap_err();
    assert!(error.is_config());
    assert!(error.complaints()[0].contains("`file` /nowhere/entries.jsonl"), "{error}");
}

#[test]
fn a_file_and_a_collector_each_get_everything_and_count_for_themselves() {
    let (file, collector) = (Scratch::new("both.jsonl"), Scripted::start([]));
    let client = builder(collector.url()).file(&file.0).build().unwrap();
    send(&client, 5);
    client.flush_blocking(LONG).unwrap();
    assert_eq!((file.lines().len(), collector.entries().len()), (5, 5));
    let stats = client.stats();
    let delivered: Vec<(&str, u64)> =
        stats.destinations.iter().map(|d| (d.name.as_str(), d.delivered)).collect();
    assert_eq!(delivered, [("collector", 5), ("file", 5)]);
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_full_disk_takes_is_counted() {
    let client = builder("http://127.0.0.1:9").without_collector().file("/dev/full").build().unwrap();
    send(&client, 5);
    let report = client.flush_blocking(LONG).unwrap();
    assert_eq!((report.delivered, report.dropped, report.left), (0, 5, 0));
    crate::support::assert_settled(&client, 0, 5);
}

fn on_the_console(console: Console) {
    let client = builder("http://127.0.0.1:9").without_collector().console(console).build().unwrap();
    client.warn("low on tea").field("cups", 1).send();
    request(&client);
}

/// What the child printed, but for what the test harness says around it.
fn printed(output: std::process::Output, ours: impl Fn(&str) -> bool) -> Vec<String> {
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| ours(line)).map(ToOwned::to_owned).collect()
}

#[test]
fn the_console_gets_json_lines() {
    let output = in_a_child("lines::the_console_gets_json_lines", || on_the_console(Console::Json));
    let lines = printed(output, |line| line.starts_with('{'));
    let entries: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["message"], "low on tea");
    assert_eq!(entries[0]["metadata"]["cups"], 1);
    assert_eq!(entries[1]["route"], "/users/{id}");
}

#[test]
fn the_console_gets_a_readable_line_each_without_colours_where_nobody_sees_them() {
    let output = in_a_child(
        "lines::the_console_gets_a_readable_line_each_without_colours_where_nobody_sees_them",
        || on_the_console(Console::Text),
    );
    let lines = printed(output, |line| line.contains("tea") || line.contains("GET"));
    let [event, request] = &lines[..] else { panic!("two lines, not {lines:?}") };
    assert!(event.contains(" WARN  low on tea cups=1"), "{event}");
    assert!(request.contains(" INFO  GET /users/{id} 200 "), "{request}");
    assert!(request.contains("ms") && request.contains("trace="), "{request}");
    assert!(!lines.concat().contains(['\x1b', '\r']));
    assert!(!lines.concat().contains("hunter2"));
}

/// Runs the test's child where standard output is a terminal; `None` where the system has no `script`.
#[cfg(target_os = "linux")]
fn on_a_terminal(child: &std::process::Command, variables: [(&str, &str); 2]) -> Option<String> {
    let mut script = std::process::Command::new("script");
    let words = std::iter::once(child.get_program()).chain(child.get_args());
    let command: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    script.args(["-qec", &command.join(" "), "/dev/null"]).envs(variables);
    script.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = script.stdin(std::process::Stdio::null()).output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_colours_unless_it_or_its_user_wants_none() {
    let child = child("lines::a_terminal_gets_colours_unless_it_or_its_user_wants_none", || {
        on_the_console(Console::Auto);
    });
    for (term, no_color, colours) in [("xterm", "", true), ("dumb", "", false), ("xterm", "1", false)] {
        let Some(text) = on_a_terminal(&child, [("TERM", term), ("NO_COLOR", no_color)]) else {
            eprintln!("skipped: this system has no `script` to make a terminal");
            return;
        };
        let line = text.lines().find(|line| line.contains("low on tea")).unwrap();
        assert!(line.contains("WARN") && line.contains(" cups=1"), "{line}");
        assert_eq!(line.contains("\x1b[33m"), colours, "{term} {no_color}: {line:?}");
    }
}

#[test]
fn an_entry_is_one_line_however_its_fields_are_laid_out() {
    let file = Scratch::new("raw.jsonl");
    let client = client(&file);
    let raw =
        serde_json::value::RawValue::from_string("{\n  \"a\": \"b\\n\",\r\n  \"c\": 1\n}".into()).unwrap();
    client.info("raw").field("raw", raw).send();
    client.flush_blocking(LONG).unwrap();
    let lines = file.lines();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["metadata"]["raw"], serde_json::json!({"a": "b\n", "c": 1}));
}

#[test]
fn a_console_that_nobody_reads_holds_up_neither_the_collector_nor_the_end() {
    let mut child =
        child("lines::a_console_that_nobody_reads_holds_up_neither_the_collector_nor_the_end", || {
            let collector = Scripted::start([]);
            let client = builder(collector.url()).console(Console::Json).build().unwrap();
            // Far more than a pipe holds.
            send(&client, 5_000);
            client.flush_blocking(std::time::Duration::from_millis(500)).unwrap();
            hoplog_testkit::facts::fact_blocking("the collector has everything", || {
                (collector.entries().len() == 5_000).then_some(())
            });
            let console = client.stats().destinations.into_iter().find(|d| d.name == "console").unwrap();
            assert!(console.queued > 0, "the pipe took all of it, which shows nothing: {console:?}");
            drop(client);
        });
    let started = std::time::Instant::now();
    let mut child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let status = hoplog_testkit::facts::fact_blocking("the child ends", || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
    assert!(started.elapsed() < LONG / 2, "{:?}", started.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn a_console_that_cannot_take_more_at_the_moment_is_waited_for() {
    use std::io::{BufRead as _, Read as _};
    let name = "lines::a_console_that_cannot_take_more_at_the_moment_is_waited_for";
    let mut child = child(name, || {
        let client = builder("http://unused").without_collector().console(Console::Json).build().unwrap();
        // Far more than a pipe holds.
        send(&client, 2_000);
        client.flush_blocking(std::time::Duration::from_millis(300)).unwrap();
        eprintln!("full");
        assert_eq!(client.flush_blocking(LONG).unwrap().left, 0);
        crate::support::assert_settled(&client, 2_000, 0);
    });
    // Who shares a terminal or a pipe may have set it to be non-blocking.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    let (writes, reads) = tokio::net::unix::pipe::pipe().unwrap();
    let mut process = child
        .stdout(writes.into_nonblocking_fd().unwrap())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child);
    let said = std::io::BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = said.take_while(|line| line != "full").collect();
    let mut text = String::new();
    std::fs::File::from(reads.into_blocking_fd().unwrap()).read_to_string(&mut text).unwrap();
    assert!(process.wait().unwrap().success(), "{said:?}");
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let entries: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 2_000);
}
