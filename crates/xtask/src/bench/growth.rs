//! `cargo xtask bench growth`: how cost grows with what there is more of; figures, and a page of them.

use std::fmt::Write as _;

use super::callgrind::{Added, Counted};
use super::chart::{self, Line};
use crate::figure::Figure;
use crate::outcome::{Failure, Outcome, Skip};
use crate::process::{self, Executable};
use crate::workspace::Workspace;

const DOCS: &str = "docs/performance";

const COUNTED: Counted = Counted {
    bench: "growth",
    subject: "growth",
    scenarios: &[],
    added: Added::No,
    function: "*growth*measured*",
};

/// What grows, as the bench names it, and for people.
struct Axis {
    name: &'static str,
    of: &'static str,
    grows: &'static str,
}

const fn axis(name: &'static str, of: &'static str, grows: &'static str) -> Axis {
    Axis { name, of, grows }
}

/// Instructions on the thread of the request, or of the call.
const AXES: [Axis; 9] = [
    axis("headers", "a request, over a bare one", "headers of 20 bytes that are judged and kept"),
    axis("body_kib", "a request with bodies captured, over a bare one", "KiB of its answer"),
    axis("route_rules", "a request", "rules of other routes"),
    axis("sampled_percent", "a request, on average", "percent of the traces that are kept"),
    axis("fields", "a log call", "fields"),
    axis("message_bytes", "a log call", "bytes of its message, looked through for secrets"),
    axis("queue_fill_percent", "a push into the queue", "percent of the queue that are full"),
    axis("encode_fields", "an entry into JSON, on the worker", "fields of its own"),
    axis("encode_message_bytes", "an entry into JSON, on the worker", "bytes of its message"),
];

/// Nanoseconds of CPU.
const TIMED: [Axis; 2] = [
    axis("producers", "a push into the queue", "threads that push at the same time"),
    axis("destinations", "an entry, on all threads but its producer's", "destinations"),
];

/// Steps of an axis and what they cost.
type Series = Vec<(f64, f64)>;

pub(super) fn run(workspace: &Workspace, bench: &Executable) -> Outcome {
    let output = process::stdout(&mut super::command(workspace, &bench.path))?;
    let mut figures = Figure::parse_all(&output);
    let mut skips = Vec::new();
    match process::find_program("valgrind") {
        Some(valgrind) => figures.extend(over_bare(COUNTED.figures(workspace, &valgrind, &bench.path)?)),
        None => skips.push(Skip::announce(
            "bench instructions",
            "valgrind is not installed (apt-get install valgrind)",
        )),
    }
    figures.iter().for_each(|figure| println!("{figure}"));
    if skips.is_empty() {
        write(workspace, &figures)?;
    }
    Ok(skips)
}

/// What the framework pays for the same is taken off.
fn over_bare(figures: Vec<Figure>) -> Vec<Figure> {
    let bare = |name: &str| {
        let name = name.replace("instructions.", "instructions.bare_");
        figures.iter().find(|figure| figure.name == name).map_or(0.0, |figure| figure.value)
    };
    let ours = figures.iter().filter(|figure| !figure.name.contains(".bare_"));
    ours.map(|f| Figure::new(f.name.clone(), f.value - bare(&f.name), f.unit.clone())).collect()
}

fn write(workspace: &Workspace, figures: &[Figure]) -> Result<(), Failure> {
    let directory = workspace.root.join(DOCS);
    let lines = ["fields", "headers", "route_rules"]
        .map(|name| Line { label: name.replace('_', " "), points: series(figures, "instructions", name) });
    let chart = chart::lines("Instructions of a request or a log call, by how many there are", &lines);
    for (name, text) in [("growth.md", page(figures)), ("growth.svg", chart)] {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(|error| Failure::io("write", &path, &error))?;
    }
    Ok(())
}

/// By step, the least first.
fn series(figures: &[Figure], kind: &str, axis: &str) -> Series {
    let before = format!("growth.{kind}.{axis}.");
    let point = |figure: &Figure| Some((figure.name.strip_prefix(&before)?.parse().ok()?, figure.value));
    let mut series: Series = figures.iter().filter_map(point).collect();
    series.sort_by(|a, b| a.0.total_cmp(&b.0));
    series
}

fn page(figures: &[Figure]) -> String {
    let mut page = String::from(
        "# How cost grows\n\n\
         Written by `cargo xtask bench growth`. Instructions are the same on every run; the last column is what each more costs,\n\
         from the first step to the last and from one to the next: where the two agree, cost grows in a straight line.\n\n\
         ![Instructions by how many there are](growth.svg)\n",
    );
    for (title, kind, axes) in
        [("Instructions", "instructions", &AXES[..]), ("CPU time, ns", "cpu_ns", &TIMED[..])]
    {
        let _ = write!(
            page,
            "\n## {title}\n\n| of | grows by | steps | each more, of all (least to most) |\n|---|---|---|---|\n"
        );
        for axis in axes {
            let series = series(figures, kind, axis.name);
            let steps: Vec<String> =
                series.iter().map(|(step, value)| format!("{step}: {value:.0}")).collect();
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} |",
                axis.of,
                axis.grows,
                steps.join(", "),
                slopes(&series)
            );
        }
    }
    page
}

/// `12 (11 to 14)`: from the first to the last, and the least and the most from one to the next.
fn slopes(series: &Series) -> String {
    let slope = |a: &(f64, f64), b: &(f64, f64)| (b.1 - a.1) / (b.0 - a.0);
    let each: Vec<f64> = series.windows(2).map(|pair| slope(&pair[0], &pair[1])).collect();
    match (series.first(), series.last()) {
        (Some(first), Some(last)) if !each.is_empty() => {
            let least = each.iter().copied().fold(f64::MAX, f64::min);
            let most = each.iter().copied().fold(f64::MIN, f64::max);
            format!("{:.1} ({least:.1} to {most:.1})", slope(first, last))
        }
        _ => "–".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instructions(name: &str, value: f64) -> Figure {
        Figure::new(format!("growth.instructions.{name}"), value, "instructions")
    }

    #[test]
    fn what_the_framework_pays_is_taken_off() {
        let figures = [
            instructions("bare_headers.0", 100.0),
            instructions("headers.0", 150.0),
            instructions("fields.4", 9.0),
        ];
        let values: Vec<f64> = over_bare(figures.to_vec()).iter().map(|f| f.value).collect();
        assert_eq!(values, [50.0, 9.0]);
    }

    #[test]
    fn a_row_has_its_steps_in_order_and_what_each_more_costs() {
        let figures = [
            instructions("fields.16", 260.0),
            instructions("fields.0", 100.0),
            instructions("fields.4", 140.0),
        ];
        let page = page(&figures);
        assert!(page.contains("| fields | 0: 100, 4: 140, 16: 260 | 10.0 (10.0 to 10.0) |"), "{page}");
        assert_eq!(page.matches("\n| a").count(), AXES.len() + TIMED.len(), "{page}");
        assert!(page.contains("threads that push at the same time |  | – |"), "nothing measured: {page}");
    }
}
