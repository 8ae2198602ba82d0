//! How batches are compressed.

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// As they are.
    None,
    /// gzip level 1, from 1 KiB up.
    #[default]
    Gzip,
    /// zstd level 1, from 1 KiB up, to a server whose answers say that they take it (RFC 7694); gzip until then, and
    /// where they do not. Feature `zstd`.
    #[cfg(feature = "zstd")]
    Zstd,
}
