//! Secrets to hide and words to find again: made from a seed, each of them once.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

/// A piece of a secret of this many bytes is a leak. Of digits, which also tell times and sizes, the whole number is.
const PIECE: usize = 10;

/// How words begin that are to be found again, and how long they are.
const VISIBLE: &str = "visible";
const TWIN: usize = 19;

/// Everything that was hidden and everything that was shown.
pub(crate) struct Canaries {
    random: Random,
    secrets: Vec<String>,
    twins: Vec<String>,
    /// Pieces of secrets, which secret it is, and the whole that has to follow for it to be one.
    pieces: HashMap<[u8; PIECE], Vec<(usize, Vec<u8>)>>,
}

/// Splitmix64: a seed tells the whole run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn text(&mut self, letters: &[u8], len: usize) -> String {
        (0..len).map(|_| char::from(letters[(self.next() % letters.len() as u64) as usize])).collect()
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const DIGITS: &[u8] = b"0123456789";

impl Canaries {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed), secrets: Vec::new(), twins: Vec::new(), pieces: HashMap::new() }
    }

    /// How many secrets there are.
    pub(crate) fn count(&self) -> usize {
        self.secrets.len()
    }

    /// Every word that is to be found again.
    pub(crate) fn twins(&self) -> &[String] {
        &self.twins
    }

    /// The template with a new secret in the place of each `«shape»`, and a new word for `«visible»`. `«to N»` fills up
    /// to N bytes. `place` is what a leak is reported under.
    pub(crate) fn fill(&mut self, place: &str, template: &str) -> String {
        let mut out = String::new();
        for (index, part) in template.split('«').enumerate() {
            let (shape, rest) = part.split_once('»').unwrap_or(("", part));
            match (index, shape.strip_prefix("to ")) {
                (0, _) => {}
                (_, Some(to)) => {
                    let to: usize = to.parse().expect("«to N»");
                    (out.len()..to).for_each(|_| out.push('x'));
                }
                _ => out += &self.make(place, shape),
            }
            out += rest;
        }
        out
    }

    /// One secret of that shape, or a word to be found again.
    pub(crate) fn make(&mut self, place: &str, shape: &str) -> String {
        if shape == "visible" {
            let twin = format!("{VISIBLE}{}", self.random.text(LETTERS, TWIN - VISIBLE.len()));
            self.twins.push(twin.clone());
            return twin;
        }
        let random = &mut self.random;
        let mut letters = |n| random.text(LETTERS, n);
        // How it is written, and what of it nobody may see.
        let (text, cores) = match shape {
            // Known by their names alone.
            "token" => one(letters(28)),
            "long" => one(letters(120)),
            "percent" => {
                let plain = letters(20);
                (encoded(&plain, "%"), vec![plain.clone(), encoded(&plain, "%")])
            }
            "escaped" => {
                let plain = letters(20);
                (encoded(&plain, "\\u00"), vec![plain.clone(), encoded(&plain, "\\u00")])
            }
            "number" => one(format!("7{}", random.text(DIGITS, 14))),
            // Known by their shape.
            "jwt" => {
                let (payload, signature) = (letters(40), letters(43));
                let text = format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{payload}.{signature}");
                (text, vec![payload, signature])
            }
            "basic" => {
                let password = letters(21);
                let text = base64(&format!("shop:{password}"));
                (text.clone(), vec![text, password])
            }
            "pem" => {
                let lines: Vec<String> = (0..4).map(|_| random.text(BASE64, 64)).collect();
                let text = lines.join("\n");
                (format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----"), lines)
            }
            "aws" => one(format!("AKIA{}", random.text(UPPER, 16))),
            "github" => one(format!("ghp_{}", letters(36))),
            "gitlab" => one(format!("glpat-{}", letters(20))),
            "google" => one(format!("AIza{}", letters(35))),
            "npm" => one(format!("npm_{}", letters(36))),
            "slack" => one(format!("xoxb-{}-{}", random.text(DIGITS, 12), random.text(LETTERS, 24))),
            "stripe" => one(format!("sk_live_{}", letters(24))),
            "ours" => one(format!("hl_{}", letters(40))),
            "card" => one(card(&format!("4{}", random.text(DIGITS, 14)))),
            "card groups" => {
                let digits = card(&format!("53{}", random.text(DIGITS, 13)));
                let groups: Vec<&str> = (0..4).map(|n| &digits[4 * n..4 * n + 4]).collect();
                (groups.join(" "), vec![groups.join(" "), digits])
            }
            other => panic!("there is no shape `{other}`"),
        };
        let id = self.secrets.len();
        self.secrets.push(format!("{place}: a {shape}, {text}"));
        cores.iter().for_each(|core| self.watch(id, core.as_bytes()));
        text
    }

    fn watch(&mut self, id: usize, core: &[u8]) {
        let is_number = core.iter().all(|b| b.is_ascii_digit() || *b == b' ');
        let last = if is_number { 1 } else { core.len() - PIECE + 1 };
        for start in 0..last {
            let (piece, whole) = (&core[start..start + PIECE], if is_number { core } else { &[] });
            let piece = piece.try_into().expect("so many bytes");
            self.pieces.entry(piece).or_default().push((id, whole.to_vec()));
        }
    }

    /// The secrets of which a piece stands in these bytes, with what is around it.
    pub(crate) fn leaks(&self, bytes: &[u8]) -> Vec<(&str, String)> {
        let mut found = HashSet::new();
        let mut leaks = Vec::new();
        for (at, window) in bytes.windows(PIECE).enumerate() {
            let Some(pieces) = self.pieces.get(window) else { continue };
            for (id, whole) in pieces {
                if bytes[at..].starts_with(whole) && found.insert(*id) {
                    let around = &bytes[at.saturating_sub(80)..bytes.len().min(at + 80)];
                    let around = String::from_utf8_lossy(around).escape_debug().to_string();
                    leaks.push((&*self.secrets[*id], around));
                }
            }
        }
        leaks
    }
}

