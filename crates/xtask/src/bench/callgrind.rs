//! Instructions per request, counted by valgrind: the same number on every run and every machine of a
//! kind, which no clock gives.
//!
//! Counted is the function that answers a request, on the main thread: neither the making of requests nor
//! what the worker does beside it is a cost of the request. A scenario is run twice with different numbers of
//! requests; the difference is free of what only the first ones do.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::profile::Profile;
use crate::figure::Figure;
use crate::outcome::Failure;
use crate::process;
use crate::workspace::Workspace;

/// A bench whose scenarios are counted, what hoplog is measured against first.
pub(super) struct Counted {
    pub(super) bench: &'static str,
    /// What its figures' names begin with.
    pub(super) subject: &'static str,
    /// Empty: those that the bench names.
    pub(super) scenarios: &'static [&'static str],
    pub(super) added: Added,
    /// Answers one request; a pattern of callgrind's. It must not be inlined.
    pub(super) function: &'static str,
}

/// Which scenarios' instructions beyond the first one's make a figure.
#[derive(Clone, Copy)]
pub(super) enum Added {
    /// `<subject>.instructions.<scenario>` of all, `<subject>.added_instructions` of the last.
    Last,
    /// `<subject>.added_instructions.<scenario>` of each.
    Each,
    /// None: `<subject>.instructions.<scenario>` of all.
    No,
}

const DIRECTORY: &str = "xtask/callgrind";

/// The first hundreds fill pools and thread-locals; a thousand more are the measurement.
const FEW: u64 = 200;
const MANY: u64 = 1_200;

impl Counted {
    /// Counts every scenario; see [`Added`].
    pub(super) fn figures(
        &self,
        workspace: &Workspace,
        valgrind: &Path,
        bench: &Path,
    ) -> Result<Vec<Figure>, Failure> {
        let counts = self.counts(workspace, valgrind, bench)?;
        Ok(match self.added {
            Added::Last => [each(self.subject, &counts), last(self.subject, &counts)].concat(),
            Added::No => each(self.subject, &counts),
            Added::Each => added(self.subject, &counts),
        })
    }

    /// Each scenario and its instructions per request.
    fn counts(
        &self,
        workspace: &Workspace,
        valgrind: &Path,
        bench: &Path,
    ) -> Result<Vec<(String, f64)>, Failure> {
        let listed = match self.scenarios {
            [] => process::stdout(Command::new(bench).arg("--list"))?,
            known => known.join("\n"),
        };
        let each = listed
            .lines()
            .map(|scenario| Ok((scenario.to_owned(), self.of_one(workspace, valgrind, bench, scenario)?)));
        each.collect()
    }

    /// The instructions per request of one scenario.
    pub(super) fn of_one(
        &self,
        workspace: &Workspace,
        valgrind: &Path,
        bench: &Path,
        scenario: &str,
    ) -> Result<f64, Failure> {
        let directory = workspace.target.join(DIRECTORY);
        std::fs::create_dir_all(&directory).map_err(|error| Failure::io("create", &directory, &error))?;
        let count = |requests| {
            let out = self.out(workspace, scenario, requests);
            self.instructions(valgrind, bench, scenario, requests, &out)
        };
        Ok(per_request(count(FEW)?, count(MANY)?))
    }

    /// Whether the figure of this name is the sum of its instructions.
    pub(super) fn counts_for(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.subject) else { return false };
        match (self.added, rest.strip_prefix(".instructions.")) {
            (Added::No, Some(scenario)) => self.scenarios.last() == Some(&scenario),
            _ => rest == ".added_instructions",
        }
    }

    /// Where the instructions of the last scenario go, after they were counted.
    pub(super) fn profile(&self, workspace: &Workspace) -> Result<Profile, Failure> {
        let scenario = self.scenarios.last().copied().unwrap_or_default();
        let read = |requests| read(&of_main_thread(&self.out(workspace, scenario, requests)));
        Ok(Profile::of_difference(&read(FEW)?, &read(MANY)?, MANY - FEW))
    }

    fn out(&self, workspace: &Workspace, scenario: &str, requests: u64) -> PathBuf {
        workspace.target.join(DIRECTORY).join(format!("{}-{scenario}-{requests}", self.bench))
    }

    /// What the main thread executed in the function, in all.
    fn instructions(
        &self,
        valgrind: &Path,
        bench: &Path,
        scenario: &str,
        requests: u64,
        out: &Path,
    ) -> Result<u64, Failure> {
        let mut command = Command::new(valgrind);
        command.args(["--tool=callgrind", "--separate-threads=yes"]);
        command.arg(format!("--toggle-collect={}", self.function));
        command.arg(format!("--callgrind-out-file={}", out.display()));
        command.arg(bench).args(["--count", scenario, &requests.to_string()]);
        process::quietly(&mut command)?;
        match total(&read(&of_main_thread(out))?) {
            Some(0) | None => {
                let what = format!("callgrind counted nothing in `{}` of {}", self.function, bench.display());
                Err(Failure::new(format!("{what}: keep the function's name in step, and #[inline(never)]")))
            }
            Some(count) => Ok(count),
        }
    }
}

