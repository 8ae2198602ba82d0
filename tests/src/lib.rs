//! Whole journeys over real sockets; the tests are in `tests/`. The README's examples are compiled here, where every
//! crate that they use is at hand.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
