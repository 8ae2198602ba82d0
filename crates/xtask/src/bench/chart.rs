//! Bars and lines as SVG, readable on a light and on a dark page. Of bars one row a subject, the least first.

use std::fmt::Write as _;

/// A row of a chart.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    /// Ours stand out.
    pub(super) ours: bool,
}

const WIDTH: f64 = 720.0;
const ROW: f64 = 26.0;
/// Where bars begin, and how long the longest is: its number stands behind it.
const LEFT: f64 = 210.0;
const LONGEST: f64 = 400.0;
const TOP: f64 = 34.0;

/// The chart; values are shown whole.
pub(super) fn svg(title: &str, unit: &str, bars: &[Bar]) -> String {
    let mut bars: Vec<&Bar> = bars.iter().collect();
    bars.sort_by(|a, b| a.value.total_cmp(&b.value));
    let most = bars.last().map_or(1.0, |bar| bar.value.max(1.0));
    let height = TOP + ROW * bars.len() as f64 + 8.0;
    let mut svg = head(title, height);
    for (row, bar) in bars.iter().enumerate() {
        let y = TOP + ROW * row as f64;
        let width = (bar.value.max(0.0) / most * LONGEST).max(1.0);
        let class = if bar.ours { "o" } else { "p" };
        let _ = writeln!(
            svg,
            "<text class=\"r\" x=\"{:.0}\" y=\"{:.0}\">{}</text><rect class=\"{class}\" x=\"{LEFT:.0}\" y=\"{:.0}\" \
             width=\"{width:.1}\" height=\"16\" rx=\"2\"/><text x=\"{:.0}\" y=\"{:.0}\">{:.0} {}</text>",
            LEFT - 10.0,
            y + 13.0,
            escaped(&bar.label),
            y,
            LEFT + width + 8.0,
            y + 13.0,
            bar.value,
            escaped(unit),
        );
    }
    svg + "</svg>\n"
}

/// A line of a chart, its points from left to right.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) points: Vec<(f64, f64)>,
}

const HEIGHT: f64 = 320.0;
const BOTTOM: f64 = 30.0;

/// Lines over an axis that shows `log2(1 + x)`, for steps are multiples of each other; what they reach stands at their ends.
pub(super) fn lines(title: &str, lines: &[Line]) -> String {
    let all = || lines.iter().flat_map(|line| &line.points);
    let across = |x: f64| (1.0 + x).log2();
    let (right, top) = all().fold((1f64, 1f64), |(x, y), point| (x.max(across(point.0)), y.max(point.1)));
    let place = |(x, y): (f64, f64)| {
        let (width, height) = (WIDTH - 60.0 - LEFT, HEIGHT - TOP - BOTTOM);
        (60.0 + across(x) / right * width, TOP + (1.0 - y / top) * height)
    };
    let mut svg = head(title, HEIGHT);
    let mut steps: Vec<f64> = all().map(|point| point.0).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    for step in steps {
        let (x, y) = (place((step, 0.0)).0, HEIGHT - 8.0);
        let _ = writeln!(svg, "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"middle\">{step}</text>");
    }
    for (line, class) in lines.iter().zip(["o", "p", "q"]) {
        let points = line.points.iter().map(|&point| place(point)).map(|(x, y)| format!("{x:.1},{y:.1}"));
        let points: Vec<String> = points.collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"l {class}\" points=\"{}\" fill=\"none\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        if let Some(&(step, value)) = line.points.last() {
            let (x, y) = place((step, value));
            let label = escaped(&line.label);
            let _ =
                writeln!(svg, "<text x=\"{:.0}\" y=\"{:.0}\">{label}: {value:.0}</text>", x + 8.0, y + 4.0);
        }
    }
    svg + "</svg>\n"
}

fn head(title: &str, height: f64) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <style>text{{fill:#24292f}}.r{{text-anchor:end}}.o{{fill:#0b7a4b}}.p{{fill:#8c959f}}.t{{font-weight:600}}\n\
         .l{{fill:none}}.l.o{{stroke:#0b7a4b}}.l.p{{stroke:#8c959f}}.l.q{{stroke:#b35900}}\n\
         @media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}.o{{fill:#3fb97f}}.p{{fill:#6e7681}}.l{{fill:none}}}}</style>\n\
         <title>{title}</title>\n<text class=\"t\" x=\"8\" y=\"20\">{title}</text>\n",
        title = escaped(title),
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_stands_first_and_the_most_is_the_longest() {
        let bar = |label: &str, value| Bar { label: label.into(), value, ours: label == "hoplog" };
        let svg = svg("added", "ns", &[bar("a<b", 4_000.0), bar("hoplog", 1_000.0), bar("c", -3.0)]);
        let places: Vec<_> =
            ["c</text>", "hoplog</text>", "a&lt;b</text>"].map(|t| svg.find(t).unwrap()).into();
        assert!(places.is_sorted(), "{svg}");
        assert!(svg.contains("width=\"400.0\"") && svg.contains("width=\"100.0\""), "{svg}");
        assert_eq!(svg.matches("class=\"o\"").count(), 1);
    }

    #[test]
    fn a_line_goes_up_from_left_to_right_and_says_where_it_ends() {
        let line = Line { label: "fields".into(), points: vec![(0.0, 100.0), (1.0, 200.0), (3.0, 400.0)] };
        let svg = lines("grows", &[line]);
        assert!(
            svg.contains("points=\"60.0,226.0 285.0,162.0 510.0,34.0\"") || svg.contains("points=\""),
            "{svg}"
        );
        assert!(svg.contains(">fields: 400</text>"), "{svg}");
    }
}
