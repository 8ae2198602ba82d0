//! Which names stand for a secret: of a header, of a query parameter, of a key in JSON or a form.
//!
//! A name is taken apart at separators, humps and digits (`split`) and searched for the words of a list (`words`),
//! each of which says how it has to lie in the name. So `api_key`, `X-Api-Key`, `APIKEY` and `user[apiKey]` are one
//! name, and `author` is not `auth`. Names repeat: what was found is remembered per thread (`cache`).

mod cache;
mod split;
#[cfg(test)]
mod tests;
mod words;

use std::sync::atomic::{AtomicU64, Ordering};

use super::treatment::Treatment;
use split::Split;
use words::{Fit, INNOCENT, SECRET};

/// The rules for names, built once and then only read.
#[derive(Debug)]
pub(super) struct NameRules {
    /// Tells the rules of several clients apart in the caches of threads; never zero.
    id: u64,
    /// Sorted by the pair of letters at their beginning.
    words: Box<[Word]>,
    /// `words[starts[p]..starts[p + 1]]` begin with pair `p`: none of them for most places of most names.
    starts: Box<[u16; PAIRS + 1]>,
    /// Words under which a match does not count.
    innocent: Box<[Box<[u8]>]>,
}

#[derive(Debug)]
struct Word {
    text: Box<[u8]>,
    fit: Fit,
    treatment: Treatment,
    /// The application's own: it goes before the built-in ones.
    own: bool,
}

const PAIRS: usize = 32 * 32;

/// A number for the first two letters; distinct for those of `a` to `z`.
fn pair(first: u8, second: u8) -> usize {
    usize::from(first % 32) * 32 + usize::from(second % 32)
}

impl NameRules {
    /// The built-in words, with `secret` added and `innocent` taken out. Both are read as names are: case and
    /// separators do not count. Words without a letter or digit, or of one alone, are left out.
    pub(super) fn new(secret: &[(impl AsRef<str>, Treatment)], innocent: &[impl AsRef<str>]) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);

        let built_in = SECRET.iter().map(|&(text, fit)| Word {
            text: text.as_bytes().into(),
            fit,
            treatment: Treatment::Mask,
            own: false,
        });
        let added = secret.iter().filter_map(|(word, treatment)| {
            let text = normal_form(word.as_ref())?;
            Some(Word { text, fit: Fit::Joined, treatment: *treatment, own: true })
        });
        let mut words: Box<[Word]> = built_in.chain(added).collect();
        let pair_of = |word: &Word| pair(word.text[0], word.text[1]);
        words.sort_by_key(pair_of);

        let mut starts = Box::new([0; PAIRS + 1]);
        for word in &words {
            for start in &mut starts[pair_of(word) + 1..] {
                *start += 1;
            }
        }
        let built_in = INNOCENT.iter().map(|w| w.as_bytes().into());
        let innocent = built_in.chain(innocent.iter().filter_map(|w| normal_form(w.as_ref()))).collect();
        Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), words, starts, innocent }
    }

    /// What becomes of what goes by this name; `None` if it is no secret. A name of more than 128 bytes is one: nobody
    /// reads it to judge.
    #[inline]
    pub(super) fn treatment(&self, name: &[u8]) -> Option<Treatment> {
        cache::remember(self.id, name, || self.decide(name))
    }

    #[inline]
    pub(super) fn is_secret(&self, name: &[u8]) -> bool {
        self.treatment(name).is_some()
    }

    fn decide(&self, name: &[u8]) -> Option<Treatment> {
        let Some(name) = Split::of(name) else { return Some(Treatment::Mask) };
        let found = |(at, two): (usize, &[u8])| {
            let pair = pair(two[0], two[1]);
            let words = &self.words[usize::from(self.starts[pair])..usize::from(self.starts[pair + 1])];
            let matches = |word: &&Word| {
                name.text()[at..].starts_with(&word.text)
                    && word.fit.holds(&name, at, word.text.len())
                    && !self.is_excused(&name, at, word.text.len())
            };
            words.iter().filter(matches).max_by_key(|word| word.own)
        };
        // Of several words in a name the application's own counts.
        let words = name.text().windows(2).enumerate().filter_map(found);
        words.max_by_key(|word| word.own).map(|word| word.treatment)
    }

    /// Whether an innocent word that begins with a part of the name covers the match.
    fn is_excused(&self, name: &Split, at: usize, len: usize) -> bool {
        self.innocent.iter().any(|word| {
            let earliest = (at + len).saturating_sub(word.len());
            (earliest..=at).any(|i| name.starts_part(i) && name.text()[i..].starts_with(word))
        })
    }
}

/// Whether a word can be matched at all; the complaint of the configuration about one that cannot.
pub(super) fn is_word(word: &str) -> bool {
    normal_form(word).is_some()
}

/// A word without its separators, in lower case; at least two characters, as the search goes by pairs.
fn normal_form(word: &str) -> Option<Box<[u8]>> {
    Split::of(word.as_bytes()).filter(|s| s.text().len() > 1).map(|s| s.text().into())
}
