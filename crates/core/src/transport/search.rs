//! Finding the entries that a batch is refused for.
//!
//! The start of what is suspected goes out alone. Refused, the fault is in there; taken, it is behind, and is not sent to see
//! that. So `⌈log2 n⌉` requests find one entry among n, and one more delivers all that is behind it. Where that is refused too
//! there are others: each is found in the same way, and the more of them there are, the fewer entries go out at a time.
//!
//! One refusal alone puts the blame on nobody: it may have been for once, or for the compression. An entry is at fault that was
//! refused by itself, or twice among ever fewer others, which all were taken without it.

/// What is being sent of a batch of which an entry is at fault; entries are told by their place in the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Search {
    /// It begins here. All that is before has its fate.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Something before here, and not before `from`, is at fault. `None`: nothing is known.
    fault_before: Option<u64>,
    /// Entries of the batch.
    pub(crate) end: u64,
    /// How many go out at a time where nothing is known of them.
    group: u64,
    found: u64,
    /// Something smaller than what was first refused, and without compression, was refused as well.
    confirmed: bool,
    any_refused: bool,
    /// A part of it was taken.
    pub(crate) any_taken: bool,
}

/// What comes after an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// This entry is at fault.
    pub(crate) at_fault: Option<u64>,
    /// To be sent next; `None` where every entry has its fate.
    pub(crate) next: Option<Search>,
    /// All was taken after all. If it was refused compressed, that is why.
    pub(crate) none_at_fault: bool,
}

impl Search {
    /// A batch of so many entries was refused whole.
    pub(crate) fn begin(entries: u64, compressed: bool) -> Step {
        let whole = Self {
            from: 0,
            to: entries,
            fault_before: Some(entries),
            end: entries,
            group: entries,
            found: 0,
            confirmed: entries == 1 && !compressed,
            any_refused: false,
            any_taken: false,
        };
        whole.narrow(0, entries)
    }

    /// What was being sent was refused for what is in it.
    pub(crate) fn refused(mut self) -> Step {
        self.any_refused = true;
        self.confirmed = self.fault_before.is_some() || self.to - self.from == 1;
        if self.fault_before.is_none() && self.found > 1 {
            self.group = (self.group / 2).max(1);
        }
        self.narrow(self.from, self.to)
    }

    /// What was being sent was taken.
    pub(crate) fn taken(mut self) -> Step {
        self.any_taken = true;
        match self.fault_before {
            Some(before) if before > self.to => self.narrow(self.to, before),
            known => {
                if known.is_none() {
                    self.group = (self.group * 2).min(self.end);
                }
                let none_at_fault = self.to == self.end && !self.any_refused;
                Step { at_fault: None, next: self.go_on(self.to), none_at_fault }
            }
        }
    }

    /// Something in this range is at fault.
    fn narrow(mut self, from: u64, before: u64) -> Step {
        if before - from <= 1 && self.confirmed {
            self.found += 1;
            return Step { at_fault: Some(from), next: self.go_on(before), none_at_fault: false };
        }
        let to = from + ((before - from) / 2).max(1);
        let next = Self { from, to, fault_before: Some(before), ..self };
        Step { at_fault: None, next: Some(next), none_at_fault: false }
    }

    /// From here on nothing is known.
    fn go_on(self, from: u64) -> Option<Self> {
        let to = self.end.min(from + self.group);
        (from < self.end).then_some(Self { from, to, fault_before: None, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Found {
        at_fault: Vec<u64>,
        requests: u64,
        none_at_fault: bool,
    }

    /// Searches a batch that was refused; `takes` is the server.
    fn search(entries: u64, compressed: bool, takes: impl Fn(std::ops::Range<u64>) -> bool) -> Found {
        let (mut found, mut delivered) = (Found { at_fault: vec![], requests: 0, none_at_fault: false }, 0);
        let mut step = Search::begin(entries, compressed);
        loop {
            found.at_fault.extend(step.at_fault);
            found.none_at_fault |= step.none_at_fault;
            let Some(next) = step.next else { break };
            assert_eq!(delivered + found.at_fault.len() as u64, next.from, "each has one fate, in its order");
            assert!(next.from < next.to && next.to <= entries, "{next:?}");
            found.requests += 1;
            step = if takes(next.from..next.to) {
                delivered += next.to - next.from;
                next.taken()
            } else {
                next.refused()
            };
        }
        assert_eq!(delivered + found.at_fault.len() as u64, entries);
        found
    }

    fn refusing(bad: &[u64]) -> impl Fn(std::ops::Range<u64>) -> bool {
        move |sent| !bad.iter().any(|entry| sent.contains(entry))
    }

    fn bound(entries: u64) -> u64 {
        u64::from(entries.next_power_of_two().ilog2()) + 1
    }

    #[test]
    fn one_at_fault_costs_a_request_for_each_halving_and_one_for_the_rest_wherever_it_is() {
        for entries in (1..=70).chain([100, 1_000]) {
            for bad in 0..entries {
                for compressed in [false, true] {
                    let found = search(entries, compressed, refusing(&[bad]));
                    assert_eq!(found.at_fault, [bad]);
                    assert!(found.requests <= bound(entries), "{bad} of {entries}: {}", found.requests);
                    assert!(!found.none_at_fault);
                }
            }
        }
    }

    #[test]
    fn any_of_a_few_at_fault_are_found_and_nothing_else() {
        for entries in 1..=10 {
            for bad in 1..1_u64 << entries {
                let bad: Vec<u64> = (0..entries).filter(|entry| bad & (1 << entry) != 0).collect();
                for compressed in [false, true] {
                    assert_eq!(search(entries, compressed, refusing(&bad)).at_fault, bad, "of {entries}");
                }
            }
        }
        for first in 0..100 {
            for second in first + 1..100 {
                let found = search(100, false, refusing(&[first, second]));
                assert!(found.requests <= 2 * bound(100), "{first}, {second}: {}", found.requests);
            }
        }
    }

    #[test]
    fn where_all_are_at_fault_it_is_little_more_than_a_request_each() {
        let all: Vec<u64> = (0..1_000).collect();
        let requests = search(1_000, false, refusing(&all)).requests;
        assert!(requests <= 1_100, "{requests}");
    }

    #[test]
    fn no_entry_is_blamed_for_a_refusal_that_was_for_once_or_for_the_compression() {
        for (entries, compressed) in
            [(1, true), (2, true), (2, false), (3, true), (1_000, true), (1_000, false)]
        {
            let found = search(entries, compressed, |_| true);
            assert_eq!((found.at_fault, found.none_at_fault), (vec![], true));
            assert!(found.requests <= bound(entries), "{}", found.requests);
        }
    }
}
