//! Secrets known by their shape, in free text: one file per idea.
//!
//! One walk over the text stops at bytes that are rare in prose and stand in each of the shapes (`J` of `eyJ`, `_` of
//! `ghp_`, digits, `:` and `=`), and asks the detectors of that byte. Each looks at its surroundings and says how far the
//! secret reaches. What is found goes whole, nothing else does.

mod addresses;
mod authorization;
mod base64;
mod cards;
mod email;
mod jwt;
mod keys;
mod pairs;
mod pem;
mod text;
mod urls;

use std::ops::Range;

use super::Redactor;
use super::names::NameRules;
use super::rewrite::Rewrite;
use super::treatment::{Fate, Treatment};
use text::Text;

/// No shape is shorter: `Basic ` and 8 letters, a card number of 13 digits.
pub(super) const SHORTEST: usize = 13;

/// What a secret in free text looks like.
///
/// Free text are messages, errors and their causes, string values, headers without a fixed form, and single query
/// values and path segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detector {
    /// JSON web tokens, signed or encrypted (RFC 7519). On by default.
    Jwt,
    /// `Bearer …` (RFC 6750) and `Basic …` (RFC 7617). On by default.
    Authorization,
    /// Private keys in PEM (RFC 7468). On by default.
    PrivateKey,
    /// Keys of AWS, GitHub, GitLab, Google, npm, Slack and Stripe that say what they are by their first letters, and our
    /// own `hl_…`. On by default.
    ServiceKey,
    /// The user and password in a URL (RFC 3986 §3.2.1), and the path of a Slack webhook. On by default.
    Url,
    /// `password=…`, `"password": "…"`, `password: "…"`: a secret name with its value. On by default.
    Pair,
    /// Payment card numbers of 13 to 19 digits, with a known prefix and the right check digit (ISO/IEC 7812-1), in one
    /// piece or in groups. On by default.
    Card,
    /// E-mail addresses. Off by default.
    Email,
    /// IPv4 and IPv6 addresses. Off by default.
    IpAddress,
}

impl Detector {
    const ALL: [Self; 9] = [
        Self::Jwt,
        Self::Authorization,
        Self::PrivateKey,
        Self::ServiceKey,
        Self::Url,
        Self::Pair,
        Self::Card,
        Self::Email,
        Self::IpAddress,
    ];

    /// Bytes at which the walk asks this detector. Each of its shapes holds one of them.
    fn anchors(self) -> &'static [u8] {
        match self {
            Self::Jwt => b"J",
            Self::Authorization => b"Bb",
            Self::PrivateKey => b"-",
            Self::ServiceKey => keys::ANCHORS,
            Self::Url => b":",
            Self::Pair => b"=:",
            Self::Card => b"0123456789",
            Self::Email => b"@",
            Self::IpAddress => b"0123456789:",
        }
    }

    fn find(self, names: &NameRules, text: &Text<'_>, at: usize) -> Option<Range<usize>> {
        match self {
            Self::Jwt => jwt::find(text, at),
            Self::Authorization => authorization::find(text, at),
            Self::PrivateKey => pem::find(text, at),
            Self::ServiceKey => keys::find(text, at),
            Self::Url => urls::find(text, at),
            Self::Pair => pairs::find(names, text, at),
            Self::Card => cards::find(text, at),
            Self::Email => email::find(text, at),
            Self::IpAddress => addresses::find(text, at),
        }
    }
}

/// Which detectors look, and what becomes of what they find.
#[derive(Debug)]
pub(super) struct ValueRules {
    treatments: [Option<Treatment>; Detector::ALL.len()],
    /// For every byte the detectors that it is an anchor of, one bit each.
    anchors: Box<[u16; 256]>,
}

/// A stretch of text that goes.
struct Found {
    range: Range<usize>,
    treatment: Treatment,
}

