//! Where a request's instructions go, by function: kept beside the limits, so that a gate that fails can say what changed.
//!
//! ```text
//! crates/bench/profiles/<subject>.txt    <instructions per request> <function>, the largest first
//! ```
//!
//! Counted is what a function executes itself. Generic arguments are left out of the names, and functions of one name
//! taken together: they differ from build to build.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::outcome::Failure;

const DIRECTORY: &str = "crates/bench/profiles";
/// Functions of less are not kept.
const LEAST: f64 = 5.0;
/// How many lines a comparison has.
const SHOWN: usize = 15;

/// Instructions per request by function.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Profile(BTreeMap<String, f64>);

impl Profile {
    /// Of two runs that differ by `requests` requests.
    pub(super) fn of_difference(few: &str, many: &str, requests: u64) -> Self {
        let mut functions = by_function(many);
        for (name, count) in by_function(few) {
            *functions.entry(name).or_default() -= count;
        }
        let each = functions.into_iter().map(|(name, count)| (name, count / requests as f64));
        Self(each.filter(|(_, count)| *count >= LEAST).collect())
    }

    /// The one that is kept for a subject, if any is.
    pub(super) fn kept(root: &Path, subject: &str) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(path(root, subject)).ok()?)
    }

    /// Keeps this one; returns where.
    pub(super) fn keep(&self, root: &Path, subject: &str) -> Result<PathBuf, Failure> {
        let path = path(root, subject);
        let directory = root.join(DIRECTORY);
        std::fs::create_dir_all(&directory).map_err(|error| Failure::io("create", &directory, &error))?;
        std::fs::write(&path, self.text()).map_err(|error| Failure::io("write", &path, &error))?;
        Ok(path)
    }

    fn parse(text: &str) -> Option<Self> {
        let line = |line: &str| {
            let (count, name) = line.split_once(' ')?;
            Some((name.to_owned(), count.parse().ok()?))
        };
        text.lines().map(line).collect::<Option<_>>().map(Self)
    }

    fn text(&self) -> String {
        let mut functions: Vec<_> = self.0.iter().collect();
        functions.sort_by(|a, b| b.1.total_cmp(a.1));
        functions.iter().fold(String::new(), |mut text, (name, count)| {
            let _ = writeln!(text, "{count:.0} {name}");
            text
        })
    }

    /// What changed from `before`, the largest changes first.
    pub(super) fn compared(&self, before: &Self) -> String {
        let of = |profile: &Self, name: &str| profile.0.get(name).copied().unwrap_or(0.0);
        let names = self.0.keys().chain(before.0.keys().filter(|name| !self.0.contains_key(*name)));
        let mut changes: Vec<_> = names.map(|name| (of(before, name), of(self, name), name)).collect();
        changes.retain(|(before, now, _)| (now - before).abs() >= 1.0);
        changes.sort_by(|a, b| (b.1 - b.0).abs().total_cmp(&(a.1 - a.0).abs()));
        let mut table = format!("{:>8}{:>8}{:>8}  function\n", "before", "now", "change");
        for (before, now, name) in changes.into_iter().take(SHOWN) {
            let _ = writeln!(table, "{before:>8.0}{now:>8.0}{:>+8.0}  {name}", now - before);
        }
        table
    }
}

fn path(root: &Path, subject: &str) -> PathBuf {
    root.join(DIRECTORY).join(format!("{subject}.txt"))
}

/// What each function of a callgrind profile executed itself.
fn by_function(profile: &str) -> BTreeMap<String, f64> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    let mut function = String::new();
    // The line behind a `calls=` is what the called function cost.
    let mut is_call = false;
    for line in profile.lines() {
        if let Some((key, name)) = line.split_once("fn=").filter(|(key, _)| ["", "c"].contains(key)) {
            // `(7) name` where it comes first, `(7)` from then on.
            let (id, text) = name.split_once(' ').unwrap_or((name, ""));
            if !text.is_empty() {
                names.insert(id, plain(text));
            }
            if key.is_empty() {
                function = names.get(id).cloned().unwrap_or_default();
            }
        } else if line.starts_with("calls=") {
            is_call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            let count = line.split_whitespace().nth(1).and_then(|count| count.parse::<f64>().ok());
            if !std::mem::take(&mut is_call) {
                *counts.entry(function.clone()).or_default() += count.unwrap_or(0.0);
            }
        }
    }
    counts
}

/// A function's name without generic arguments, and without the mark of recursion. Of `<A<B> as C<D>>::e<F>`, a method of a
/// trait, it is `<A as C>::e`.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    let mut kept = usize::from(name.starts_with('<'));
    let (mut depth, mut before) = (0_usize, ' ');
    for c in name.split('\'').next().unwrap_or_default().chars() {
        let after = match c {
            '<' => depth + 1,
            // Not that of `->`.
            '>' if before != '-' => depth.saturating_sub(1),
            _ => depth,
        };
        if depth.max(after) <= kept {
            plain.push(c);
        }
        if after < depth && after == 0 {
            kept = 0;
        }
        (depth, before) = (after, c);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEW: &str = "\
fn=(1) hoplog::begin<axum::Body>
16 100
cfn=(2) memcpy
calls=2 0
17 40
fn=(2)
1 40
totals: 140
";
    const MANY: &str = "\
fn=(1) hoplog::begin<axum::Body>
16 1000
+2 100
cfn=(2) memcpy
calls=20 0
17 400
fn=(2)
1 440
fn=(3) hoplog::begin<actix::Body>'2
* 900
totals: 2440
";

    #[test]
    fn functions_of_one_name_are_taken_together_and_calls_do_not_count() {
        let profile = Profile::of_difference(FEW, MANY, 10);
        assert_eq!(profile.text(), "190 hoplog::begin\n40 memcpy\n");
        assert_eq!(Profile::parse(&profile.text()), Some(profile));
    }

    #[test]
    fn names_lose_their_arguments_and_keep_their_paths() {
        assert_eq!(plain("<a::B<C<D>> as e::F<G>>::h<I>"), "<a::B as e::F>::h");
        assert_eq!(plain("a::b<fn(u8) -> u8>'2"), "a::b");
    }

    #[test]
    fn the_largest_changes_come_first_and_what_stayed_is_left_out() {
        let of =
            |counts: &[(&str, f64)]| Profile(counts.iter().map(|(n, c)| ((*n).to_owned(), *c)).collect());
        let before = of(&[("same", 50.0), ("gone", 30.0), ("grown", 10.0)]);
        let now = of(&[("same", 50.0), ("grown", 110.0), ("new", 20.0)]);
        let table = now.compared(&before);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            lines[1..],
            [["10", "110", "+100", "grown"], ["30", "0", "-30", "gone"], ["0", "20", "+20", "new"]]
        );
    }
}
