//! Keys of services that say by their first letters what they are.

use std::ops::Range;

use super::text::{Text, is_base64url};

/// The shape of one kind of key: how it begins, the letters that follow, how many of them at least.
type Shape = (&'static [u8], fn(u8) -> bool, usize);

/// Shapes by the byte at which the walk stops, and how many bytes of them stand before it.
struct Group {
    anchor: u8,
    shapes: &'static [(usize, Shape)],
}

/// The anchors of all groups.
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

fn base64(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"+/=".contains(&b)
}

const GROUPS: &[Group] = &[
    Group {
        anchor: b'A',
        shapes: &[
            // AWS, for good and for a while. The secret half is 40 letters of base64 like any other: its name tells.
            (0, (b"AKIA", upper_or_digit, 16)),
            (0, (b"ASIA", upper_or_digit, 16)),
            // Google: API keys.
            (0, (b"AIza", is_base64url, 30)),
        ],
    },
    Group {
        anchor: b'_',
        shapes: &[
            // GitHub.
            (3, (b"ghp_", alphanumeric, 20)),
            (3, (b"gho_", alphanumeric, 20)),
            (3, (b"ghu_", alphanumeric, 20)),
            (3, (b"ghs_", word, 20)),
            (3, (b"ghr_", alphanumeric, 20)),
            (6, (b"github_pat_", word, 20)),
            // Shopify, DigitalOcean, Hugging Face.
            (5, (b"shpat_", alphanumeric, 32)),
            (3, (b"dop_v1_", alphanumeric, 64)),
            (2, (b"hf_", alphanumeric, 30)),
            // npm.
            (3, (b"npm_", alphanumeric, 36)),
            // Stripe. `pk_` is made to be public.
            (2, (b"sk_live_", alphanumeric, 10)),
            (2, (b"sk_test_", alphanumeric, 10)),
            (2, (b"rk_live_", alphanumeric, 10)),
            (2, (b"rk_test_", alphanumeric, 10)),
            (5, (b"whsec_", base64, 16)),
            // Ours.
            (2, (b"hl_", is_base64url, 16)),
        ],
    },
    Group {
        anchor: b'-',
        shapes: &[
            // GitLab.
            (5, (b"glpat-", is_base64url, 20)),
            // OpenAI, Anthropic.
            (2, (b"sk-", alphanumeric, 32)),
            (2, (b"sk-proj-", is_base64url, 20)),
            (2, (b"sk-ant-", is_base64url, 20)),
            // Slack.
            (4, (b"xoxa-", is_base64url, 10)),
            (4, (b"xoxb-", is_base64url, 10)),
            (4, (b"xoxe-", is_base64url, 10)),
            (4, (b"xoxo-", is_base64url, 10)),
            (4, (b"xoxp-", is_base64url, 10)),
            (4, (b"xoxr-", is_base64url, 10)),
            (4, (b"xoxs-", is_base64url, 10)),
            (4, (b"xapp-", is_base64url, 10)),
            // Google: client secrets.
            (6, (b"GOCSPX-", is_base64url, 20)),
        ],
    },
    Group {
        anchor: b'y',
        shapes: &[
            // Google: access tokens.
            (0, (b"ya29.", is_base64url, 20)),
        ],
    },
];

pub(super) fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let anchor = text.get(at)?;
    let group = GROUPS.iter().find(|group| group.anchor == anchor)?;
    group.shapes.iter().find_map(|&(before, (prefix, of_key, shortest))| {
        let start = at.checked_sub(before)?;
        if text.get(start) != prefix.first().copied() {
            return None;
        }
        if !text.starts_with(start, prefix) || !text.starts_word(start) {
            return None;
        }
        let letters = start + prefix.len();
        let end = text.run(letters, of_key);
        (end - letters >= shortest || text.breaks_off(end)).then_some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_stops_at_every_shape() {
        for Group { anchor, shapes } in GROUPS {
            assert!(ANCHORS.contains(anchor));
            for (before, (prefix, ..)) in *shapes {
                assert_eq!(prefix[*before], *anchor, "{}", String::from_utf8_lossy(prefix));
            }
        }
    }
}
