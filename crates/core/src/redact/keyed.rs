//! Keyed hashes: values that can be joined and not read.

use std::fmt;

/// The fewest bytes of a key that an application may give: 128 bits, what the hash keeps.
pub(super) const SHORTEST: usize = 16;
/// Bytes of the hash that are kept.
const KEPT: usize = 16;

/// The key of HMAC-SHA256 (RFC 2104). Never printed.
#[derive(Clone)]
pub(super) struct HashKey(Box<[u8]>);

impl HashKey {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(key.into())
    }

    /// A key of this process alone; `None` where the system gives no random bytes.
    pub(super) fn random() -> Option<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok().map(|()| Self::new(&key))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Appends the mark of this value: `hmac:` and 32 hex digits.
    pub(super) fn write(&self, value: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"hmac:");
        let hash = hmac_sha256::HMAC::mac(value, &self.0);
        for byte in &hash[..KEPT] {
            out.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
        }
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_hmac_sha256_cut_in_half() {
        // RFC 4231 §4.3, test case 2.
        let mut out = Vec::new();
        HashKey::new(b"Jefe").write(b"what do ya want for nothing?", &mut out);
        assert_eq!(out, b"hmac:5bdcc146bf60754e6a042426089575c7");
    }

    #[test]
    fn a_key_does_not_show_itself_and_each_process_has_its_own() {
        let [a, b] = [(); 2].map(|()| HashKey::random().unwrap());
        assert_ne!(a.0, b.0);
        assert_eq!(format!("{:?}", HashKey::new(b"geheim")), "HashKey(…)");
    }
}
