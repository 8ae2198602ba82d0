//! What hoplog says about itself: to stderr, at most one line per subject and minute, never an entry's content.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const QUIET: Duration = Duration::from_secs(60);

/// Lines that repeat are counted instead of printed.
#[derive(Debug, Default)]
pub struct Diagnostics {
    subjects: Mutex<HashMap<&'static str, Subject>>,
}

#[derive(Debug)]
struct Subject {
    last: Instant,
    held_back: u64,
}

impl Diagnostics {
    /// Prints `line()` unless this subject was heard within the last minute.
    pub fn warn(&self, subject: &'static str, line: impl FnOnce() -> String) {
        if let Some(held_back) = self.may_speak(subject, Instant::now()) {
            let more = if held_back > 0 {
                format!(" ({held_back} more since the last line)")
            } else {
                String::new()
            };
            // Where nobody reads stderr any more there is nobody to tell; `eprintln!` would panic.
            let _ = writeln!(std::io::stderr(), "hoplog: {}{more}", line());
        }
    }

    /// How many lines were held back since the last one, or `None` where it is too soon.
    fn may_speak(&self, subject: &'static str, now: Instant) -> Option<u64> {
        let mut subjects = self.subjects.lock().unwrap_or_else(PoisonError::into_inner);
        match subjects.get_mut(subject) {
            Some(s) if now.saturating_duration_since(s.last) < QUIET => {
                s.held_back += 1;
                None
            }
            Some(s) => {
                s.last = now;
                Some(std::mem::take(&mut s.held_back))
            }
            None => {
                subjects.insert(subject, Subject { last: now, held_back: 0 });
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_speaks_once_a_minute_and_says_what_it_held_back() {
        let d = Diagnostics::default();
        let start = Instant::now();
        assert_eq!(d.may_speak("down", start), Some(0));
        assert_eq!(d.may_speak("other", start), Some(0));
        for s in 1..60 {
            assert_eq!(d.may_speak("down", start + Duration::from_secs(s)), None);
        }
        assert_eq!(d.may_speak("down", start + QUIET), Some(59));
        assert_eq!(d.may_speak("down", start + QUIET), None);
    }
}
