//! `cargo xtask chaos`: the runs of faults in their large forms, each with its oracle and its figures.
//!
//! The tests themselves stand in their packages and run in a fast form with `cargo xtask test`; here they find
//! `HOPLOG_CHAOS` in their environment, and are built as what users run is, with `--release`. A new run is a line in [`RUNS`].

use std::time::Instant;

use crate::figure::Figure;
use crate::outcome::{Failure, Outcome, Skip};
use crate::process::{cargo, stdout};

pub(crate) const HELP: &str = "\
usage: cargo xtask chaos [--only <run>]... [--list]

Kills, fills, floods and cuts off what the fast tests only touch, and prints how often each fault fired and what
was missing afterwards. Stops at the first run that fails (exit code 1). What needs what is not here is SKIPPED aloud.

  --only <run>  this run alone; may be given several times
  --list        name the runs";

/// Tests whose names hold `filter`, in one target of a package.
struct Run {
    name: &'static str,
    what: &'static str,
    package: &'static str,
    target: Target,
    filter: &'static str,
}

/// Where tests stand.
enum Target {
    /// In the sources of the library.
    Lib,
    /// In a program of this name.
    Test(&'static str),
}

const RUNS: &[Run] = &[
    journey(
        "app-kill",
        "an application is killed 200 times, the collector comes and goes",
        "chaos::app_kills::",
    ),
    collector(
        "collector-kill",
        "the collector is killed 200 times under load, on each store",
        "chaos::kills::",
    ),
    collector(
        "postgresql",
        "PostgreSQL restarts as after a crash 100 times, and ends connections 100 times, under load",
        "chaos::restarts::",
    ),
    journey("power-cut", "the power of a disk is cut 50 times (root only)", "chaos::power_cut::"),
    journey("failing-disk", "calls to the disk fail, one in each of 120 runs", "chaos::injected::"),
    journey("disk-troubles", "disks that are full, read-only, gone, forbidden", "chaos::disk_troubles::"),
    journey(
        "outage",
        "the collector is away for 10 minutes at 1 000 entries/s, and for too long",
        "chaos::outage::",
    ),
    journey("shutdown", "SIGTERM with a collector that is alive, gone or silent", "chaos::sigterm::"),
    journey("both-killed", "everything at once for 30 minutes", "chaos::both_killed::"),
    journey("request-path", "requests with the collector dead and up, in pairs", "chaos::request_path::"),
    journey("soak", "30 minutes at 2 000 entries/s with 15 outages", "chaos::soak::"),
    collector("collector-drain", "SIGTERM under load, 20 times", "chaos::drain::"),
    Run {
        name: "connections",
        what: "connections are cut, left half open, slow, closed when silent: 15 000 requests",
        package: "hoplog",
        target: Target::Test("it"),
        filter: "faults::",
    },
    Run {
        name: "vanished-peer",
        what: "a peer whose network ends under an open connection (root only)",
        package: "hoplog",
        target: Target::Lib,
        filter: "vanished::",
    },
    collector("bombs", "2 000 compression bombs, 200 at once", "chaos::bombs::"),
    collector("malformed", "360 000 malformed bodies, in every protocol", "chaos::malformed"),
    collector("tls-handshakes", "2 000 handshakes that never end", "tls::handshakes"),
    collector("slow-clients", "2 000 connections that do nothing", "chaos::slow::"),
    Run {
        name: "courses",
        what: "300 courses of sends, waits, outages, ends and starts against a model",
        package: "hoplog",
        target: Target::Test("it"),
        filter: "course::",
    },
    Run {
        name: "races",
        what: "20 000 random schedules of eight producers and the worker",
        package: "hoplog-models",
        target: Target::Test("shuffled"),
        filter: "whatever_races",
    },
    Run {
        name: "ledger",
        what: "10 million moves of sixteen threads in the ledger",
        package: "hoplog",
        target: Target::Lib,
        filter: "ledger::tests::whatever",
    },
    Run {
        name: "key-timing",
        what: "how long a key is judged tells nothing of it: 100 000 judgements, alone on the machine",
        package: "hoplog-collector",
        target: Target::Lib,
        filter: "keys::ring::tests::how_long",
    },
    collector("scans", "acknowledgements beside questions that read everything, in turns", "chaos::scans::"),
    collector(
        "both-stores",
        "100 000 entries, odd ones among them, asked for on each store",
        "both_stores::",
    ),
];

const fn collector(name: &'static str, what: &'static str, filter: &'static str) -> Run {
    Run { name, what, package: "hoplog-collector", target: Target::Test("it"), filter }
}

/// Programs that the tests of `journeys` start: an application, a collector.
const fn journey(name: &'static str, what: &'static str, filter: &'static str) -> Run {
    Run { name, what, package: "journeys", target: Target::Test("it"), filter }
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    if arguments == ["--list"] {
        for run in RUNS {
            println!("{:<17}{}", run.name, run.what);
        }
        return Ok(Vec::new());
    }
    let runs = chosen(arguments)?;
    let mut skips = Vec::new();
    for run in runs {
        println!("\n=== {}: {}", run.name, run.what);
        let begun = Instant::now();
        skips.extend(report(run, &output(run)?)?);
        println!("{}: passed in {:.1} s", run.name, begun.elapsed().as_secs_f64());
    }
    Ok(skips)
}

fn chosen(arguments: &[String]) -> Result<Vec<&'static Run>, Failure> {
    let mut runs = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument != "--only" {
            return Err(Failure::Usage(format!("`cargo xtask chaos` has no option `{argument}`")));
        }
        let name = arguments.next().ok_or_else(|| Failure::Usage("--only needs the name of a run".into()))?;
        let run = RUNS.iter().find(|run| run.name == name);
        runs.push(run.ok_or_else(|| Failure::Usage(format!("there is no run `{name}`: see --list")))?);
    }
    Ok(if runs.is_empty() { RUNS.iter().collect() } else { runs })
}

