//! Which requests become entries, and as what: skipped, sampled, slow, and of which level. Pure functions of values.
//!
//! ```text
//! Requests (configuration) ─ build ─► Rules ─┬─ skips(head) ───────► nothing is begun
//!                                            ├─ begin(head) ───────► Chosen: the route's rule, a health check or not
//!                                            │                         └─ decide(trace) ► captured, or left out
//!                                            └─ end(chosen, Ended) ► Verdict: kept with a weight, or not; level; slow
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
#[cfg(test)]
mod tests;

use hoplog_entry::{Level, Outcome, TraceId};

use super::RequestHead;
use levels::Levels;
pub use levels::Statuses;
use paths::PathSet;
pub use requests::Requests;
pub use route::RouteRules;
use sampling::{Randomness, Sampling, Share};
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
    /// Likewise: whether bodies are kept of any route.
    any_bodies: bool,
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
    bodies: bool,
}

/// What was decided about a request so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Chosen {
    rule: usize,
    health: Health,
    sampling: Sampling,
    /// What is captured at all, as far as is known at the beginning.
    share: Share,
    /// Of the trace.
    random: Randomness,
    /// Nothing of it is captured: it is only counted.
    pub(crate) left_out: bool,
}

/// Whether a request asks how the service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Health {
    #[default]
    No,
    Asked,
    /// If it turns out to be gRPC, where every call is a POST; else it does something.
    AskedByGrpc,
}

/// How a request ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    /// 0 without a response head.
    pub(crate) status: u16,
    pub(crate) grpc_status: Option<u16>,
    /// Nanoseconds.
    pub(crate) took: u64,
    /// A `running` entry told of it.
    pub(crate) announced: bool,
    /// An error was told, whatever was answered.
    pub(crate) failed: bool,
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
        self.skips.any && (self.skips.matches(head) || self.rules[self.find(head.route)].skip)
    }

    #[inline(always)] // at its one place
    pub(crate) fn begin(&self, head: &RequestHead<'_>) -> Chosen {
        let rule = self.find(head.route);
        let sampling = self.rules[rule].sampling;
        // A route that becomes known later may ask for more than others: until then the widest share counts.
        let share = if head.route.is_some() { sampling.head } else { self.widest };
        Chosen { rule, health: self.health(head), sampling, share, ..Chosen::default() }
    }

    #[inline]
    fn health(&self, head: &RequestHead<'_>) -> Health {
        match head.method {
            _ if !self.health.contains(head.path) => Health::No,
            "GET" | "HEAD" => Health::Asked,
            "POST" => Health::AskedByGrpc,
            _ => Health::No,
        }
    }

    /// A call is sampled as the request is that it is made for; in all else it goes by what is said for all.
    pub(crate) fn begin_call(&self, parent: Option<Chosen>) -> Chosen {
        let sampling = parent.map_or(self.rules[0].sampling, |parent| parent.sampling);
        Chosen { sampling, share: sampling.head, ..Chosen::default() }
    }

    /// The route became known after the beginning.
    pub(crate) fn choose_route(&self, chosen: &mut Chosen, route: &str) -> &Rule {
        chosen.rule = self.find(Some(route));
        let rule = self.of(chosen);
        chosen.sampling = rule.sampling;
        rule
    }

    #[inline]
    pub(crate) fn of(&self, chosen: &Chosen) -> &Rule {
        // Every index comes from `find`.
        &self.rules[chosen.rule]
    }

    /// Whether bodies are kept, where the client keeps any; until the route is known, whether they may be.
    pub(crate) fn keeps_bodies(&self, chosen: &Chosen, routed: bool) -> bool {
        if routed { self.of(chosen).bodies } else { self.any_bodies }
    }

    /// Whether any route is sampled.
    pub(crate) fn samples(&self) -> bool {
        self.rules.iter().any(|rule| !rule.sampling.is_all())
    }

    /// Whether a `running` entry may tell of it.
    pub(crate) fn announces(&self, chosen: &Chosen) -> bool {
        !chosen.left_out && !self.of(chosen).skip
    }

    #[inline(always)] // at its one place
    pub(crate) fn end(&self, chosen: &Chosen, ended: &Ended) -> Verdict {
        self.judge(chosen, ended, None)
    }

    /// Likewise, where a handler may have given it a level.
    #[cold]
    pub(crate) fn end_as_told(&self, chosen: &Chosen, ended: &Ended, told: Option<Level>) -> Verdict {
        self.judge(chosen, ended, told)
    }

    #[inline(always)] // at its two places, one of them the request path
    fn judge(&self, chosen: &Chosen, ended: &Ended, told: Option<Level>) -> Verdict {
        let rule = self.of(chosen);
        // An upgraded connection is open for as long as it is of use.
        let slow = ended.took > rule.slow && ended.outcome != Outcome::Upgraded;
        let level = rule.levels.of(ended.outcome, ended.status, ended.grpc_status);
        let level = if slow { level.max(Level::Warn) } else { level };
        let level = told.unwrap_or(level);
        let fate = if chosen.sampling.is_all() && chosen.health == Health::No && !rule.skip {
            Fate::Keep(1.0)
        } else {
            let special = slow || level >= Level::Error || !ended.is_whole();
            chosen.fate(rule, ended, special)
        };
        Verdict { fate, level, slow }
    }

    #[inline]
    fn find(&self, route: Option<&str>) -> usize {
        match route {
            Some(route) if !self.routes.is_empty() => self.find_route(route),
            _ => 0,
        }
    }

    fn find_route(&self, route: &str) -> usize {
        let found = self.routes.binary_search_by(|(name, _)| name.as_str().cmp(route)).ok();
        found.and_then(|at| self.routes.get(at)).map_or(0, |(_, rule)| *rule)
    }
}

impl Chosen {
    /// Whether it is captured whatever its trace is.
    #[inline]
    pub(crate) fn is_certain(&self) -> bool {
        self.share.is_all()
    }

    /// The trace is known now. True if the request is captured.
    #[inline]
    pub(crate) fn decide(&mut self, trace_id: &TraceId) -> bool {
        self.random = Randomness::of(trace_id);
        self.left_out = !self.share.keeps(self.random);
        !self.left_out
    }

    #[inline(never)] // of those that have rules
    fn fate(&self, rule: &Rule, ended: &Ended, special: bool) -> Fate {
        // What a `running` entry told of needs an entry of its end. It stands for those that were not captured, for
        // all that were are kept.
        if ended.announced {
            return Fate::Keep(self.share.weight());
        }
        let health = match self.health {
            Health::No => false,
            Health::Asked => true,
            Health::AskedByGrpc => ended.grpc_status.is_some(),
        };
        if rule.skip || (health && !special && ended.succeeded()) {
            return Fate::Skip;
        }
        let share = if special { self.sampling.head } else { self.sampling.both };
        if share.keeps(self.random) { Fate::Keep(share.weight()) } else { Fate::Sampled }
    }
}

impl Ended {
    /// Nothing broke off and nobody gave up.
    #[inline]
    fn is_whole(&self) -> bool {
        matches!(self.outcome, Outcome::Completed | Outcome::Upgraded)
    }

    /// By what was answered, whatever levels it is given.
    fn succeeded(&self) -> bool {
        self.is_whole() && self.status < 400 && self.grpc_status.unwrap_or(0) == 0 && !self.failed
    }
}