/// Every word to be found again that stands in these bytes.
pub(crate) fn twins_in(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts = bytes.iter().enumerate().filter(|(_, b)| **b == VISIBLE.as_bytes()[0]);
    let words = starts.filter_map(|(at, _)| bytes.get(at..at + TWIN));
    words.filter(|word| word.starts_with(VISIBLE.as_bytes()))
}

fn one(text: String) -> (String, Vec<String>) {
    (text.clone(), vec![text])
}

/// Each byte as hex behind a mark.
fn encoded(plain: &str, mark: &str) -> String {
    plain.bytes().fold(String::new(), |mut out, b| {
        let _ = write!(out, "{mark}{b:02x}");
        out
    })
}

fn base64(text: &str) -> String {
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        for n in 0..4 {
            let letter = BASE64[(bits >> (18 - 6 * n) & 63) as usize];
            out.push(if n <= three.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// With its check digit (ISO/IEC 7812-1, annex B).
fn card(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, b)| match (at % 2, u32::from(b - b'0')) {
            (0, d) => d * 2 / 10 + d * 2 % 10,
            (_, d) => d,
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[test]
fn a_piece_of_a_secret_is_found_and_a_twin_is_none() {
    let mut canaries = Canaries::new(1);
    let text = canaries.fill("here", "a=«token»&b=«visible»&n=«number»«to 200»");
    assert_eq!((canaries.count(), canaries.twins().len(), text.len()), (2, 1, 200));
    assert_eq!(canaries.leaks(text.as_bytes()).len(), 2);
    let [token, number] = ["a=", "n="].map(|name| text.split_once(name).unwrap().1.to_owned());
    assert_eq!(canaries.leaks(&token.as_bytes()[5..15]).len(), 1, "ten bytes are enough");
    assert!(canaries.leaks(&token.as_bytes()[5..14]).is_empty());
    assert_eq!(canaries.leaks(&number.as_bytes()[..15]).len(), 1);
    assert!(canaries.leaks(&number.as_bytes()[..14]).is_empty(), "a part of a number may be another number");
    assert!(canaries.leaks(canaries.twins()[0].as_bytes()).is_empty());
    assert_eq!(twins_in(text.as_bytes()).collect::<Vec<_>>(), [canaries.twins()[0].as_bytes()]);
    assert_eq!(base64("shop:s3cret"), "c2hvcDpzM2NyZXQ=");
    assert_eq!(card("453201511283036"), "4532015112830366");
}
