//! `cargo xtask bench peers`: hoplog beside what people use for the same, in one run; figures, a table, charts.
//!
//! The package stands outside the workspace, so its build is asked for here alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::callgrind::{Added, Counted};
use super::chart::{self, Bar};
use crate::figure::Figure;
use crate::outcome::{Failure, Outcome, Skip};
use crate::process::{self, Executable};
use crate::workspace::Workspace;

const PACKAGE: &str = "crates/peers";
const DOCS: &str = "docs/performance";

/// A subject as its bench names it, for people, and what of a request it keeps.
struct Peer {
    name: &'static str,
    label: &'static str,
    keeps: &'static str,
}

const fn peer(name: &'static str, label: &'static str, keeps: &'static str) -> Peer {
    Peer { name, label, keeps }
}

const AXUM: [Peer; 10] = [
    peer("axum_empty_layer", "an empty layer", "nothing: what axum pays for any layer"),
    peer(
        "axum",
        "hoplog",
        "20 fields, the headers that are kept, all judged by name and shape; the end of the body",
    ),
    peer("fastrace", "fastrace-axum", "4 fields"),
    peer("opentelemetry_traces", "OpenTelemetry traces", "its middleware's attributes"),
    peer("opentelemetry_logs", "OpenTelemetry logs", "20 attributes"),
    peer("sentry_tower", "sentry-tower", "a transaction with the request's headers"),
    peer("tower_http_json", "TraceLayer, JSON", "a span of 3 fields, an event"),
    peer("tower_http_json_20_fields", "TraceLayer, JSON, 20 fields", "20 fields"),
    peer("emit_otlp", "emit, OTLP", "20 fields"),
    peer("outlet", "outlet", "all headers"),
];

const ACTIX: [Peer; 4] = [
    peer("actix", "hoplog", "as on axum"),
    peer("actix_logger", "Logger", "a line of text: 8 values"),
    peer("tracing_actix_web", "tracing-actix-web, JSON", "a span of 11 fields"),
    peer("sentry_actix", "sentry-actix", "a transaction with the request's headers"),
];

/// By subject: ns, instructions, allocations, bytes.
type Table = BTreeMap<String, [Option<f64>; 4]>;

const COLUMNS: [&str; 4] = ["added_ns", "added_instructions", "added_allocations", "added_bytes"];

pub(super) fn run(workspace: &Workspace) -> Outcome {
    let benches = build(workspace)?;
    let find = |name: &str| {
        let missing = || Failure::new(format!("{PACKAGE} has no bench `{name}`"));
        benches.iter().find(|bench| bench.name == name).ok_or_else(missing)
    };
    let mut figures = Vec::new();
    for name in ["peers", "peers_allocations"] {
        let output = process::stdout(&mut super::command(workspace, &find(name)?.path))?;
        figures.extend(Figure::parse_all(&output));
    }
    let mut skips = Vec::new();
    match process::find_program("valgrind") {
        Some(valgrind) => {
            for (peers, bare, function) in
                [(&AXUM[..], "axum_bare", "*App*answer*"), (&ACTIX[..], "actix_bare", "*actix_apps::call*")]
            {
                let counted = Counted {
                    bench: "peers",
                    subject: "peers",
                    scenarios: &[],
                    added: Added::Each,
                    function,
                };
                let path = &find("peers")?.path;
                let bare = counted.of_one(workspace, &valgrind, path, bare)?;
                for peer in peers {
                    let count = counted.of_one(workspace, &valgrind, path, peer.name)?;
                    let name = format!("{}.added_instructions", prefix(peer.name));
                    figures.push(Figure::new(name, count - bare, "instructions"));
                }
            }
        }
        None => skips.push(Skip::announce(
            "bench instructions",
            "valgrind is not installed (apt-get install valgrind)",
        )),
    }
    figures.iter().for_each(|figure| println!("{figure}"));
    write(workspace, &table(&figures))?;
    Ok(skips)
}

fn build(workspace: &Workspace) -> Result<Vec<Executable>, Failure> {
    let target = workspace.target.join("peers");
    let target = target.to_string_lossy();
    let arguments = ["bench", "--no-run", "--locked", "--target-dir", &*target];
    process::build(&workspace.root.join(PACKAGE), "bench", &arguments)
}

/// What the names of a subject's figures begin with.
fn prefix(name: &str) -> String {
    match name {
        "axum" | "actix" | "axum_empty_layer" => name.to_owned(),
        _ => format!("peer.{name}"),
    }
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    for peer in AXUM.iter().chain(&ACTIX) {
        let of = |column: &str| {
            let name = format!("{}.{column}", prefix(peer.name));
            figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
        };
        table.insert(peer.name.to_owned(), COLUMNS.map(of));
    }
    table
}

