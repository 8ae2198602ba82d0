//! Which requests become entries, and as what: skipped, sampled, slow, and of which level. Pure functions of values.
//!
//! ```text
//! Requests (configuration) ─ build ─► Rules ─┬─ skips(head) ───────► nothing is begun
//!                                            ├─ begin(head) ───────► Chosen: the route's rule, a health check or not
//!                                            ├─ share(chosen) ─────► which traces are captured at all
//!                                            └─ end(chosen, Ended) ► Verdict: keep with a weight, or not; level; slow
//! ```
//!
//! Invariants: what a client decides about a trace depends on the trace id and the rates alone, so clients with the
//! same rates decide alike. Whatever the rates, the weights of the kept entries add up to the number of requests,
//! within statistics. Nothing here reads a clock or allocates.

mod levels;
mod paths;
mod requests;
mod route;
mod sampling;
mod skip;

use hoplog_entry::{Level, Outcome, TraceId};

use super::RequestHead;
use levels::Levels;
pub use levels::Statuses;
use paths::PathSet;
pub use requests::Requests;
pub use route::RouteRules;
pub(crate) use sampling::Sampling;
use sampling::Share;
use skip::Skips;

/// The rules of one client, ready for the request path.
#[derive(Debug)]
pub(crate) struct Rules {
    skips: Skips,
    health: PathSet,
    /// The first holds where no route has its own.
    rules: Vec<Rule>,
    /// Route templates with their place in `rules`, sorted.
    routes: Vec<(String, usize)>,
    /// Where the route is not known yet: the largest share that any route has.
    widest: Share,
}

/// What holds for the requests of one route, nothing left open.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    skip: bool,
    sampling: Sampling,
    /// Nanoseconds; the largest number where nothing is slow.
    slow: u64,
    levels: Levels,
    pub(crate) request_headers: bool,
    pub(crate) response_headers: bool,
}

/// What was decided about a request at its beginning, and when its route became known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chosen {
    rule: usize,
    health: bool,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended<'a> {
    pub(crate) trace_id: &'a TraceId,
    pub(crate) sampling: Sampling,
    pub(crate) outcome: Outcome,
    /// 0 without a response head.
    pub(crate) status: u16,
    pub(crate) grpc_status: Option<u16>,
    /// Nanoseconds.
    pub(crate) took: u64,
}

/// What becomes of a request's entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) fate: Fate,
    pub(crate) level: Level,
    pub(crate) slow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    /// It is written, and stands for this many requests.
    Keep(f64),
    /// Sampling leaves it out: it is counted.
    Sampled,
    /// Nobody wants it: it is not counted.
    Skip,
}

impl Rules {
    /// Whether nothing at all is to be done about a request.
    #[inline]
    pub(crate) fn skips(&self, head: &RequestHead<'_>) -> bool {
        self.skips.any() && (self.skips.matches(head) || self.rule(self.route(head.route)).skip)
    }

    #[inline]
    pub(crate) fn begin(&self, head: &RequestHead<'_>) -> Chosen {
        Chosen { rule: self.route(head.route), health: self.health.contains(head.path) }
    }

    /// The route became known after the beginning.
    pub(crate) fn choose_route(&self, chosen: &mut Chosen, route: &str) {
        chosen.rule = self.route(Some(route));
    }

    /// Whether any route is sampled.
    #[inline]
    pub(crate) fn samples(&self) -> bool {
        !self.rules.iter().all(|rule| rule.sampling.is_all())
    }

    #[inline]
    pub(crate) fn of(&self, chosen: Chosen) -> &Rule {
        self.rule(chosen.rule)
    }

    /// The share of traces that is captured. A route that becomes known later may ask for more than others: until then
    /// the widest share counts.
    #[inline]
    pub(crate) fn share(&self, chosen: Chosen, routed: bool) -> Share {
        if routed { self.of(chosen).sampling.head } else { self.widest }
    }

    #[inline]
    pub(crate) fn end(&self, chosen: Chosen, ended: &Ended<'_>) -> Verdict {
        let rule = self.of(chosen);
        // An upgraded connection is open for as long as it is of use.
        let slow = ended.took > rule.slow && ended.outcome != Outcome::Upgraded;
        let level = rule.levels.of(ended.outcome, ended.status, ended.grpc_status);
        let level = if slow { level.max(Level::Warn) } else { level };
        let fate = if rule.skip || (chosen.health && !slow && ended.succeeded()) {
            Fate::Skip
        } else if ended.sampling.is_all() {
            Fate::Keep(1.0)
        } else {
            ended.sampling.fate(ended.trace_id, slow || level >= Level::Error || !ended.is_whole())
        };
        Verdict { fate, level, slow }
    }

    #[inline]
    fn route(&self, route: Option<&str>) -> usize {
        match route {
            Some(route) if !self.routes.is_empty() => self.find(route),
            _ => 0,
        }
    }

    fn find(&self, route: &str) -> usize {
        let found = self.routes.binary_search_by(|(name, _)| name.as_str().cmp(route)).ok();
        found.and_then(|at| self.routes.get(at)).map_or(0, |(_, rule)| *rule)
    }

    #[inline]
    fn rule(&self, index: usize) -> &Rule {
        // Every index comes from `find`.
        &self.rules[index]
    }
}

impl Rule {
    /// For what its requests begin with: their calls are sampled alike.
    #[inline]
    pub(crate) fn sampling(&self) -> Sampling {
        self.sampling
    }
}

impl Ended<'_> {
    /// Nothing broke off and nobody gave up.
    #[inline]
    fn is_whole(&self) -> bool {
        matches!(self.outcome, Outcome::Completed | Outcome::Upgraded)
    }

    /// By what was answered, whatever levels it is given.
    fn succeeded(&self) -> bool {
        self.is_whole() && self.status < 400 && self.grpc_status.unwrap_or(0) == 0
    }
}
