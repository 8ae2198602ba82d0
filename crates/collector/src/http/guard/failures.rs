//! How often an address showed no valid key. What is remembered is bounded, however many addresses there are.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures within [`WINDOW`] that are answered as such; later ones are told to wait.
pub(super) const MOST: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses in each of two generations; when the young one is full, the old one is forgotten.
const GENERATION: usize = 32_768;

/// Failures by address.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<IpAddr, Count>,
    old: HashMap<IpAddr, Count>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    since: Instant,
    failures: u32,
}

impl Failures {
    /// Counts one; how long to wait where there were too many.
    pub(super) fn count(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        let block = block(from);
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = generations.young.get(&block).or_else(|| generations.old.get(&block)).copied();
        let fresh = Count { since: now, failures: 0 };
        let mut count = known.filter(|c| now.duration_since(c.since) < WINDOW).unwrap_or(fresh);
        count.failures = count.failures.saturating_add(1);
        if generations.young.len() >= GENERATION && !generations.young.contains_key(&block) {
            generations.old = std::mem::take(&mut generations.young);
        }
        generations.young.insert(block, count);
        (count.failures > MOST).then(|| WINDOW.saturating_sub(now.duration_since(count.since)))
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        let generations = self.0.lock().unwrap();
        generations.young.len() + generations.old.len()
    }
}

/// Whoever has an IPv6 address has a whole /64 of them.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn the_twenty_first_failure_within_a_minute_waits_for_its_end() {
        let (failures, start) = (Failures::default(), Instant::now());
        let [one, other] = ["2001:db8::1", "2001:db8::ffff:2"].map(|text| text.parse().unwrap());
        for n in 0..MOST {
            assert_eq!(failures.count(one, start), None, "{n}");
        }
        let later = start + Duration::from_secs(15);
        assert_eq!(failures.count(other, later), Some(Duration::from_secs(45)), "of the same /64");
        assert_eq!(failures.count("2001:db8:0:1::1".parse().unwrap(), later), None);
        assert_eq!(failures.count(one, start + WINDOW), None, "a minute later all is forgotten");
    }

    #[test]
    fn a_million_addresses_are_no_more_to_remember_than_the_bound() {
        let (failures, now) = (Failures::default(), Instant::now());
        let busy = IpAddr::from([203, 0, 113, 7]);
        for n in 0..1_000_000_u32 {
            failures.count(Ipv4Addr::from_bits(n).into(), now);
            if n % 10_000 == 0 {
                failures.count(busy, now);
            }
        }
        println!("FIGURE limiter.addresses_remembered {} count", failures.remembered());
        assert!(failures.remembered() <= 2 * GENERATION);
        assert!(failures.count(busy, now).is_some(), "one that goes on failing is not forgotten for others");
    }
}
