//! Bars as SVG: one row a subject, the least first, readable on a light and on a dark page.

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
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n\
         <style>text{{fill:#24292f}}.r{{text-anchor:end}}.o{{fill:#0b7a4b}}.p{{fill:#8c959f}}.t{{font-weight:600}}\n\
         @media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}.o{{fill:#3fb97f}}.p{{fill:#6e7681}}}}</style>\n\
         <title>{title}</title>\n<text class=\"t\" x=\"8\" y=\"20\">{title}</text>\n",
        title = escaped(title),
    );
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
}