impl ValueRules {
    /// The defaults, changed by `own` in order; `None` turns a detector off.
    pub(super) fn new(own: &[(Detector, Option<Treatment>)]) -> Self {
        let mut treatments = [Some(Treatment::Mask); Detector::ALL.len()];
        treatments[Detector::Email as usize] = None;
        treatments[Detector::IpAddress as usize] = None;
        for (detector, treatment) in own {
            treatments[*detector as usize] = *treatment;
        }
        let mut anchors = Box::new([0; 256]);
        for detector in Detector::ALL.into_iter().filter(|d| treatments[*d as usize].is_some()) {
            for &byte in detector.anchors() {
                anchors[usize::from(byte)] |= 1 << detector as u16;
            }
        }
        Self { treatments, anchors }
    }

    /// Whether any detector looks.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.treatments.iter().any(Option::is_some)
    }

    /// The first secret from `at` on.
    fn next(&self, names: &NameRules, text: &Text<'_>, mut at: usize) -> Option<Found> {
        loop {
            at += text.bytes.get(at..)?.iter().position(|&b| self.anchors[usize::from(b)] != 0)?;
            let mut asked = self.anchors[usize::from(text.bytes[at])];
            while asked != 0 {
                let index = asked.trailing_zeros() as usize;
                asked &= asked - 1;
                let range = Detector::ALL[index].find(names, text, at);
                let fresh = range.filter(|range| range.start >= text.floor && range.end > at);
                if let (Some(range), Some(treatment)) = (fresh, self.treatments[index]) {
                    return Some(Found { range, treatment });
                }
            }
            at += 1;
        }
    }

    /// What becomes of the first secret in `bytes`. `cut` says that their end is missing.
    pub(super) fn first(&self, names: &NameRules, bytes: &[u8], cut: bool) -> Option<Fate> {
        let found = self.next(names, &Text { bytes, floor: 0, cut }, 0)?;
        Some(Fate::Treat(found.treatment))
    }
}

/// Calls `treat` with each secret in the text, in order. `cut` says that the end of the text is missing.
pub(super) fn each(rules: &Redactor, bytes: &[u8], cut: bool, mut treat: impl FnMut(Range<usize>, Fate)) {
    let mut text = Text { bytes, floor: 0, cut };
    let mut at = 0;
    while let Some(Found { range, treatment }) = rules.values.next(&rules.names, &text, at) {
        (at, text.floor) = (range.end, range.end);
        treat(range, Fate::Treat(treatment));
    }
}

/// Replaces the secrets in `raw[from..to]`.
pub(super) fn mask(rules: &Redactor, rewrite: &mut Rewrite<'_>, from: usize, to: usize, cut: bool) {
    let bytes = &rewrite.raw()[from..to];
    each(rules, bytes, cut, |range, fate| {
        rewrite.treat(&rules.key, fate, from + range.start, from + range.end);
    });
}

/// Whether no detector that is on by default finds anything in a header's value, for sure. Of short secrets, as
/// `Basic` with eight letters, it may miss some: no header but `authorization` carries them, and that one has a name.
pub(super) fn is_plain(value: &[u8]) -> bool {
    // Every shape is 15 letters or more without a blank or slash between, or a card number in groups, which has no
    // letters; or it has `@` or `=` in it. So one of any two blocks of eight lies within it.
    let Some(last) = value.last_chunk::<16>() else { return value.len() < SHORTEST };
    let (mut suspect, mut marks) = (false, [0; 16]);
    let mut look = |block: &[u8; 16]| {
        let (mut gaps, mut letters) = ([0; 16], [0; 16]);
        for (at, &b) in block.iter().enumerate() {
            gaps[at] = u8::from(b < b'-') | u8::from(b == b'/');
            letters[at] = u8::from(b > b'9');
            marks[at] |= u8::from(b == b'@') | u8::from(b == b'=');
        }
        let halves =
            |bytes: [u8; 16]| (u128::from_ne_bytes(bytes) as u64, (u128::from_ne_bytes(bytes) >> 64) as u64);
        let (gaps, letters) = (halves(gaps), halves(letters));
        suspect |= (gaps.0 == 0) | (gaps.1 == 0) | (letters.0 == 0) | (letters.1 == 0);
    };
    value.as_chunks().0.iter().for_each(&mut look);
    look(last);
    !suspect && u128::from_ne_bytes(marks) == 0
}
