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
use super::seen;
use super::treatment::{Fate, Treatment};
use text::Text;

/// No shape without `=` and `:` is shorter: `Basic ` and 8 letters, a card number of 13 digits.
pub(super) const SHORTEST: usize = 13;
/// With them none is shorter than `pin=1`.
pub(super) const SHORTEST_PAIR: usize = 5;

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
    /// Keys that say what they are by their first letters: of AWS, Anthropic, DigitalOcean, GitHub, GitLab, Google,
    /// Hugging Face, npm, OpenAI, Shopify, Slack and Stripe, and our own `hl_…`. On by default.
    ServiceKey,
    /// The user and password in a URL (RFC 3986 §3.2.1), and the path of a Slack webhook. On by default.
    Url,
    /// `password=…`, `"password": "…"`, `<password>…</password>`: a secret name with its value. Where prose may stand,
    /// as behind `password: `, a value is in quotes or brackets, a number, or has letters and digits. On by default.
    Pair,
    /// Payment card numbers of 13 to 19 digits, with a known prefix and the right check digit (ISO/IEC 7812-1), in one
    /// piece or in groups. On by default.
    Card,
    /// E-mail addresses. Off by default.
    Email,
    /// IPv4 and IPv6 addresses. Off by default.
    IpAddress,
}

/// The bit of [`Detector::Card`].
const CARD: u16 = 1 << Detector::Card as u16;

impl Detector {
    pub(super) const ALL: [Self; 9] = [
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
            Self::Pair => b"=:>%",
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
            let byte = text.get(at)?;
            let mut asked = self.anchors[usize::from(byte)];
            if asked == 0 {
                at += 1;
                continue;
            }
            let mut next = at + 1;
            if byte.is_ascii_digit() {
                // Digits are asked about once, and the usual ones not at all: versions, counts, parts of dates.
                next = text.run(next, |b| b.is_ascii_digit());
                if !text.starts_word(at) || (asked == CARD && !cards::may_begin(next - at, text.cut)) {
                    at = next;
                    continue;
                }
            }
            while asked != 0 {
                let index = asked.trailing_zeros() as usize;
                asked &= asked - 1;
                let range = Detector::ALL[index].find(names, text, at);
                let fresh = range.filter(|range| range.start >= text.floor && range.end > at);
                if let (Some(range), Some(treatment)) = (fresh, self.treatments[index]) {
                    return Some(Found { range, treatment });
                }
            }
            at = next;
        }
    }

    /// Whether nothing is found in this text, a header's value; remembered per thread, as clients send the same ones
    /// again and again.
    #[inline]
    pub(super) fn is_plain(&self, names: &NameRules, value: &[u8]) -> bool {
        seen::value(names.id(), value, || self.first(names, value, false).is_none())
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
