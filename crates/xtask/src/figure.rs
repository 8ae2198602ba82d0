//! `FIGURE name value unit`: one measured number on a line of its own, printed by benches and checks.

use std::fmt;

/// One figure. The part of its name before the first dot is the bench that prints it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
}

impl Figure {
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        Self { name: name.into(), value, unit: unit.into() }
    }

    /// The figure on this line, if it is one. Anything else that a bench prints is for people.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.trim().strip_prefix("FIGURE ")?.split_whitespace();
        let (name, value) = (words.next()?, words.next()?.parse::<f64>().ok()?);
        let unit: Vec<&str> = words.collect();
        (value.is_finite() && !unit.is_empty()).then(|| Self::new(name, value, unit.join(" ")))
    }

    /// Every figure in the output of a program.
    pub(crate) fn parse_all(output: &str) -> Vec<Self> {
        output.lines().filter_map(Self::parse).collect()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FIGURE {} {} {}", self.name, self.value, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_picked_out_of_what_else_is_printed() {
        let output = "warming up\nFIGURE a.b 4 allocations\n  FIGURE c 1.5 µs per entry\nFIGURES 3\n";
        let expected = [Figure::new("a.b", 4.0, "allocations"), Figure::new("c", 1.5, "µs per entry")];
        assert_eq!(Figure::parse_all(output), expected);
    }

    #[test]
    fn a_line_without_number_or_unit_is_no_figure() {
        for line in ["FIGURE a", "FIGURE a many x", "FIGURE a 4", "FIGURE a NaN ns", "FIGURE"] {
            assert_eq!(Figure::parse(line), None, "{line}");
        }
    }

    #[test]
    fn a_printed_figure_is_read_back() {
        let figure = Figure::new("weight.axum_crates", 52.0, "count");
        assert_eq!(Figure::parse(&figure.to_string()), Some(figure));
    }
}
