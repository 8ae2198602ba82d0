//! What an application may say about the requests of one route.

use std::time::Duration;

use hoplog_entry::{Level, Outcome};

use super::levels::Levels;
use super::sampling::Sampling;
use super::{Rule, Statuses};

/// What is different for the requests of one route; for [`Requests::route`](super::Requests::route). What is not set
/// is as for all requests.
///
/// Where a framework knows the route only after the head (actix-web, gRPC), the rules hold all the same, from then on:
/// what they leave out is taken out of what was captured.
///
/// ```
/// use std::time::Duration;
/// use hoplog::{Level, Requests, RouteRules};
///
/// let requests = Requests::default()
///     .sample(0.1)
///     .slow(Duration::from_secs(1))
///     .route("/payments/{id}", RouteRules::default().sample(1.0))
///     .route("/upload/{id}", RouteRules::default().slow(Duration::from_secs(60)).level(413, Level::Info));
/// # let _ = requests;
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RouteRules {
    skip: bool,
    sample: Option<f64>,
    sample_at_end: Option<f64>,
    slow: Option<Duration>,
    levels: Levels,
    request_headers: Option<bool>,
    response_headers: Option<bool>,
}

impl RouteRules {
    /// Skips these requests: [`Requests::skip_route`](super::Requests::skip_route).
    #[must_use]
    pub fn skip(mut self) -> Self {
        self.skip = true;
        self
    }

    /// The share of traces in which these requests are captured: [`Requests::sample`](super::Requests::sample).
    #[must_use]
    pub fn sample(mut self, share: f64) -> Self {
        self.sample = Some(share);
        self
    }

    /// The share of ordinary ones that is kept: [`Requests::sample_at_end`](super::Requests::sample_at_end).
    #[must_use]
    pub fn sample_at_end(mut self, share: f64) -> Self {
        self.sample_at_end = Some(share);
        self
    }

    /// From when on these requests are slow: [`Requests::slow`](super::Requests::slow). `Duration::MAX`: never.
    #[must_use]
    pub fn slow(mut self, threshold: Duration) -> Self {
        self.slow = Some(threshold);
        self
    }

    /// The level of answers with these statuses, before what is said for all requests:
    /// [`Requests::level`](super::Requests::level).
    #[must_use]
    pub fn level(mut self, statuses: impl Into<Statuses>, level: Level) -> Self {
        self.levels.statuses.push((statuses.into(), level));
        self
    }

    /// The level of this outcome, before what is said for all requests:
    /// [`Requests::outcome_level`](super::Requests::outcome_level).
    #[must_use]
    pub fn outcome_level(mut self, outcome: Outcome, level: Level) -> Self {
        self.levels.outcomes.push((outcome, level));
        self
    }

    /// Whether request headers are kept, of those that [`Redaction`](crate::Redaction) allows. Default: true.
    #[must_use]
    pub fn request_headers(mut self, keep: bool) -> Self {
        self.request_headers = Some(keep);
        self
    }

    /// Whether response headers are kept, of those that [`Redaction`](crate::Redaction) allows. Default: true.
    #[must_use]
    pub fn response_headers(mut self, keep: bool) -> Self {
        self.response_headers = Some(keep);
        self
    }

    pub(super) fn skips(&self) -> bool {
        self.skip
    }

    /// Everything that cannot be, `place` naming where it was said.
    pub(super) fn complaints<'a>(&'a self, place: &'a str) -> impl Iterator<Item = String> + 'a {
        let shares = [("sample", self.sample), ("sample_at_end", self.sample_at_end)];
        let shares = shares.into_iter().filter_map(move |(setter, share)| {
            let share = share.filter(|share| !(0.0..=1.0).contains(share))?;
            Some(format!("{place}{setter}({share}): not a share; it must be from 0 to 1"))
        });
        let slow = self.slow.filter(|slow| slow.is_zero());
        let slow =
            slow.map(|_| format!("{place}slow(0): every request would be slow; leave it out, or say more"));
        let statuses = self.levels.statuses.iter().filter(|(statuses, _)| !statuses.are_some());
        let statuses = statuses.map(move |(statuses, level)| {
            format!("{place}level({statuses:?}, {level}): no statuses; they are from 100 to 999")
        });
        shares.chain(slow).chain(statuses)
    }

    /// With what is said for all requests behind it.
    pub(super) fn over(&self, all: &Self) -> Self {
        let mut levels = all.levels.clone();
        // Later ones count.
        levels.statuses.extend_from_slice(&self.levels.statuses);
        levels.outcomes.extend_from_slice(&self.levels.outcomes);
        Self {
            skip: self.skip,
            sample: self.sample.or(all.sample),
            sample_at_end: self.sample_at_end.or(all.sample_at_end),
            slow: self.slow.or(all.slow),
            levels,
            request_headers: self.request_headers.or(all.request_headers),
            response_headers: self.response_headers.or(all.response_headers),
        }
    }

    pub(super) fn compile(self) -> Rule {
        let slow = self.slow.unwrap_or(Duration::MAX);
        Rule {
            skip: self.skip,
            sampling: Sampling::new(self.sample.unwrap_or(1.0), self.sample_at_end.unwrap_or(1.0)),
            slow: u64::try_from(slow.as_nanos()).unwrap_or(u64::MAX),
            levels: self.levels,
            request_headers: self.request_headers.unwrap_or(true),
            response_headers: self.response_headers.unwrap_or(true),
        }
    }
}
