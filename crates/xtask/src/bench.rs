//! `cargo xtask bench`: what things cost, and the gate that keeps it so.
//!
//! A bench is a program of `crates/bench/benches`, or of the crate it measures, with `harness = false`; we build it and run it
//! ourselves, so that it gets no arguments but these:
//!
//! ```text
//! <bench>                       measures at leisure, prints FIGURE lines
//! <bench> --list                names its scenarios, where we do not know them
//! <bench> --count <scenario> N  performs N requests of the scenario on its main thread, and exits
//! ```
//!
//! Instructions are counted under callgrind, where valgrind is installed. The gate runs only what gives the same number on every run: allocations, and instructions under callgrind.

mod callgrind;
mod chart;
mod growth;
mod limits;
mod peers;
mod profile;

use std::path::Path;
use std::process::Command;

use crate::figure::Figure;
use crate::outcome::{Failure, Outcome, Skip};
use crate::process::{self, Executable};
use crate::workspace::Workspace;
use callgrind::{Added, Counted};
use profile::Profile;

pub(crate) const HELP: &str = "\
usage: cargo xtask bench [gate [keep] | peers | growth | <bench>...] [-- <option>...]

  (nothing)   run every bench: those of crates/bench, and `collector`
  <bench>     run these, with the options behind `--`: `collector -- --rows 10000000`, `--only sqlite`, …
  gate        hold the figures against crates/bench/limits.txt: allocations always, instructions where
              valgrind is installed; one that fails shows which functions changed
  gate keep   the same, and keeps in crates/bench/profiles where the instructions go now
  peers       hoplog beside what people use for the same, each in turn; writes docs/performance/
  growth      how cost grows with headers, fields, bytes, rules, threads; writes docs/performance/growth.md";

const LIMITS: &str = "crates/bench/limits.txt";

/// Benches whose figures do not depend on the machine's mood.
const STEADY: [&str; 1] = ["allocations"];

/// The benches whose scenarios are counted in instructions: for the gate.
const COUNTED: [Counted; 4] = [
    Counted {
        bench: "request_path",
        subject: "axum",
        scenarios: &["bare", "empty", "hoplog"],
        added: Added::Last,
        function: "*App*answer*",
    },
    Counted {
        bench: "request_path",
        subject: "axum_head",
        scenarios: &["bare", "hoplog_head"],
        added: Added::Last,
        function: "*App*answer*",
    },
    Counted {
        bench: "request_path_actix",
        subject: "actix",
        scenarios: &["bare", "hoplog"],
        added: Added::Last,
        function: "*hoplog_bench::actix::answer*",
    },
    Counted {
        bench: "pipeline",
        subject: "encode",
        scenarios: &["gzip", "zstd", "json"],
        added: Added::No,
        function: "*pipeline*pack*",
    },
];

/// Likewise, when the bench itself is run: more than the gate has time for.
const COUNTED_AT_LEISURE: [Counted; 1] = [Counted {
    bench: "options",
    subject: "options",
    scenarios: &[],
    added: Added::Each,
    function: "*App*answer*",
}];

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let mut parts = arguments.splitn(2, |argument| argument == "--");
    let (arguments, options) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if let Some(option) = arguments.iter().find(|argument| argument.starts_with('-')) {
        return Err(Failure::Usage(format!("`cargo xtask bench` has no option `{option}`")));
    }
    let workspace = Workspace::load()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["gate"] => return gate(&workspace),
        ["gate", "keep"] => return hold(&workspace, true),
        _ => {}
    }
    if arguments == ["peers"] {
        return peers::run(&workspace);
    }
    let benches = build(&workspace, &["hoplog-bench", "hoplog-collector"])?;
    let unknown = arguments.iter().find(|name| !benches.iter().any(|bench| bench.name == **name));
    if let Some(unknown) = unknown {
        let known: Vec<&str> = benches.iter().map(|bench| bench.name.as_str()).collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        return Err(Failure::Usage(format!("there is no bench `{unknown}`: there is {known}")));
    }
    let mut skips = Vec::new();
    for bench in benches.iter().filter(|bench| arguments.is_empty() || arguments.contains(&bench.name)) {
        println!("\n--- {}", bench.name);
        if bench.name == "growth" {
            skips.extend(growth::run(&workspace, bench)?);
            continue;
        }
        process::run(command(&workspace, &bench.path).args(options))?;
        for counted in COUNTED_AT_LEISURE.iter().filter(|counted| counted.bench == bench.name) {
            match instructions(&workspace, counted, &bench.path)? {
                Ok(figures) => figures.iter().for_each(|figure| println!("{figure}")),
                Err(skip) => skips.push(skip),
            }
        }
    }
    Ok(skips)
}