/// One after the other: a fault of one run is not to disturb the next.
fn output(run: &Run) -> Result<String, Failure> {
    let mut command = cargo();
    command.args(["test", "--release", "--package", run.package]);
    match run.target {
        Target::Lib => command.arg("--lib"),
        Target::Test(name) => command.args(["--test", name]),
    };
    command.args(["--", "--nocapture", "--test-threads=1", run.filter]).env("HOPLOG_CHAOS", "large");
    stdout(&mut command)
}

/// Prints the figures and gives back what was skipped. A run that printed neither did nothing.
fn report(run: &Run, output: &str) -> Outcome {
    // The name of a test stands before the first line that it prints.
    let lines = || output.lines().map(|line| line.split_once(" ... ").map_or(line, |(_, said)| said));
    let figures = Figure::parse_all(&lines().collect::<Vec<_>>().join("\n"));
    for figure in &figures {
        println!("{figure}");
    }
    let skipped = lines().filter_map(|line| line.strip_prefix("SKIPPED ")?.split_once(": "));
    let skips: Vec<Skip> = skipped.map(|(what, why)| Skip::announce(what, why)).collect();
    match figures.is_empty() && skips.is_empty() {
        true => {
            Err(Failure::new(format!("`{}` printed no figure: no test of `{}` ran", run.name, run.filter)))
        }
        false => Ok(skips),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_chosen_by_name_and_all_of_them_without_one() {
        let words = |words: &str| words.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let names =
            |line: &str| chosen(&words(line)).map(|runs| runs.iter().map(|run| run.name).collect::<Vec<_>>());
        assert_eq!(names("").unwrap().len(), RUNS.len());
        assert_eq!(names("--only bombs --only collector-kill").unwrap(), ["bombs", "collector-kill"]);
        for wrong in ["--only", "--only nothing", "bombs"] {
            assert!(matches!(names(wrong), Err(Failure::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn a_run_without_a_figure_or_a_skip_did_not_happen() {
        assert!(report(&RUNS[0], "running 0 tests\n").is_err());
        assert_eq!(report(&RUNS[0], "test a::b ... FIGURE a.kills 3 count\nok\n"), Ok(Vec::new()));
        let skipped = report(&RUNS[0], "test a ... SKIPPED power cut: needs root\nok\n").unwrap();
        assert_eq!((skipped[0].what.as_str(), skipped[0].why.as_str()), ("power cut", "needs root"));
    }

    #[test]
    fn the_page_on_delivery_names_every_run_and_no_other() {
        let page = include_str!("../../../docs/delivery.md");
        let (_, catalogue) = page.split_once("## How it is checked").unwrap();
        let last = |row: &str| row.trim_end_matches(" |").rsplit(" | ").next().map(str::to_owned);
        let cells =
            catalogue.lines().filter(|row| row.starts_with("| ") && row.ends_with(" |")).filter_map(last);
        let named: std::collections::BTreeSet<String> = cells
            .flat_map(|cell| cell.split(", ").map(|run| run.trim_matches('`').to_owned()).collect::<Vec<_>>())
            .filter(|run| !["–", "run"].contains(&&**run))
            .collect();
        assert_eq!(named, RUNS.iter().map(|run| run.name.to_owned()).collect());
    }

    #[test]
    fn runs_have_names_of_their_own() {
        let names: std::collections::BTreeSet<_> = RUNS.iter().map(|run| run.name).collect();
        assert_eq!(names.len(), RUNS.len());
    }
}
