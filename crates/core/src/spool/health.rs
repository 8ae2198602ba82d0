//! What a disk's error means, and what is done about it.

use std::io;
use std::time::{Duration, Instant};

/// The sense of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The disk or the quota is full.
    NoSpace,
    /// We may not write.
    ReadOnly,
    /// The directory is not there any more.
    Gone,
    /// The process has no descriptor left.
    Descriptors,
    /// The disk fails.
    Io,
}

impl Trouble {
    pub(crate) fn of(error: &io::Error) -> Self {
        #[cfg(unix)]
        if let Some(libc::EMFILE | libc::ENFILE) = error.raw_os_error() {
            return Self::Descriptors;
        }
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly,
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Gone,
            _ => Self::Io,
        }
    }

    /// How long the disk is left alone.
    pub(crate) fn pause(self) -> Duration {
        match self {
            Self::NoSpace | Self::Descriptors => Duration::from_secs(5),
            Self::ReadOnly | Self::Gone | Self::Io => Duration::from_secs(30),
        }
    }
}

/// Whether frames are written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    #[default]
    Healthy,
    /// Appends are refused until then; the one after it tries the disk again.
    Degraded { why: Trouble, until: Instant },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_the_table_has_its_sense() {
        use io::ErrorKind as K;
        for (kind, trouble) in [
            (K::StorageFull, Trouble::NoSpace),
            (K::QuotaExceeded, Trouble::NoSpace),
            (K::ReadOnlyFilesystem, Trouble::ReadOnly),
            (K::PermissionDenied, Trouble::ReadOnly),
            (K::NotFound, Trouble::Gone),
            (K::Other, Trouble::Io),
            (K::WriteZero, Trouble::Io),
        ] {
            assert_eq!(Trouble::of(&kind.into()), trouble, "{kind:?}");
        }
        #[cfg(unix)]
        for (code, trouble) in [
            (libc::ENOSPC, Trouble::NoSpace),
            (libc::EDQUOT, Trouble::NoSpace),
            (libc::EROFS, Trouble::ReadOnly),
            (libc::EACCES, Trouble::ReadOnly),
            (libc::EMFILE, Trouble::Descriptors),
            (libc::ENFILE, Trouble::Descriptors),
            (libc::ENOENT, Trouble::Gone),
            (libc::EIO, Trouble::Io),
        ] {
            assert_eq!(Trouble::of(&io::Error::from_raw_os_error(code)), trouble, "{code}");
        }
        assert_eq!(Trouble::NoSpace.pause(), Duration::from_secs(5));
        assert_eq!(Trouble::Io.pause(), Duration::from_secs(30));
    }
}
