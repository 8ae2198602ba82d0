//! Texts in which nothing was found, per thread: the user agents of the clients at the other end, the queries that they ask
//! again and again.

use std::cell::RefCell;
use std::thread::LocalKey;

use crate::redact::hash::Ends;

/// 4 KiB of each kind per thread that handles requests.
const SLOTS: usize = 16;
/// Longer texts are looked through each time.
const MAX: usize = 246;

/// Direct-mapped: a newcomer takes the place of the text that hashes alike.
#[derive(Clone, Copy)]
struct Slot {
    rules: u64,
    len: u16,
    text: [u8; MAX],
}

type Slots = RefCell<[Slot; SLOTS]>;

thread_local! {
    static VALUES: Slots = const { nothing() };
    static QUERIES: Slots = const { nothing() };
}

const fn nothing() -> Slots {
    RefCell::new([Slot { rules: 0, len: 0, text: [0; MAX] }; SLOTS])
}

/// What `is_plain` said about this value of a header under these rules, the last time or now.
#[inline]
pub(super) fn value(rules: u64, text: &[u8], is_plain: impl Fn() -> bool) -> bool {
    remember(&VALUES, rules, text, is_plain)
}

/// Likewise, about this query.
#[inline]
pub(super) fn query(rules: u64, text: &[u8], is_plain: impl Fn() -> bool) -> bool {
    remember(&QUERIES, rules, text, is_plain)
}

#[inline]
fn remember(seen: &'static LocalKey<Slots>, rules: u64, text: &[u8], is_plain: impl Fn() -> bool) -> bool {
    if text.len() > MAX {
        return is_plain();
    }
    let found = seen.try_with(|seen| {
        let mut seen = seen.try_borrow_mut().ok()?;
        let slot = &mut seen[Ends::of(text).hash() % SLOTS];
        if slot.rules == rules && slot.text.get(..usize::from(slot.len)) == Some(text) {
            return Some(true);
        }
        let plain = is_plain();
        if plain {
            slot.text[..text.len()].copy_from_slice(text);
            (slot.rules, slot.len) = (rules, text.len() as u16); // MAX fits
        }
        Some(plain)
    });
    // Late in a thread's exit there is no such memory any more.
    found.ok().flatten().unwrap_or_else(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_plain_is_remembered_and_under_its_own_rules() {
        for len in [0, 1, 15, 16, 100, MAX, MAX + 1] {
            let text = vec![b'x'; len];
            assert!(!value(1, &text, || false), "{len}");
            assert!(value(1, &text, || true), "{len}: what was found is asked for again");
            assert_eq!(value(1, &text, || false), len <= MAX, "{len}: what was not is remembered");
            assert!(!value(2, &text, || false), "{len}: two clients on one thread");
        }
        let (mut a, b) = (vec![b'a'; 100], vec![b'a'; 100]);
        a[50] = b'b';
        assert!(value(1, &a, || true));
        assert!(!value(1, &b, || false), "the same ends, another middle");
        assert!(!query(1, &a, || false), "what is no secret as a value may be one in a query");
    }
}