fn write(workspace: &Workspace, table: &Table) -> Result<(), Failure> {
    let directory = workspace.root.join(DOCS);
    std::fs::create_dir_all(&directory).map_err(|error| Failure::io("create", &directory, &error))?;
    let mut files = vec![("peers.md", page(table))];
    for (file, title, peers) in [
        ("axum.svg", "CPU time added to a request on axum", &AXUM[..]),
        ("actix.svg", "CPU time added to a request on actix-web", &ACTIX[..]),
    ] {
        let value = |peer: &Peer| table.get(peer.name).and_then(|row| row[0]);
        let bars = peers.iter().filter_map(|peer| {
            let ours = peer.label == "hoplog";
            Some(Bar { label: peer.label.to_owned(), value: value(peer)?, ours })
        });
        files.push((file, chart::svg(title, "ns", &bars.collect::<Vec<_>>())));
    }
    let mut files: Vec<_> = files.into_iter().map(|(name, text)| (directory.join(name), text)).collect();
    let readme = workspace.root.join("README.md");
    let text = std::fs::read_to_string(&readme).map_err(|error| Failure::io("read", &readme, &error))?;
    let missing = || Failure::new(format!("README.md has no `{}` and `{}`", MARKS[0], MARKS[1]));
    files.push((readme, with_table(&text, &rows(table, &AXUM)).ok_or_else(missing)?));
    for (path, text) in files {
        std::fs::write(&path, text).map_err(|error| Failure::io("write", &path, &error))?;
    }
    Ok(())
}

/// What stands around the table in the README.
const MARKS: [&str; 2] = ["<!-- written by `cargo xtask bench peers` -->\n", "<!-- until here -->\n"];

/// The README with another table.
fn with_table(readme: &str, rows: &str) -> Option<String> {
    let (before, rest) = readme.split_once(MARKS[0])?;
    let (_, after) = rest.split_once(MARKS[1])?;
    Some(format!("{before}{}\n{rows}\n{}{after}", MARKS[0], MARKS[1]))
}

fn page(table: &Table) -> String {
    let mut page = String::from(
        "# Beside others\n\n\
         Written by `cargo xtask bench peers`, all in one run, each in a process of its own and in turn: what is added to a\n\
         bare request of the same framework, on the request's own thread. What a peer's background threads do is not in it,\n\
         nor is hoplog's worker. Every subject has to show that all it was given arrived.\n",
    );
    for (title, chart, peers) in [("axum", "axum.svg", &AXUM[..]), ("actix-web", "actix.svg", &ACTIX[..])] {
        let _ =
            write!(page, "\n## {title}\n\n![CPU time added to a request]({chart})\n\n{}", rows(table, peers));
    }
    page
}

fn rows(table: &Table, peers: &[Peer]) -> String {
    let mut rows = String::from(
        "| | keeps of a request | ns | instructions | allocations | bytes |\n|---|---|---:|---:|---:|---:|\n",
    );
    for peer in peers {
        let shown = |value: Option<f64>, decimals: usize| {
            value.map_or("–".to_owned(), |value| format!("{value:.decimals$}"))
        };
        let [ns, instructions, allocations, bytes] = table.get(peer.name).copied().unwrap_or_default();
        let label = if peer.label == "hoplog" { "**hoplog**" } else { peer.label };
        let _ = writeln!(
            rows,
            "| {label} | {} | {} | {} | {} | {} |",
            peer.keeps,
            shown(ns, 0),
            shown(instructions, 0),
            shown(allocations, 1),
            shown(bytes, 0)
        );
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_a_row_for_each_and_a_dash_for_what_was_not_counted() {
        let figures = [
            Figure::new("axum.added_ns", 900.4, "ns"),
            Figure::new("peer.outlet.added_ns", 7_922.0, "ns"),
            Figure::new("peer.outlet.added_allocations", 177.0, "count"),
        ];
        let page = page(&table(&figures));
        assert!(page.contains("| **hoplog** | 20 fields"), "{page}");
        assert!(page.contains("| outlet | all headers | 7922 | – | 177.0 | – |"), "{page}");
        assert_eq!(page.matches("\n| ").count(), AXUM.len() + ACTIX.len() + 2, "{page}");
    }

    #[test]
    fn the_readme_has_the_same_table_as_the_page() {
        let root = Workspace::load().unwrap().root;
        let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
        let page = std::fs::read_to_string(root.join(DOCS).join("peers.md")).unwrap();
        let (_, rest) = page.split_once("| | keeps").unwrap();
        let rows = format!("| | keeps{}\n", rest.split_once("\n\n").unwrap().0);
        assert_eq!(with_table(&readme, &rows).unwrap(), readme);
    }
}
