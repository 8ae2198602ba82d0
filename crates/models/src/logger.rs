//! As much of core's as the files ask for that are shared with it.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {}

impl std::fmt::Display for Refusal {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}
