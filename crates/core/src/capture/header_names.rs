//! Names of a framework's own type, told apart by a number instead of by their text.
//!
//! `http` has a number for every standard name, which no function tells; but hashing a name writes it. It leads to a
//! place in a table, and what stands there is compared with the name: were the numbers others, or none, names would be
//! found by their text, more slowly.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::HeaderName;

/// More than there are standard names.
const PLACES: usize = 128;

/// The names of which something is known, each in the place of its number; for glue crates. Names are of the framework's
/// type `K`, which derives `Hash` from an enum of the standard ones.
pub struct HeaderNames<K>([Option<(K, HeaderName<'static>)>; PLACES]);

impl<K: Hash + Eq> HeaderNames<K> {
    /// A table of them; `name` makes one of lower-case text.
    pub fn new(name: impl Fn(&'static str) -> K) -> Self {
        let mut places = [const { None }; PLACES];
        for common in HeaderName::common() {
            let name = name(common.as_str());
            if let Some(place) = places.get_mut(number(&name)) {
                *place = Some((name, common));
            }
        }
        Self(places)
    }

    /// What is known of a name whose text is `text`.
    #[inline(always)] // asked of every header
    pub fn find<'h>(&self, name: &K, text: impl FnOnce() -> &'h str) -> HeaderName<'h> {
        match self.0.get(number(name)) {
            Some(Some((known, found))) if known == name => *found,
            _ => text().into(),
        }
    }
}

/// A name that is looked up when it is asked for, as not every header's is.
#[derive(Debug)]
pub struct LazyName<'h, K: 'static> {
    name: &'h K,
    names: &'static HeaderNames<K>,
}

impl<K: Hash + Eq> HeaderNames<K> {
    /// A name to be looked up among these.
    #[inline(always)] // asked of every header
    pub fn lazily<'h>(&'static self, name: &'h K) -> LazyName<'h, K> {
        LazyName { name, names: self }
    }
}

impl<'h, K: Hash + Eq + AsRef<str>> From<LazyName<'h, K>> for HeaderName<'h> {
    #[inline(always)]
    fn from(LazyName { name, names }: LazyName<'h, K>) -> Self {
        names.find(name, || name.as_ref())
    }
}

impl<K> fmt::Debug for HeaderNames<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderNames").finish_non_exhaustive()
    }
}

/// That of a standard name; of any other one that no place has.
#[inline(always)]
fn number(name: &impl Hash) -> usize {
    let mut number = Number(0);
    name.hash(&mut number);
    number.0
}

/// Puts together the numbers of the enums that a name is made of: 0 and its own for a standard name.
struct Number(usize);

impl Hasher for Number {
    #[inline(always)]
    fn write_isize(&mut self, n: isize) {
        self.0 = self.0.wrapping_mul(PLACES).wrapping_add(n as usize);
    }

    #[inline(always)]
    fn write(&mut self, _: &[u8]) {
        self.0 = usize::MAX;
    }

    fn finish(&self) -> u64 {
        self.0 as u64
    }
}
