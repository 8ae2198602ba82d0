//! What an entry says never acts upon the terminal that shows it.

use crate::support::{NOON, Server};
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Every control character but NUL (which no store keeps), what reorders or hides text, and what terminals are made to do.
fn hostile() -> Vec<String> {
    let controls = (1..=0x9f).filter_map(char::from_u32).filter(|c| c.is_control());
    let others =
        [0xad, 0x61c, 0x180e, 0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff, 0xfff9, 0xe0001, 0xe0041];
    let others = others.into_iter().chain(0x202a..=0x202e).chain(0x2066..=0x2069).filter_map(char::from_u32);
    let mut all: Vec<String> = controls.chain(others).map(|c| format!("a{c}b")).collect();
    all.extend(
        [
            "\u{1b}]8;;http://evil.example\u{1b}\\click\u{1b}]8;;\u{1b}\\",
            "\u{1b}]52;c;cm0gLXJmIC8=\u{7}",
            "\u{9d}52;c;cm0gLXJmIC8=\u{9c}",
            "\u{1b}[2J\u{1b}[H\u{1b}[31;1mroot#",
            "\u{9b}31mred",
            "\u{1b}P$q\"p\u{1b}\\",
            "\u{1b}]0;title\u{7}",
            "user \u{202e}gnp.exe",
            "line\r\n2026-03-10T12:00:00.000Z FATAL forged",
        ]
        .map(str::to_owned),
    );
    all
}

fn entries() -> Value {
    hostile()
        .iter()
        .enumerate()
        .flat_map(|(n, text)| {
            let at = NOON as f64 + n as f64 / 1e3;
            [
                json!({"message": text, "service": text, "level": "ERROR", "error_type": text, "error_message": text, "created_at": at,
                       "trace_id": TRACE, text.as_str(): text, "metadata": {text.as_str(): {text.as_str(): text}}}),
                json!({"kind": "request", "method": text, "path": text, "route": text, "query": text, "service": text, "created_at": at,
                       "trace_id": TRACE, "span_id": text, "status_code": 200}),
            ]
        })
        .collect()
}

/// What is printed, through a terminal if `watched`.
fn printed(server: &Server, arguments: &[&str], watched: bool) -> Option<Vec<u8>> {
    let url = format!("http://{}", server.address);
    let program = env!("CARGO_BIN_EXE_hoplog");
    let mut command = if watched {
        let line = [&[program][..], arguments, &["--url", &url]].concat().join(" ");
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm-256color").env_remove("NO_COLOR");
        command
    } else {
        let mut command = Command::new(program);
        command.args(arguments).args(["--url", &url]);
        command
    };
    command.env_remove("HOPLOG_API_KEY").env("NO_PROXY", "*").stdin(Stdio::null());
    let output = command.output().ok()?;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// Whether all of it is visible but for line ends and, if there are, our own colours.
fn is_harmless(bytes: &[u8], colours: bool) -> Result<usize, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    let mut rest = text.to_owned();
    if colours {
        // A terminal makes CR LF of a line's end.
        rest = rest.replace("\r\n", "\n");
        for code in ["0", "1", "2", "31", "32", "33", "34", "36"] {
            rest = rest.replace(&format!("\u{1b}[{code}m"), "");
        }
    }
    let hidden = |c: &char| *c != '\n' && hoplog_entry::is_hidden(*c);
    match rest.char_indices().find(|(_, c)| hidden(c)) {
        Some((at, c)) => {
            Err(format!("{c:?} after {:?}", &rest[..at].chars().rev().take(40).collect::<String>()))
        }
        None => Ok(bytes.len()),
    }
}

#[test]
fn no_byte_of_an_entry_reaches_a_terminal_but_as_text() {
    let server = Server::start();
    server.send(entries());
    let mut bytes = 0;
    let lines = ["query", "--limit", "1000"];
    let json = ["query", "--limit", "1000", "--json"];
    let trace = ["query", "--trace", TRACE];
    let trace_json = ["query", "--trace", TRACE, "--json"];
    for arguments in [&lines[..], &json, &trace, &trace_json] {
        let out = printed(&server, arguments, false).unwrap();
        bytes += is_harmless(&out, false).unwrap_or_else(|why| panic!("{arguments:?}: {why}"));
    }
    let count = printed(&server, &lines, false).unwrap().iter().filter(|b| **b == b'\n').count();
    assert_eq!(count, hostile().len() * 2, "a line per entry: none of them makes another");
    match printed(&server, &lines, true) {
        Some(out) => {
            assert!(out.contains(&0x1b), "colours, as a control");
            bytes += is_harmless(&out, true).unwrap_or_else(|why| panic!("on a terminal: {why}"));
            assert!(is_harmless(&out, false).is_err(), "a control: what acts upon a terminal is seen");
        }
        None => println!("SKIPPED colours on a terminal: script is not installed (apt-get install bsdutils)"),
    }
    println!("FIGURE collector.terminal_bytes_tested {bytes} B");
    println!("FIGURE collector.terminal_texts {} count", hostile().len());
}
