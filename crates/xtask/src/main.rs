//! `cargo xtask`: everything the project does to itself.
//!
//! ```text
//! main ─ names a command ─► test    all checks, in order of price
//!                           tidy    what the compiler cannot see: edges, file roles, words, tables
//!                           chaos   faults in their large forms, with an oracle
//!                           bench   what a request costs, and the gate that keeps it so
//!                           weight  the crates that hoplog adds to an application
//! ```
//!
//! A command returns what it skipped, or why it failed: 0 passed, 1 failed, 2 wrong usage.
#![allow(clippy::print_stdout, reason = "a command line tool speaks on stdout")]

use std::process::ExitCode;

mod bench;
mod chaos;
mod figure;
mod interop;
mod outcome;
mod process;
mod test;
mod tidy;
mod weight;
mod workspace;

use outcome::{Failure, Outcome};

/// One subcommand: `run` gets the arguments after its name.
struct Command {
    name: &'static str,
    summary: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Outcome,
}

const COMMANDS: [Command; 5] = [
    Command { name: "test", summary: "run every check of the project", help: test::HELP, run: test::run },
    Command { name: "tidy", summary: "edges, file roles, words, tables", help: tidy::HELP, run: tidy::run },
    Command { name: "chaos", summary: "faults in their large forms", help: chaos::HELP, run: chaos::run },
    Command { name: "bench", summary: "run the benches, or their gate", help: bench::HELP, run: bench::run },
    Command { name: "weight", summary: "crates added to an app", help: weight::HELP, run: weight::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(_) => ExitCode::SUCCESS,
        Err(Failure::Usage(why)) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
        Err(Failure::Failed(why)) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Failure::Usage(format!("no command given\n\n{}", overview())));
    };
    if is_help(name) || name == "help" {
        println!("{}", overview());
        return Ok(Vec::new());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Failure::Usage(format!("there is no command `{name}`\n\n{}", overview())));
    };
    if rest.iter().any(|argument| is_help(argument)) {
        println!("{}", command.help);
        return Ok(Vec::new());
    }
    (command.run)(rest)
}

fn is_help(argument: &str) -> bool {
    argument == "--help" || argument == "-h"
}

fn overview() -> String {
    let mut text = String::from("usage: cargo xtask <command> [options]\n");
    for command in &COMMANDS {
        text.push_str(&format!("\n  {:<8}{}", command.name, command.summary));
    }
    text.push_str("\n\n`cargo xtask <command> --help` says more.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn an_unknown_command_is_wrong_usage_and_lists_the_known_ones() {
        let Err(Failure::Usage(why)) = dispatch(&arguments("mayhem")) else { panic!("accepted") };
        assert!(why.contains("`mayhem`"), "{why}");
        for command in &COMMANDS {
            assert!(why.contains(command.name), "{why}");
        }
    }

    #[test]
    fn no_command_is_wrong_usage() {
        assert!(matches!(dispatch(&[]), Err(Failure::Usage(_))));
    }

    #[test]
    fn every_command_has_help_that_shows_how_it_is_called() {
        for command in &COMMANDS {
            assert!(command.help.contains(&format!("cargo xtask {}", command.name)), "{}", command.name);
            assert!(dispatch(&arguments(&format!("{} --help", command.name))).is_ok());
        }
    }

    #[test]
    fn every_command_refuses_an_option_it_does_not_know() {
        for command in &COMMANDS {
            let result = dispatch(&arguments(&format!("{} --bogus", command.name)));
            let Err(Failure::Usage(why)) = result else { panic!("{} accepted it", command.name) };
            assert!(why.contains("--bogus"), "{why}");
        }
    }
}
