//! zstd, its state kept from batch to batch.

use std::io;

use zstd::bulk::Compressor;

/// Entries repeat themselves so much that a higher level costs more time than it saves bytes.
const LEVEL: i32 = 1;

/// A compressor; its state is made with the first batch.
#[derive(Default)]
pub(crate) struct Zstd {
    state: Option<Compressor<'static>>,
}

impl Zstd {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `plain` as one zstd frame, its length in the head.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let state = match &mut self.state {
            Some(state) => state,
            none => none.insert(Compressor::new(LEVEL)?),
        };
        state.compress(plain)
    }
}

impl std::fmt::Debug for Zstd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Zstd").finish_non_exhaustive()
    }
}

/// What [`Zstd::compress`] was given.
///
/// # Errors
/// The bytes are no zstd.
pub(crate) fn unzstd(packed: &[u8]) -> io::Result<Vec<u8>> {
    zstd::stream::decode_all(packed)
}
