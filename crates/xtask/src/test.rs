//! `cargo xtask test`: every check, the cheap ones first, until one fails.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::outcome::{Failure, Outcome, Skip};
use crate::process::{cargo, find_program, run as run_program};
use crate::workspace::Workspace;
use crate::{bench, interop, tidy};

pub(crate) const HELP: &str = "\
usage: cargo xtask test [--only <step>]... [--list]

Runs every check in order of price and stops at the first that fails (exit code 1). What cannot be checked
on this machine is SKIPPED aloud, with how to get what is missing, and listed again at the end.

  --only <step>  run this step alone; may be given several times
  --list         name the steps";

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace) -> Outcome,
}

const STEPS: [Step; 8] = [
    Step { name: "fmt", what: "formatting", run: fmt },
    Step { name: "tidy", what: "edges, file roles, words, tables", run: tidy::check },
    Step { name: "clippy", what: "lints, warnings are errors", run: clippy },
    Step { name: "doc", what: "documentation, warnings are errors", run: doc },
    Step { name: "test", what: "unit, integration, doc and example tests", run: tests },
    Step { name: "bench", what: "the gate: allocations and instructions per request", run: bench::gate },
    Step { name: "demo", what: "the demo: every request stored one time, no secret stored", run: demo },
    Step {
        name: "interop",
        what: "log-collector clients against hoplog serve, hoplog against OTLP receivers",
        run: interop::run,
    },
];

pub(crate) fn run(arguments: &[String]) -> Outcome {
    if arguments == ["--list"] {
        for step in &STEPS {
            println!("{:<9}{}", step.name, step.what);
        }
        return Ok(Vec::new());
    }
    let steps = chosen(&STEPS, arguments)?;
    let workspace = Workspace::load()?;
    run_steps(&steps, &workspace)
}

fn chosen<'a>(steps: &'a [Step], arguments: &[String]) -> Result<Vec<&'a Step>, Failure> {
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument != "--only" {
            return Err(Failure::Usage(format!("`cargo xtask test` has no option `{argument}`")));
        }
        let name =
            arguments.next().ok_or_else(|| Failure::Usage("--only needs the name of a step".into()))?;
        if !steps.iter().any(|step| step.name == name) {
            let known: Vec<&str> = steps.iter().map(|step| step.name).collect();
            return Err(Failure::Usage(format!("there is no step `{name}`: {}", known.join(", "))));
        }
        names.push(name.as_str());
    }
    Ok(steps.iter().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

/// How one step ended and how long it took.
struct Ran {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

fn run_steps(steps: &[&Step], workspace: &Workspace) -> Outcome {
    let begun = Instant::now();
    let mut ran: Vec<Ran> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("\n=== {}/{} {}: {}", index + 1, steps.len(), step.name, step.what);
        let start = Instant::now();
        let outcome = (step.run)(workspace);
        let failed = outcome.is_err();
        ran.push(Ran { name: step.name, outcome, took: start.elapsed() });
        if failed {
            break;
        }
    }
    println!("\n{}", closing_table(steps, &ran, begun.elapsed()));
    let mut skips = Vec::new();
    for step in ran {
        match step.outcome {
            Ok(skipped) => skips.extend(skipped),
            Err(why) => return Err(Failure::new(format!("step `{}` failed: {why}", step.name))),
        }
    }
    Ok(skips)
}

fn closing_table(steps: &[&Step], ran: &[Ran], total: Duration) -> String {
    let mut table = String::new();
    for (index, step) in steps.iter().enumerate() {
        let (verdict, took) = match ran.get(index) {
            None => ("not run", String::new()),
            Some(ran) => (verdict(&ran.outcome), seconds(ran.took)),
        };
        let _ = writeln!(table, "{:<9}{verdict:<24}{took:>9}", step.name);
    }
    let _ = writeln!(table, "{:<33}{:>9}", "total", seconds(total));
    let skips: Vec<&Skip> = ran.iter().filter_map(|ran| ran.outcome.as_ref().ok()).flatten().collect();
    for skip in skips {
        let _ = writeln!(table, "{skip}");
    }
    table
}

fn verdict(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(skips) if skips.is_empty() => "passed",
        Ok(_) => "passed, in part skipped",
        Err(_) => "FAILED",
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn fmt(workspace: &Workspace) -> Outcome {
    step(workspace, &["fmt", "--all", "--check"], None)
}

fn clippy(workspace: &Workspace) -> Outcome {
    step(workspace, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"], None)
}

fn doc(workspace: &Workspace) -> Outcome {
    step(workspace, &["doc", "--workspace", "--no-deps"], Some(("RUSTDOCFLAGS", "-D warnings")))
}

/// What is tested only where one of these programs is, and how to get one.
const NEEDED: [(&str, &[&str], &str); 3] = [
    ("the page's modules", &["node"], "node is not installed (apt-get install nodejs)"),
    (
        "the pages in a browser",
        &["chromium", "chromium-browser", "google-chrome"],
        "there is no Chromium (apt-get install chromium)",
    ),
    (
        "systemd's look at the unit",
        &["systemd-analyze"],
        "there is no systemd-analyze (apt-get install systemd)",
    ),
];

/// Without hoplog-bench: it has no tests, and the gate compiles it in its own profile.
fn tests(workspace: &Workspace) -> Outcome {
    let mut skips = step(workspace, &["test", "--workspace", "--exclude", "hoplog-bench"], None)?;
    // These tests pass over what they cannot run; cargo would keep their word to itself.
    for (what, programs, why) in NEEDED {
        if programs.iter().all(|program| find_program(program).is_none()) {
            skips.push(Skip::announce(what, why));
        }
    }
    Ok(skips)
}

/// The README's first command, as it checks itself.
fn demo(workspace: &Workspace) -> Outcome {
    step(workspace, &["run", "--release", "--package", "demo", "--", "--once", "--port", "0"], None)
}

fn step(workspace: &Workspace, arguments: &[&str], variable: Option<(&str, &str)>) -> Outcome {
    let mut command = cargo();
    command.args(arguments).envs(variable).current_dir(&workspace.root);
    run_program(&mut command).map(|()| Vec::new())
}

#[cfg(test)]
mod tests;
