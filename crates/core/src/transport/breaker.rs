//! When a server is taken to be away.

/// Failures in a row, of the way to a server or of the server itself, after which it is taken to be away.
const OPENS_AFTER: u32 = 5;

/// The circuit breaker of one endpoint. While it is open one attempt at a time asks whether the server is back, nothing
/// is encoded for it, and what comes goes to the spool. Any answer of a server that works closes it.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
}

impl Breaker {
    /// No answer came, or one of 5xx. True where that opens it.
    pub(crate) fn failed(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        self.failures == OPENS_AFTER
    }

    /// The server works, whatever it said.
    pub(crate) fn answered(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn is_open(&self) -> bool {
        self.failures >= OPENS_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_and_one_answer_closes_it() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            for _ in 0..4 {
                assert!(!breaker.failed() && !breaker.is_open());
            }
            breaker.answered();
        }
        let opened: Vec<bool> = (0..7).map(|_| breaker.failed()).collect();
        assert_eq!(opened, [false, false, false, false, true, false, false], "it opens once");
        assert!(breaker.is_open());
        breaker.answered();
        assert!(!breaker.is_open());
    }
}
