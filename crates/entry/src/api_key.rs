//! The form of an API key, `hl_<environment>_<key id>_<secret>_<checksum>`. The checksum tells a key that was mistyped
//! or cut off, without asking anybody; it is no secret and protects nothing.
//!
//! | part | characters | |
//! |---|---|---|
//! | environment | 1 to 16 of `a-z0-9` | for people, such as `live` or `test` |
//! | key id | 12 of `0-9A-Za-z` | public: what a collector looks the key up by |
//! | secret | 43 of `0-9A-Za-z` | 256 random bits |
//! | checksum | 6 of `0-9A-Za-z` | CRC-32C of all before its underscore |

use std::fmt;

use crate::crc32c;

const PREFIX: &str = "hl";
const ID: usize = 12;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;

/// The parts of a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiKey<'a> {
    /// For people, such as `live` or `test`.
    pub environment: &'a str,
    /// What a collector looks the key up by; public.
    pub id: &'a str,
    /// What nobody but the holder knows.
    pub secret: &'a str,
}

/// Why a text is no API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAnApiKey {
    /// It is something else: another family's key, or a text that somebody chose.
    Foreign,
    /// It was one, and is mistyped or cut off.
    Damaged,
}

impl<'a> ApiKey<'a> {
    /// Reads a key.
    ///
    /// # Errors
    /// It is none, or not whole.
    pub fn parse(text: &'a str) -> Result<Self, NotAnApiKey> {
        let mut parts = text.split('_');
        if parts.next() != Some(PREFIX) {
            return Err(NotAnApiKey::Foreign);
        }
        let (Some(environment), Some(id)) = (parts.next(), parts.next()) else {
            return Err(NotAnApiKey::Foreign);
        };
        let ours = is_environment(environment) && of(id, ID);
        let (secret, checksum, end) = (parts.next(), parts.next(), parts.next());
        match (secret, checksum, end) {
            (Some(secret), Some(checksum), None) if ours && of(secret, SECRET) => {
                let before = &text[..text.len() - checksum.len() - 1];
                match checksum == sum(before) {
                    true => Ok(Self { environment, id, secret }),
                    false => Err(NotAnApiKey::Damaged),
                }
            }
            (Some(_), Some(_), None) => Err(NotAnApiKey::Damaged),
            (Some(_), None, _) if ours => Err(NotAnApiKey::Damaged),
            _ => Err(NotAnApiKey::Foreign),
        }
    }

    /// A new key out of random bytes; `None` where the environment is none.
    #[must_use]
    pub fn compose(environment: &str, id: [u8; 9], secret: &[u8; 32]) -> Option<String> {
        if !is_environment(environment) {
            return None;
        }
        let key = format!("{PREFIX}_{environment}_{}_{}", digits(&id, ID), digits(secret, SECRET));
        let checksum = sum(&key);
        Some(key + "_" + &checksum)
    }
}

impl fmt::Debug for ApiKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

fn is_environment(text: &str) -> bool {
    (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn of(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn sum(text: &str) -> String {
    digits(&crc32c::append(0, text.as_bytes()).to_be_bytes(), CHECKSUM)
}

/// The last `count` digits of a number in base 62, big end first.
fn digits(number: &[u8], count: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = number.to_vec();
    let mut reversed = Vec::with_capacity(count);
    for _ in 0..count {
        let mut rest = 0_u16;
        for byte in &mut number {
            let value = rest << 8 | u16::from(*byte);
            // 62 * 256 bounds the value, so that the quotient is a byte.
            (*byte, rest) = ((value / 62).to_le_bytes()[0], value % 62);
        }
        reversed.push(char::from(DIGITS[usize::from(rest)]));
    }
    reversed.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> String {
        ApiKey::compose("live", [7; 9], &[0xA5; 32]).unwrap()
    }

    #[test]
    fn a_key_that_was_made_is_read_back_in_its_parts() {
        for (id, secret) in [([0; 9], [0; 32]), ([0xFF; 9], [0xFF; 32]), ([7; 9], [0xA5; 32])] {
            let text = ApiKey::compose("test2", id, &secret).unwrap();
            assert_eq!(text.len(), 3 + 5 + 1 + ID + 1 + SECRET + 1 + CHECKSUM);
            let read = ApiKey::parse(&text).unwrap();
            assert_eq!((read.environment, read.id.len(), read.secret.len()), ("test2", ID, SECRET));
            assert!(!format!("{read:?}").contains(read.secret));
        }
        assert_eq!(digits(&[0xFF; 32], SECRET).len(), SECRET);
        assert_eq!(digits(&62_u32.to_be_bytes(), 6), "000010");
        for environment in ["", "Live", "a_b", "12345678901234567"] {
            assert_eq!(ApiKey::compose(environment, [0; 9], &[0; 32]), None);
        }
    }

    #[test]
    fn every_single_typo_and_every_cut_is_noticed() {
        let key = key();
        for at in 3..key.len() {
            for other in ['0', 'Z', 'a', '_', '-'] {
                let mut typo = key.clone();
                typo.replace_range(at..=at, &other.to_string());
                assert!(typo == key || ApiKey::parse(&typo).is_err(), "{typo}");
            }
            assert!(ApiKey::parse(&key[..at]).is_err(), "{at}");
        }
        assert_eq!(ApiKey::parse(&key[..key.len() - 1]), Err(NotAnApiKey::Damaged));
        assert_eq!(ApiKey::parse(&key[..40]), Err(NotAnApiKey::Damaged));
        assert_eq!(ApiKey::parse(&(key + "x")), Err(NotAnApiKey::Damaged));
    }

    #[test]
    fn what_somebody_chose_is_another_familys() {
        for text in ["", "hl_key", "hl_", "hl_a_b_c", "clog_pk_1", "secret", "hl_my_own_little_key_for_tests"]
        {
            assert_eq!(ApiKey::parse(text), Err(NotAnApiKey::Foreign), "{text}");
        }
    }
}
