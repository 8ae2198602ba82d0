//! gzip by zlib-rs, its state kept from batch to batch: setting it up costs more than a small batch.

use std::io;

use flate2::{Compress, Compression, FlushCompress, Status};

/// Entries repeat themselves so much that a higher level costs far more time than it saves bytes.
const LEVEL: u32 = 1;
const WINDOW_BITS: u8 = 15;

/// A compressor and its state (about 400 KiB once used).
#[derive(Debug)]
pub(crate) struct Gzip {
    state: Compress,
}

impl Gzip {
    pub(crate) fn new() -> Self {
        Self { state: Compress::new_gzip(Compression::new(LEVEL), WINDOW_BITS) }
    }

    /// `plain` as one gzip member.
    ///
    /// # Errors
    /// None that zlib documents for these calls; they are passed on all the same.
    pub(crate) fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        self.state.reset();
        // Entries shrink to about a sixth.
        let mut out = Vec::with_capacity(plain.len() / 5 + 1024);
        loop {
            let read = self.state.total_in() as usize;
            let rest = plain.get(read..).unwrap_or_default();
            match self.state.compress_vec(rest, &mut out, FlushCompress::Finish).map_err(io::Error::other)? {
                Status::StreamEnd => return Ok(out),
                Status::Ok | Status::BufError => out.reserve(out.capacity().max(1024)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_is_compressed_reads_back_time_after_time() {
        let mut gzip = Gzip::new();
        for plain in [
            Vec::new(),
            b"x".to_vec(),
            b"{\"a\":1}".repeat(50_000),
            (0..=255u8).cycle().take(300_000).collect(),
        ] {
            let packed = gzip.compress(&plain).unwrap();
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut read).unwrap();
            assert_eq!(read, plain);
        }
    }
}
