//! Whole journeys over real sockets; the tests are in `tests/`. The README's examples are compiled here, where every
//! crate that they use is at hand.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// What the entry of an order says beside its number, so that nobody has to remember it (SplitMix64). In letters: among
/// so many digits are numbers of credit cards, which hoplog masks.
#[must_use]
pub fn payload(order: u64) -> String {
    let z = order.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let z = z ^ (z >> 31);
    (0..16).map(|at| char::from(b'a' + (z >> (4 * at) & 15) as u8)).collect()
}
