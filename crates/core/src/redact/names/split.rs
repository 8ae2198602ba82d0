//! A name taken apart: its letters and digits in lower case, and where its parts begin.

/// Longer names are not taken apart.
pub(super) const MAX: usize = 128;

/// Parts begin after separators (everything but letters, digits and what is not ASCII), at humps (`apiKey`,
/// `APIKey`) and where digits begin or end.
pub(super) struct Split {
    text: [u8; MAX],
    /// What is before the letter at the same place.
    before: [Border; MAX],
    len: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Border {
    None,
    Hump,
    Separator,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Separator,
    Lower,
    Upper,
    Digit,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Lower; 256]; // bytes of other scripts are letters without case
    let mut b = 0;
    while b < 128 {
        classes[b as usize] = match b {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            _ => Class::Separator,
        };
        b += 1;
    }
    classes
};

impl Split {
    /// `None` if the name is longer than 128 bytes.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        if name.len() > MAX {
            return None;
        }
        let mut split = Self { text: [0; MAX], before: [Border::None; MAX], len: 0 };
        let (mut last_but_one, mut last) = (Class::Separator, Class::Separator);
        for &byte in name {
            let class = CLASSES[usize::from(byte)];
            if class != Class::Separator {
                let at = split.len;
                split.text[at] = byte.to_ascii_lowercase();
                split.before[at] = match (last, class) {
                    (Class::Separator, _) => Border::Separator,
                    (Class::Upper, Class::Lower) => Border::None,
                    _ if last == class => Border::None,
                    _ => Border::Hump,
                };
                // The last capital of a row begins the next word: `API|Key`.
                if (last_but_one, last, class) == (Class::Upper, Class::Upper, Class::Lower) {
                    split.before[at - 1] = Border::Hump;
                }
                split.len += 1;
            }
            (last_but_one, last) = (last, class);
        }
        Some(split)
    }

    /// The letters and digits.
    pub(super) fn text(&self) -> &[u8] {
        &self.text[..self.len]
    }

    pub(super) fn starts_part(&self, at: usize) -> bool {
        at < self.len && self.before[at] != Border::None
    }

    pub(super) fn ends_part(&self, end: usize) -> bool {
        end == self.len || self.starts_part(end)
    }

    /// Whether `text[at..at + len]` lies in one part.
    pub(super) fn is_unbroken(&self, at: usize, len: usize) -> bool {
        self.before[at + 1..at + len].iter().all(|&b| b == Border::None)
    }

    /// Whether `text[at..at + len]` has no separator in it; humps do not count.
    pub(super) fn is_unseparated(&self, at: usize, len: usize) -> bool {
        self.before[at + 1..at + len].iter().all(|&b| b != Border::Separator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &str) -> Vec<String> {
        let split = Split::of(name.as_bytes()).unwrap();
        let mut parts: Vec<String> = Vec::new();
        for (i, c) in std::str::from_utf8(split.text()).unwrap().char_indices() {
            if split.starts_part(i) {
                parts.push(String::new());
            }
            parts.last_mut().expect("the first letter starts a part").push(c);
        }
        parts
    }

    #[test]
    fn parts_begin_at_separators_humps_and_digits() {
        let table: [(&str, &[&str]); 15] = [
            ("", &[]),
            ("--_.", &[]),
            ("user", &["user"]),
            ("user_id", &["user", "id"]),
            ("X-Api-Key", &["x", "api", "key"]),
            ("apiKey", &["api", "key"]),
            ("APIKey", &["api", "key"]),
            ("APIKEY", &["apikey"]),
            ("AWSAccessKeyId", &["aws", "access", "key", "id"]),
            ("userID", &["user", "id"]),
            ("card[number]", &["card", "number"]),
            ("user.password_hash", &["user", "password", "hash"]),
            ("cvv2", &["cvv", "2"]),
            ("oauth2Token", &["oauth", "2", "token"]),
            ("비밀번호-확인", &["비밀번호", "확인"]),
        ];
        for (name, expected) in table {
            assert_eq!(parts(name), expected, "{name}");
        }
    }

    #[test]
    fn the_longest_name_is_taken_apart_and_a_longer_one_is_not() {
        assert_eq!(Split::of(&[b'a'; MAX]).unwrap().text(), [b'a'; MAX]);
        assert!(Split::of(&[b'a'; MAX]).unwrap().ends_part(MAX));
        assert!(Split::of(&[b'a'; MAX + 1]).is_none());
    }
}
