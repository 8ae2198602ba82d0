//! What was found about names, per thread: services see the same few names in every request.

use std::cell::RefCell;

use crate::redact::Treatment;
use crate::redact::hash::Ends;

/// 8 KiB per thread that handles requests.
const SLOTS: usize = 128;
/// Longer names are decided each time.
const MAX: usize = 32;

/// Direct-mapped: a newcomer takes the place of the name that hashes alike.
#[derive(Clone, Copy)]
struct Slot {
    rules: u64,
    ends: Ends,
    /// What the ends leave out.
    middle: [u8; MAX - 16],
    found: Option<Treatment>,
}

const EMPTY: Slot = Slot { rules: 0, ends: Ends::NONE, middle: [0; MAX - 16], found: None };

impl Slot {
    #[inline]
    fn is_of(&self, rules: u64, ends: Ends, name: &[u8]) -> bool {
        let middle = || name.len().checked_sub(16).and_then(|n| self.middle.get(..n));
        self.rules == rules
            && self.ends == ends
            && (ends.are_all() || name.get(8..name.len() - 8) == middle())
    }
}

thread_local! {
    static CACHE: RefCell<[Slot; SLOTS]> = const { RefCell::new([EMPTY; SLOTS]) };
}

/// What `decide` said about this name under these rules, the last time or now.
#[inline(always)] // asked of every parameter
pub(super) fn remember(rules: u64, name: &[u8], decide: impl Fn() -> Option<Treatment>) -> Option<Treatment> {
    let ends = Ends::of(name);
    let found = CACHE.try_with(|cache| {
        let cache = cache.try_borrow().ok()?;
        let slot = &cache[ends.hash() % SLOTS];
        slot.is_of(rules, ends, name).then_some(slot.found)
    });
    match found {
        Ok(Some(found)) => found,
        // Late in a thread's exit there is no cache any more.
        _ => learn(rules, ends, name, decide()),
    }
}

#[cold]
fn learn(rules: u64, ends: Ends, name: &[u8], found: Option<Treatment>) -> Option<Treatment> {
    if name.len() <= MAX {
        let mut middle = [0; MAX - 16];
        if !ends.are_all() {
            middle[..name.len() - 16].copy_from_slice(&name[8..name.len() - 8]);
        }
        let _ = CACHE.try_with(|cache| {
            if let Ok(mut cache) = cache.try_borrow_mut() {
                cache[ends.hash() % SLOTS] = Slot { rules, ends, middle, found };
            }
        });
    }
    found
}
