//! The limits that figures are held against, one a line: `name max 5500`, `name min 350000`.

use std::fmt::Write as _;

use crate::figure::Figure;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit {
    name: String,
    bound: Bound,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    Max(f64),
    Min(f64),
}

impl Limit {
    fn holds(&self, value: f64) -> bool {
        match self.bound {
            Bound::Max(limit) => value <= limit,
            Bound::Min(limit) => value >= limit,
        }
    }

    fn text(&self) -> String {
        match self.bound {
            Bound::Max(limit) => format!("<= {limit}"),
            Bound::Min(limit) => format!(">= {limit}"),
        }
    }
}

/// Reads the file; `#` begins a comment. An error begins with the line's number.
pub(super) fn parse(text: &str) -> Result<Vec<Limit>, String> {
    let mut limits: Vec<Limit> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let limit = limit(&words).ok_or_else(|| {
            format!(
                "{}: `{}` is no limit; write `subject.figure max 5500` or `… min 5500`",
                index + 1,
                line.trim()
            )
        })?;
        if limits.iter().any(|other| other.name == limit.name && !opposite(other.bound, limit.bound)) {
            return Err(format!("{}: a second {} for {}", index + 1, words[1], limit.name));
        }
        limits.push(limit);
    }
    if limits.is_empty() {
        return Err("1: no limits, so the gate would hold nothing; name at least one figure".into());
    }
    Ok(limits)
}

fn limit(words: &[&str]) -> Option<Limit> {
    let [name, side, value] = words else { return None };
    let value = value.parse::<f64>().ok().filter(|value| value.is_finite())?;
    let bound = match *side {
        "max" => Bound::Max(value),
        "min" => Bound::Min(value),
        _ => return None,
    };
    name.contains('.').then(|| Limit { name: (*name).to_owned(), bound })
}

fn opposite(a: Bound, b: Bound) -> bool {
    matches!((a, b), (Bound::Max(_), Bound::Min(_)) | (Bound::Min(_), Bound::Max(_)))
}

/// A limit with what was measured against it.
#[derive(Debug)]
pub(super) struct Verdict<'a> {
    limit: &'a Limit,
    figure: Option<&'a Figure>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Holds,
    Broken,
    Missing,
    Skipped,
}

impl Verdict<'_> {
    /// That of the figure.
    pub(super) fn name(&self) -> &str {
        &self.limit.name
    }

    /// Outside its limit, or not printed although nothing excuses it.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self.state, State::Broken | State::Missing)
    }
}

/// `may_miss` names the figures whose absence was announced as a skip.
pub(super) fn judge<'a>(
    limits: &'a [Limit],
    figures: &'a [Figure],
    may_miss: impl Fn(&str) -> bool,
) -> Vec<Verdict<'a>> {
    let verdict = |limit: &'a Limit| {
        let figure = figures.iter().find(|figure| figure.name == limit.name);
        let state = match figure {
            Some(figure) if limit.holds(figure.value) => State::Holds,
            Some(_) => State::Broken,
            None if may_miss(&limit.name) => State::Skipped,
            None => State::Missing,
        };
        Verdict { limit, figure, state }
    };
    limits.iter().map(verdict).collect()
}

pub(super) fn table(verdicts: &[Verdict<'_>]) -> String {
    let mut table = format!("{:<44}{:>16}{:>16}  verdict\n", "figure", "measured", "limit");
    for verdict in verdicts {
        let measured =
            verdict.figure.map_or("-".into(), |figure| format!("{} {}", figure.value, figure.unit));
        let word = match verdict.state {
            State::Holds => "holds",
            State::Broken => "BROKEN",
            State::Missing => "MISSING: no bench printed it",
            State::Skipped => "skipped",
        };
        let _ =
            writeln!(table, "{:<44}{measured:>16}{:>16}  {word}", verdict.limit.name, verdict.limit.text());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# why\n\na.allocations max 4  # axum's two included\na.rate min 350000\n";

    fn broken(figures: &[Figure], may_miss: bool) -> Vec<bool> {
        let limits = parse(TEXT).unwrap();
        judge(&limits, figures, |_| may_miss).iter().map(Verdict::is_broken).collect()
    }

    #[test]
    fn figures_at_their_limits_hold_and_beyond_them_do_not() {
        let figures = |allocations, rate| {
            [Figure::new("a.allocations", allocations, "count"), Figure::new("a.rate", rate, "1/s")]
        };
        assert_eq!(broken(&figures(4.0, 350_000.0), false), [false, false]);
        assert_eq!(broken(&figures(4.5, 350_000.0), false), [true, false]);
        assert_eq!(broken(&figures(0.0, 349_999.0), false), [false, true]);
    }

    #[test]
    fn a_figure_that_was_not_printed_fails_unless_it_was_skipped_aloud() {
        assert_eq!(broken(&[], false), [true, true]);
        assert_eq!(broken(&[], true), [false, false]);
    }

    #[test]
    fn the_table_shows_figure_limit_and_verdict() {
        let limits = parse(TEXT).unwrap();
        let figures = [Figure::new("a.allocations", 5.0, "count")];
        let table = table(&judge(&limits, &figures, |_| false));
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<Vec<String>> = table.lines().map(words).collect();
        assert_eq!(lines[1], ["a.allocations", "5", "count", "<=", "4", "BROKEN"]);
        assert_eq!(lines[2][..5], ["a.rate", "-", ">=", "350000", "MISSING:"]);
    }

    #[test]
    fn a_line_that_is_no_limit_is_refused_with_its_number() {
        for wrong in ["a.b max", "a.b most 4", "a.b max four", "a.b max NaN", "ab max 4", "a.b max 4 5"] {
            let why = parse(&format!("# c\n{wrong}\n")).unwrap_err();
            assert!(why.starts_with("2: "), "{why}");
        }
        assert!(parse("a.b max 4\na.b max 5\n").unwrap_err().starts_with("2: a second max"));
        assert!(parse("# nothing\n").is_err());
    }

    #[test]
    fn a_figure_may_have_a_floor_and_a_ceiling() {
        let limits = parse("a.b max 4\na.b min 2\n").unwrap();
        assert_eq!(limits.len(), 2);
    }
}
