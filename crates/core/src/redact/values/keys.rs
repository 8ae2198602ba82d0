//! Keys of services that say by their first letters what they are.

use std::ops::Range;

use super::text::{Text, is_base64url};

/// The shape of one kind of key.
struct Shape {
    prefix: &'static [u8],
    /// Where in the prefix stands the byte that the walk stops at.
    anchor: usize,
    letters: fn(u8) -> bool,
    /// The fewest letters after the prefix.
    shortest: usize,
}

/// The byte at `anchor` of every shape.
pub(super) const ANCHORS: &[u8] = b"A-_y";

fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

fn upper_or_digit(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

const fn shape(prefix: &'static [u8], anchor: usize, letters: fn(u8) -> bool, shortest: usize) -> Shape {
    Shape { prefix, anchor, letters, shortest }
}

const SHAPES: &[Shape] = &[
    // AWS: access keys for good and for a while. The secret half is 40 letters of base64 like any other: its name tells.
    shape(b"AKIA", 0, upper_or_digit, 16),
    shape(b"ASIA", 0, upper_or_digit, 16),
    // GitHub, GitLab, npm.
    shape(b"ghp_", 3, alphanumeric, 20),
    shape(b"gho_", 3, alphanumeric, 20),
    shape(b"ghu_", 3, alphanumeric, 20),
    shape(b"ghs_", 3, word, 20),
    shape(b"ghr_", 3, alphanumeric, 20),
    shape(b"github_pat_", 6, word, 20),
    shape(b"glpat-", 5, is_base64url, 20),
    shape(b"npm_", 3, alphanumeric, 36),
    // Slack.
    shape(b"xoxa-", 4, is_base64url, 10),
    shape(b"xoxb-", 4, is_base64url, 10),
    shape(b"xoxe-", 4, is_base64url, 10),
    shape(b"xoxo-", 4, is_base64url, 10),
    shape(b"xoxp-", 4, is_base64url, 10),
    shape(b"xoxr-", 4, is_base64url, 10),
    shape(b"xoxs-", 4, is_base64url, 10),
    shape(b"xapp-", 4, is_base64url, 10),
    // Google: API keys, access tokens, client secrets.
    shape(b"AIza", 0, is_base64url, 30),
    shape(b"ya29.", 0, is_base64url, 20),
    shape(b"GOCSPX-", 6, is_base64url, 20),
    // Stripe. `pk_` is made to be public.
    shape(b"sk_live_", 2, alphanumeric, 10),
    shape(b"sk_test_", 2, alphanumeric, 10),
    shape(b"rk_live_", 2, alphanumeric, 10),
    shape(b"rk_test_", 2, alphanumeric, 10),
    shape(b"whsec_", 5, |b| alphanumeric(b) || b"+/=".contains(&b), 16),
    // Ours.
    shape(b"hl_", 2, is_base64url, 16),
];

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    SHAPES.iter().find_map(|shape| {
        let start = at.checked_sub(shape.anchor)?;
        if !text.starts_with(start, shape.prefix) || !text.starts_word(start) {
            return None;
        }
        let letters = start + shape.prefix.len();
        let end = text.run(letters, shape.letters);
        (end - letters >= shape.shortest || text.breaks_off(end)).then_some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_stops_at_every_shape() {
        for shape in SHAPES {
            let anchor = shape.prefix[shape.anchor];
            assert!(ANCHORS.contains(&anchor), "{}", String::from_utf8_lossy(shape.prefix));
        }
    }
}
