//! Compressing batches with what their server takes.

use std::io::{self, Read as _};

use crate::config::Compression;
use crate::encode::Gzip;
#[cfg(feature = "zstd")]
use crate::encode::Zstd;
use crate::transport::Encoding;

/// Below this a batch is not worth compressing.
const WORTH_IT: usize = 1024;

/// Compresses batch after batch in the same memory.
#[derive(Debug)]
pub(super) struct Packer {
    gzip: Option<Gzip>,
    #[cfg(feature = "zstd")]
    zstd: Option<Zstd>,
    /// Whether the last answer that spoke of it takes zstd (RFC 7694 §3).
    #[cfg(feature = "zstd")]
    takes_zstd: bool,
}

impl Packer {
    pub(super) fn new(wanted: Compression) -> Self {
        Self {
            // With zstd too: it is what goes out until the server has said that it takes zstd.
            gzip: (wanted != Compression::None).then(Gzip::new),
            #[cfg(feature = "zstd")]
            zstd: (wanted == Compression::Zstd).then(Zstd::new),
            #[cfg(feature = "zstd")]
            takes_zstd: false,
        }
    }

    /// The bytes to send.
    pub(super) fn pack(&mut self, plain: &[u8]) -> (Vec<u8>, Encoding) {
        if plain.len() < WORTH_IT {
            return (plain.to_vec(), Encoding::Plain);
        }
        #[cfg(feature = "zstd")]
        if self.takes_zstd
            && let Some(packed) = self.zstd.as_mut().and_then(|zstd| zstd.compress(plain).ok())
        {
            return (packed, Encoding::Zstd);
        }
        match self.gzip.as_mut().map(|gzip| gzip.compress(plain)) {
            Some(Ok(packed)) => (packed, Encoding::Gzip),
            _ => (plain.to_vec(), Encoding::Plain),
        }
    }

    /// Uses a coding no more that the server does not know; false where it is none.
    pub(super) fn give_up(&mut self, encoding: Encoding) -> bool {
        match encoding {
            Encoding::Plain => return false,
            Encoding::Gzip => self.gzip = None,
            #[cfg(feature = "zstd")]
            Encoding::Zstd => self.zstd = None,
        }
        true
    }

    /// Hears what the server says it takes.
    #[cfg(feature = "zstd")]
    pub(super) fn learn(&mut self, answer: &crate::transport::Answer) {
        if let Some(list) = &answer.accept_encoding {
            self.takes_zstd = crate::transport::accepts(list, "zstd");
        }
    }
}

/// What [`Packer::pack`] was given.
///
/// # Errors
/// The bytes are not what it made.
pub(super) fn unpack(bytes: &[u8], encoding: Encoding) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    match encoding {
        Encoding::Plain => plain.extend_from_slice(bytes),
        Encoding::Gzip => {
            flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain)?;
        }
        #[cfg(feature = "zstd")]
        Encoding::Zstd => plain = crate::encode::unzstd(bytes)?,
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "zstd")]
    use crate::transport::Answer;

    #[test]
    fn what_is_packed_unpacks_and_little_is_left_as_it_is() {
        for wanted in [Compression::None, Compression::Gzip] {
            let mut packer = Packer::new(wanted);
            for (len, packed) in [(0, false), (1_023, false), (1_024, true), (100_000, true)] {
                let plain = vec![b'x'; len];
                let (bytes, encoding) = packer.pack(&plain);
                let expected = packed && wanted == Compression::Gzip;
                assert_eq!(encoding == Encoding::Gzip, expected, "{wanted:?} {len}");
                assert_eq!(unpack(&bytes, encoding).unwrap(), plain, "{wanted:?} {len}");
            }
        }
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn zstd_is_used_from_the_answer_on_that_names_it_and_no_longer_than_that() {
        let mut packer = Packer::new(Compression::Zstd);
        let plain = vec![b'x'; 5_000];
        for (says, expected) in [
            (None, Encoding::Gzip),
            (Some("zstd, gzip"), Encoding::Zstd),
            (None, Encoding::Zstd),
            (Some("gzip, zstd;q=0"), Encoding::Gzip),
        ] {
            let accept_encoding = says.map(str::to_owned);
            packer.learn(&Answer { status: 200, retry_after: None, accept_encoding, body: Vec::new() });
            let (bytes, encoding) = packer.pack(&plain);
            assert_eq!(encoding, expected, "{says:?}");
            assert_eq!(unpack(&bytes, encoding).unwrap(), plain, "{says:?}");
        }
        let mut gzip = Packer::new(Compression::Gzip);
        let accept_encoding = Some("zstd".into());
        gzip.learn(&Answer { status: 200, retry_after: None, accept_encoding, body: Vec::new() });
        assert_eq!(gzip.pack(&plain).1, Encoding::Gzip, "nobody asked for zstd");
    }
}
