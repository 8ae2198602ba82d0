//! Which days go: a function of what there is.

use crate::time::Day;

/// How long an id is known whatever becomes of its entry: a sender keeps what it could not deliver for 7 days; one more
/// for clocks that differ.
pub(super) const IDS_KEPT_DAYS: u32 = 8;

/// The days to delete, oldest first. `days` are oldest first, with their bytes. Today stays, whatever its size.
pub(super) fn expired(days: &[(Day, u64)], today: Day, keep_days: u32, keep_bytes: u64) -> Vec<Day> {
    let first_kept = today.back(keep_days);
    let mut bytes: u64 = days.iter().map(|(_, bytes)| bytes).sum();
    let mut gone = Vec::new();
    for &(day, size) in days.iter().filter(|(day, _)| *day < today) {
        if day >= first_kept && bytes <= keep_bytes {
            break;
        }
        gone.push(day);
        bytes -= size;
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_days_go_by_age_and_by_bytes_but_never_today() {
        let days = [(Day(1), 10), (Day(2), 10), (Day(5), 10), (Day(8), 10), (Day(9), 50)];
        let (today, week) = (Day(9), 7);
        for (keep_days, keep_bytes, gone) in [
            (week, 1000, vec![1]),
            (30, 1000, vec![]),
            (30, 90, vec![]),
            (30, 89, vec![1]),
            (30, 75, vec![1, 2]),
            (week, 0, vec![1, 2, 5, 8]),
            (1, 1000, vec![1, 2, 5]),
        ] {
            let expected: Vec<Day> = gone.into_iter().map(Day).collect();
            assert_eq!(
                expired(&days, today, keep_days, keep_bytes),
                expected,
                "{keep_days} d, {keep_bytes} B"
            );
        }
        assert_eq!(expired(&[], today, 30, 0), []);
        assert_eq!(expired(&[(Day(10), 5)], today, 1, 0), [], "tomorrow's, of a sender whose clock is ahead");
    }
}
