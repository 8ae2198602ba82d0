//! The names in a spool. Whatever is named otherwise is somebody else's.

use crate::EntryId;

/// The file that a writer keeps locked while it lives.
pub const LOCK: &str = "LOCK";
/// The directory of what could not be read.
pub const QUARANTINE: &str = "quarantine";

/// What a file in a writer's directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Locked while its writer lives.
    Lock,
    /// A segment, by its number.
    Segment(u64),
    /// The hint beside the segment of this number.
    Ack(u64),
    /// A hint that was not finished.
    AckTmp(u64),
}

impl Name {
    /// `None` for every other name: only what would be written just so is read, for
    /// a name read wrongly is a file removed wrongly.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let parsed = match name {
            LOCK => Self::Lock,
            _ => match (name.strip_prefix("seg-"), name.strip_prefix("ack-")) {
                (Some(rest), _) => Self::Segment(rest.strip_suffix(".log")?.parse().ok()?),
                (_, Some(rest)) => match rest.strip_suffix(".tmp") {
                    Some(rest) => Self::AckTmp(rest.parse().ok()?),
                    None => Self::Ack(rest.parse().ok()?),
                },
                _ => return None,
            },
        };
        (parsed.to_string() == name).then_some(parsed)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lock => f.write_str(LOCK),
            Self::Segment(number) => write!(f, "seg-{number:020}.log"),
            Self::Ack(number) => write!(f, "ack-{number:020}"),
            Self::AckTmp(number) => write!(f, "ack-{number:020}.tmp"),
        }
    }
}

/// The writer whose directory has this name.
#[must_use]
pub fn writer(name: &str) -> Option<EntryId> {
    let id: EntryId = name.parse().ok()?;
    (id.to_string() == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_no_other_name_is_taken_for_ours() {
        for name in [Name::Lock, Name::Segment(0), Name::Segment(u64::MAX), Name::Ack(7), Name::AckTmp(7)] {
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
        assert_eq!(Name::Segment(7).to_string(), "seg-00000000000000000007.log");
        for other in [
            "",
            "lock",
            "seg-7.log",
            "seg-+0000000000000000007.log",
            "seg-00000000000000000007.log.gz",
            "ack-00000000000000000007.log",
            "seg-99999999999999999999.log",
            "notes.txt",
        ] {
            assert_eq!(Name::parse(other), None, "{other}");
        }
        let id = EntryId::from_bytes([7; 16]);
        assert_eq!(writer(&id.to_string()), Some(id));
        assert_eq!(writer(&id.to_string().replace('-', "")), None);
        assert_eq!(writer(QUARANTINE), None);
    }
}
