//! What was found about names, per thread: services see the same few names in every request.

use std::cell::RefCell;

use crate::redact::hash::Ends;

/// 5 KiB per thread that handles requests.
const SLOTS: usize = 128;
/// Longer names are decided each time.
const MAX: usize = 30;

/// Direct-mapped: a newcomer takes the place of the name that hashes alike.
#[derive(Clone, Copy)]
struct Slot {
    rules: u64,
    name: [u8; MAX],
    len: u8,
    secret: bool,
}

const EMPTY: Slot = Slot { rules: 0, name: [0; MAX], len: 0, secret: false };

thread_local! {
    static CACHE: RefCell<[Slot; SLOTS]> = const { RefCell::new([EMPTY; SLOTS]) };
}

/// What `decide` said about this name under these rules, the last time or now.
#[inline]
pub(super) fn remember(rules: u64, name: &[u8], decide: impl Fn() -> bool) -> bool {
    if name.len() > MAX {
        return decide();
    }
    let found = CACHE.try_with(|cache| {
        let mut cache = cache.try_borrow_mut().ok()?;
        let slot = &mut cache[Ends::of(name).hash() % SLOTS];
        if slot.rules != rules || slot.name.get(..usize::from(slot.len)) != Some(name) {
            slot.secret = decide();
            slot.rules = rules;
            slot.len = name.len() as u8;
            slot.name[..name.len()].copy_from_slice(name);
        }
        Some(slot.secret)
    });
    // Late in a thread's exit there is no cache any more.
    found.ok().flatten().unwrap_or_else(decide)
}