/// The figures of a bench that is counted, or that there is no valgrind.
fn instructions(
    workspace: &Workspace,
    counted: &Counted,
    bench: &Path,
) -> Result<Result<Vec<Figure>, Skip>, Failure> {
    match process::find_program("valgrind") {
        Some(valgrind) => counted.figures(workspace, &valgrind, bench).map(Ok),
        None => Ok(Err(Skip::announce(
            "bench instructions",
            "valgrind is not installed (apt-get install valgrind)",
        ))),
    }
}

/// Builds the benches that the limits name, collects their figures and judges them. Where a subject has more
/// instructions than it may, it shows what changed since its profile was kept.
pub(crate) fn gate(workspace: &Workspace) -> Outcome {
    hold(workspace, false)
}

fn hold(workspace: &Workspace, keep: bool) -> Outcome {
    let path = workspace.root.join(LIMITS);
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))?;
    let limits = limits::parse(&text).map_err(|why| Failure::new(format!("{LIMITS}:{why}")))?;
    let benches = build(workspace, &["hoplog-bench"])?;
    let mut figures = Vec::new();
    let mut skips = Vec::new();
    let find = |name: &str| {
        let missing = || Failure::new(format!("crates/bench has no bench `{name}`, which the gate runs"));
        benches.iter().find(|bench| bench.name == name).ok_or_else(missing)
    };
    for name in STEADY {
        let output = process::stdout(&mut command(workspace, &find(name)?.path))?;
        figures.extend(Figure::parse_all(&output));
    }
    for counted in &COUNTED {
        match instructions(workspace, counted, &find(counted.bench)?.path)? {
            Ok(counts) => figures.extend(counts),
            Err(skip) => skips.push(skip),
        }
    }
    for figure in &figures {
        println!("{figure}");
    }
    let may_miss = |name: &str| !skips.is_empty() && callgrind::is_instructions(name);
    let verdicts = limits::judge(&limits, &figures, may_miss);
    println!("\n{}", limits::table(&verdicts));
    for counted in COUNTED.iter().filter(|_| skips.is_empty()) {
        let profile = counted.profile(workspace)?;
        if keep {
            println!("kept {}", profile.keep(&workspace.root, counted.subject)?.display());
        } else if verdicts.iter().any(|verdict| verdict.is_broken() && counted.counts_for(verdict.name())) {
            println!("{}: where the instructions went", counted.subject);
            match Profile::kept(&workspace.root, counted.subject) {
                Some(before) => println!("{}", profile.compared(&before)),
                None => println!("  no profile is kept; `cargo xtask bench gate keep` keeps one\n"),
            }
        }
    }
    let broken = verdicts.iter().filter(|verdict| verdict.is_broken()).count();
    if broken == 0 {
        return Ok(skips);
    }
    Err(Failure::new(format!(
        "{broken} of {} figures are not within {LIMITS}, see the table",
        verdicts.len()
    )))
}

fn build(workspace: &Workspace, packages: &[&str]) -> Result<Vec<Executable>, Failure> {
    let mut arguments = vec!["bench", "--no-run", "--bench", "*"];
    packages.iter().for_each(|package| arguments.extend(["--package", package]));
    process::build(&workspace.root, "bench", &arguments)
}

/// Where `cargo bench` would run it too.
fn command(workspace: &Workspace, path: &Path) -> Command {
    let mut command = Command::new(path);
    command.current_dir(workspace.root.join("crates/bench"));
    command
}
