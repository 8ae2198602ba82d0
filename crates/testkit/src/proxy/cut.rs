//! Where a connection is cut.

/// A direction through the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// A connection's end in the middle of an exchange, which begins with a client's first byte, and with its first one
/// after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    pub(super) way: Way,
    pub(super) after: usize,
    pub(super) reset: bool,
}

impl Cut {
    /// The client's connection is reset when more than so many bytes of the exchange come this way; only these pass.
    /// The server sees its peer leave.
    ///
    /// `Cut::reset(Way::Up, 0)`: nothing of the request arrives. `Cut::reset(Way::Down, 0)`: the server has done what
    /// it was asked to, and nobody hears of it.
    #[must_use]
    pub fn reset(way: Way, after: usize) -> Self {
        Self { way, after, reset: true }
    }

    /// Likewise, but the client's connection is closed in order.
    #[must_use]
    pub fn close(way: Way, after: usize) -> Self {
        Self { way, after, reset: false }
    }

    /// Bytes of a piece that may pass; `None` where all do.
    pub(super) fn lets_pass(&mut self, way: Way, bytes: usize) -> Option<usize> {
        if way != self.way {
            return None;
        }
        if bytes <= self.after {
            self.after -= bytes;
            return None;
        }
        Some(self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_counts_the_bytes_of_its_own_way() {
        let mut cut = Cut::reset(Way::Up, 10);
        assert_eq!(cut.lets_pass(Way::Down, 100), None);
        assert_eq!(cut.lets_pass(Way::Up, 6), None);
        assert_eq!(cut.lets_pass(Way::Up, 4), None);
        assert_eq!(cut.lets_pass(Way::Up, 1), Some(0));
        assert_eq!(Cut::close(Way::Down, 3).lets_pass(Way::Down, 9), Some(3));
    }
}