/// With separate threads callgrind appends the thread's number.
fn of_main_thread(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push("-01");
    path.into()
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))
}

/// Whether a figure of this name comes from here.
pub(super) fn is_instructions(name: &str) -> bool {
    name.split('.').skip(1).any(|part| part == "instructions" || part == "added_instructions")
}

fn per_request(few: u64, many: u64) -> f64 {
    ((many as f64 - few as f64) / (MANY - FEW) as f64).round()
}

fn each(subject: &str, counts: &[(String, f64)]) -> Vec<Figure> {
    let figure = |(name, count): &(String, f64)| {
        Figure::new(format!("{subject}.instructions.{name}"), *count, "instructions")
    };
    counts.iter().map(figure).collect()
}

fn last(subject: &str, counts: &[(String, f64)]) -> Vec<Figure> {
    match counts {
        [(_, base), .., (_, last)] => {
            vec![Figure::new(format!("{subject}.added_instructions"), last - base, "instructions")]
        }
        _ => Vec::new(),
    }
}

fn added(subject: &str, counts: &[(String, f64)]) -> Vec<Figure> {
    let [(_, base), others @ ..] = counts else { return Vec::new() };
    let each = others.iter().map(|(name, count)| {
        Figure::new(format!("{subject}.added_instructions.{name}"), count - base, "instructions")
    });
    each.collect()
}

/// The instruction count of a callgrind profile.
fn total(profile: &str) -> Option<u64> {
    let totals = profile.lines().rev().find_map(|line| line.strip_prefix("totals: "))?;
    totals.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: [(&str, f64); 3]) -> [(String, f64); 3] {
        counts.map(|(name, count)| (name.to_owned(), count))
    }

    #[test]
    fn start_up_cancels_out_of_the_count_per_request() {
        let (start_up, each) = (5_000_000, 10_199);
        let count = per_request(start_up + FEW * each, start_up + MANY * each);
        assert_eq!(count, 10_199.0);
    }

    #[test]
    fn what_hoplog_adds_is_the_last_scenario_over_the_first() {
        let counts = counts([("bare", 10_199.0), ("empty", 11_183.0), ("hoplog", 15_000.0)]);
        let figures = [each("axum", &counts), last("axum", &counts)].concat();
        assert_eq!(figures.len(), 4);
        assert_eq!(figures[1].name, "axum.instructions.empty");
        assert_eq!(figures[3], Figure::new("axum.added_instructions", 4_801.0, "instructions"));
        assert!(figures.iter().all(|figure| is_instructions(&figure.name)));
        assert!(!is_instructions("axum.added_allocations"));
        assert!(!is_instructions("instructions.ns"), "a subject's name does not count");
    }

    #[test]
    fn what_each_option_adds_is_over_the_first_scenario() {
        let figures =
            added("options", &counts([("bare", 10_000.0), ("all", 15_000.0), ("skipped", 10_900.0)]));
        let names: Vec<_> = figures.iter().map(|f| (f.name.as_str(), f.value)).collect();
        let expected =
            [("options.added_instructions.all", 5_000.0), ("options.added_instructions.skipped", 900.0)];
        assert_eq!(names, expected);
        assert!(figures.iter().all(|figure| is_instructions(&figure.name)));
        assert!(added("options", &[]).is_empty());
    }

    #[test]
    fn the_total_is_read_from_the_profile() {
        assert_eq!(total("version: 1\nevents: Ir\nfn=(1) main\n12 40\n\ntotals: 123456\n"), Some(123_456));
        assert_eq!(total("version: 1\nevents: Ir\n"), None);
    }
}
