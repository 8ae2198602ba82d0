//! Losses as entries: when a stretch of them is over, one entry says how many, why, from when to when. It goes to every
//! destination like any other, for a count is easily not looked at.

use std::time::{Duration, Instant};

use hoplog_entry::{Civil, DropReason, EntryId, Field, Kind, Level, RecordWriter};

use crate::pipeline::Pipeline;

type Counts = [u64; DropReason::ALL.len()];

/// So long without a loss, and a stretch of them is over.
const OVER: Duration = Duration::from_secs(1);
/// One that does not end is told of so often, and no other one more often: where even the entry that tells of losses is
/// lost, that is the next loss, and one a minute is what it comes to.
const EVERY: Duration = Duration::from_secs(60);
/// Left out on purpose, or told of in the request's own entry; and what nobody can be told of any more.
const UNTOLD: [DropReason; 3] = [DropReason::Sampled, DropReason::RateLimitedLocal, DropReason::AfterClose];

/// What was lost in one place, and told of.
#[derive(Debug, Default)]
pub(super) struct Episodes {
    told: Counts,
    seen: Counts,
    open: Option<Open>,
    last_told: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    since: Instant,
    last: Instant,
    first_unix_ns: u64,
    last_unix_ns: u64,
}

/// A stretch of losses that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Episode {
    lost: Counts,
    first_unix_ns: u64,
    last_unix_ns: u64,
}

impl Episodes {
    /// Looks at what has been lost so far; to be called every second or so. Tells of it where a stretch is over.
    pub(super) fn look(&mut self, pipeline: &Pipeline, place: &str, lost: Counts) {
        let unix_ns = pipeline.clock.unix_ns(pipeline.clock.now());
        let Some(episode) = self.advance(Instant::now(), unix_ns, lost) else { return };
        let mut record = RecordWriter::default();
        // Where the queue has no room for it, it is told of later, with what was lost meanwhile.
        if pipeline.queue.push(episode.write(&mut record, place, unix_ns), true).is_ok() {
            self.tell(Instant::now(), &episode);
        }
    }

    fn advance(&mut self, now: Instant, unix_ns: u64, mut lost: Counts) -> Option<Episode> {
        for reason in UNTOLD {
            lost[usize::from(reason.code())] = 0;
        }
        if lost != self.seen {
            self.seen = lost;
            let new = Open { since: now, last: now, first_unix_ns: unix_ns, last_unix_ns: unix_ns };
            let open = self.open.get_or_insert(new);
            (open.last, open.last_unix_ns) = (now, unix_ns);
        }
        let open = self.open?;
        let passed = |since: Instant| now.saturating_duration_since(since);
        let over = passed(open.last) >= OVER || passed(open.since) >= EVERY;
        let may = self.last_told.is_none_or(|told| passed(told) >= EVERY);
        (over && may).then(|| {
            for (lost, told) in lost.iter_mut().zip(self.told) {
                *lost = lost.saturating_sub(told);
            }
            Episode { lost, first_unix_ns: open.first_unix_ns, last_unix_ns: open.last_unix_ns }
        })
    }

    fn tell(&mut self, now: Instant, episode: &Episode) {
        for (told, lost) in self.told.iter_mut().zip(episode.lost) {
            *told += lost;
        }
        self.open = None;
        self.last_told = Some(now);
    }
}

impl Episode {
    fn write<'r>(&self, record: &'r mut RecordWriter, place: &str, unix_ns: u64) -> &'r [u8] {
        let total: u64 = self.lost.iter().sum();
        record.begin(Kind::Event, EntryId::generate(unix_ns / 1_000_000), unix_ns);
        record.text(Field::Message, &format!("{total} entries were dropped"));
        record.custom_text("dropped_by", place);
        record.custom_json("dropped", &total.to_string());
        let reasons: Vec<String> = DropReason::ALL
            .iter()
            .zip(self.lost)
            .filter(|(_, lost)| *lost > 0)
            .map(|(reason, lost)| format!("\"{reason}\":{lost}"))
            .collect();
        record.custom_json("reasons", &format!("{{{}}}", reasons.join(",")));
        record.custom_text("first_at", &utc(self.first_unix_ns));
        record.custom_text("last_at", &utc(self.last_unix_ns));
        record.end(Level::Warn, None)
    }
}

/// RFC 3339, to the second.
fn utc(unix_ns: u64) -> String {
    let c = Civil::from_unix(unix_ns / 1_000_000_000);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: usize = DropReason::QueueFullNewest as usize;

    fn lost(n: u64) -> Counts {
        let mut counts = [0; DropReason::ALL.len()];
        counts[FULL] = n;
        counts
    }

    #[test]
    fn a_stretch_of_losses_is_told_of_once_when_it_is_over() {
        let (mut episodes, begun) = (Episodes::default(), Instant::now());
        let mut look = |ms: u64, n| {
            let now = begun + Duration::from_millis(ms);
            let found = episodes.advance(now, ms * 1_000_000, lost(n));
            found.inspect(|episode| episodes.tell(now, episode))
        };
        let told: Vec<_> = [
            (0, 0),
            (500, 3),
            (1_000, 8),
            (1_999, 8),
            (2_000, 8),
            (3_500, 8),
            (4_000, 9),
            (61_000, 9),
            (62_000, 9),
        ]
        .into_iter()
        .filter_map(|(ms, n)| look(ms, n).map(|e| (e.lost[FULL], e.first_unix_ns, e.last_unix_ns)))
        .collect();
        assert_eq!(told, [(8, 500_000_000, 1_000_000_000), (1, 4_000_000_000, 4_000_000_000)]);
    }

    #[test]
    fn one_that_does_not_end_is_told_of_every_minute_and_one_on_purpose_never() {
        let (mut episodes, begun) = (Episodes::default(), Instant::now());
        let mut told = Vec::new();
        for second in 0..=180 {
            let now = begun + Duration::from_secs(second);
            let found = episodes.advance(now, 0, lost(second + 1));
            told.extend(
                found.inspect(|episode| episodes.tell(now, episode)).map(|episode| episode.lost[FULL]),
            );
        }
        assert_eq!(told, [61, 61], "the third has not lasted long enough");
        let mut sampled = [0; DropReason::ALL.len()];
        sampled[usize::from(DropReason::Sampled.code())] = 5;
        for ms in [0, 5_000] {
            assert_eq!(Episodes::default().advance(begun + Duration::from_millis(ms), 0, sampled), None);
        }
    }
}
