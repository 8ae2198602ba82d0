//! Lists in headers, read from the right: what stands left cannot change how the right is read.

use super::MAX_HOPS;

/// The last lines of one header, in their order. A line has one member at least, so no more can be walked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lines<'h> {
    ring: [&'h [u8]; MAX_HOPS],
    seen: usize,
}

impl<'h> Lines<'h> {
    /// Takes one more line; blank ones have no members and are left out.
    pub(super) fn push(&mut self, line: &'h [u8]) {
        if !line.trim_ascii().is_empty() {
            self.ring[self.seen % MAX_HOPS] = line;
            self.seen += 1;
        }
    }

    /// The only line there is.
    pub(super) fn only(self) -> Option<&'h [u8]> {
        (self.seen == 1).then_some(self.ring[0])
    }

    /// All members, from the last one of the last line on. Empty ones are left out (RFC 9110 §5.6.1.2).
    pub(super) fn members(self) -> impl Iterator<Item = &'h [u8]> {
        let kept = self.seen.min(MAX_HOPS);
        (1..=kept)
            .map(move |back| self.ring[(self.seen - back) % MAX_HOPS])
            .flat_map(|line| Members { rest: Some(line) })
            .map(|member| member.trim_ascii())
            .filter(|member| !member.is_empty())
    }
}

struct Members<'h> {
    rest: Option<&'h [u8]>,
}

impl<'h> Iterator for Members<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let line = self.rest.take()?;
        let mut quoted = false;
        for (at, byte) in line.iter().enumerate().rev() {
            match byte {
                b',' if !quoted => {
                    self.rest = Some(&line[..at]);
                    return Some(&line[at + 1..]);
                }
                // The quote that opens is the one without a backslash to its left.
                b'"' => quoted = !quoted || is_escaped(&line[..at]),
                _ => {}
            }
        }
        Some(line)
    }
}

/// Whether the character behind `before` is escaped: an odd number of backslashes stands there.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 1
}
