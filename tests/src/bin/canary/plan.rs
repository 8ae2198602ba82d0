//! What the test tells the service to be and to do.

use std::io::BufRead as _;

use serde_json::Value;

/// The whole of it.
pub(crate) struct Plan {
    settings: Value,
    steps: Vec<Step>,
}

/// What the handler of `/steps/{n}` does, and what with.
pub(crate) struct Step {
    pub(crate) act: String,
    /// A content type, where the act needs one.
    pub(crate) kind: String,
    pub(crate) text: String,
}

impl Plan {
    /// The first line of stdin.
    pub(crate) fn read() -> Self {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).expect("a plan on stdin");
        let settings: Value = serde_json::from_str(&line).expect("a plan in JSON");
        let text = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let of = |step: &Value| Step {
            act: text(step, "act"),
            kind: text(step, "kind"),
            text: text(step, "text"),
        };
        let steps = settings["steps"].as_array().map_or(&[][..], Vec::as_slice).iter().map(of).collect();
        Self { settings, steps }
    }

    /// A setting; empty where it is not in the plan.
    pub(crate) fn setting(&self, name: &str) -> &str {
        self.settings[name].as_str().unwrap_or_default()
    }

    /// Whether what cannot be delivered is given up at once at the end.
    pub(crate) fn is_impatient(&self) -> bool {
        self.settings["impatient"] == true
    }

    /// # Panics
    /// There is no such step.
    pub(crate) fn step(&self, n: usize) -> &Step {
        &self.steps[n]
    }
}

impl Step {
    /// The lines of its text as header lines.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.text.lines().filter_map(|line| line.split_once(": "))
    }
}
