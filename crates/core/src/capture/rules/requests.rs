//! What an application may say about its requests.

use std::collections::BTreeMap;
use std::time::Duration;

use hoplog_entry::{Level, Outcome};

use super::paths::PathSet;
use super::skip::{Predicate, Skips};
use super::{RouteRules, Rules, Statuses};
use crate::capture::RequestHead;

/// Paths that the probes of orchestrators and load balancers ask for. Not among them: `/live` and `/status`, which are
/// pages as often.
const HEALTH_PATHS: [&str; 12] = [
    "/health",
    "/healthz",
    "/health/live",
    "/health/ready",
    "/healthcheck",
    "/livez",
    "/readyz",
    "/ready",
    "/ping",
    "/up",
    "/_health",
    "/grpc.health.v1.Health/Check",
];

/// Which requests become entries, and of which level. Slow, level, sampling and the choice of headers hold for outgoing
/// calls too.
///
/// | | default |
/// |---|---|
/// | skipped | none |
/// | health checks | `GET /healthz` and its kin make no entry while they succeed |
/// | sampled | all are kept |
/// | slow | none |
/// | level | ERROR: 5xx, panicked, service_error; WARN: 4xx, cancelled, body_aborted, timed_out; else INFO. For gRPC by its status |
/// | bodies | as [`ClientBuilder::bodies`](crate::ClientBuilder::bodies) says: none |
/// | headers | request and response headers that [`Redaction`](crate::Redaction) keeps |
///
/// # Sampling
/// A decision is made per trace, from the last seven bytes of the trace id, as OpenTelemetry's consistent probability
/// sampling makes it; so services with the same share keep the same traces, and one with a smaller share keeps a part
/// of them. Whoever chooses the trace id decides: ids from outside count like others, unless they are not continued.
/// An entry that stands for more than one request says so in `weight`: sum weights to count. What is left out is
/// counted as [`Sampled`](crate::DropReason::Sampled), which is no loss. Entries of the logger are always kept.
///
/// ```
/// use std::time::Duration;
/// use hoplog::{Level, Requests};
///
/// let requests = Requests::default()
///     .skip_prefix("/assets")
///     .skip_if(|head| head.method == "OPTIONS")
///     .sample_at_end(0.05) // errors, slow and broken-off ones are kept, all of them
///     .slow(Duration::from_millis(500))
///     .level(404, Level::Info);
/// let client = hoplog::Client::builder().requests(requests).build()?;
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Requests {
    skip_paths: Vec<String>,
    skip_prefixes: Vec<String>,
    skip_if: Vec<Predicate>,
    health_paths: Vec<String>,
    routes: Vec<(String, RouteRules)>,
    all: RouteRules,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            skip_paths: Vec::new(),
            skip_prefixes: Vec::new(),
            skip_if: Vec::new(),
            health_paths: HEALTH_PATHS.map(Into::into).into(),
            routes: Vec::new(),
            all: RouteRules::default(),
        }
    }
}

impl Requests {
    /// Skips requests for exactly this path, before any work is done: they have no entry, no context, no ids on their
    /// response, and are not counted. Paths are compared as they come, byte for byte.
    #[must_use]
    pub fn skip_path(mut self, path: impl Into<String>) -> Self {
        self.skip_paths.push(path.into());
        self
    }

    /// Likewise for this path and all below it: `/assets` stands for `/assets` and `/assets/a.css`, not for
    /// `/assets2`, nor for `/assets/../admin`.
    #[must_use]
    pub fn skip_prefix(mut self, path: impl Into<String>) -> Self {
        self.skip_prefixes.push(path.into());
        self
    }

    /// Likewise for a route template, as the framework spells it. Where it is known only after the head (actix-web,
    /// gRPC), the request has a context and ids, and its entry is discarded at the end.
    #[must_use]
    pub fn skip_route(self, template: impl Into<String>) -> Self {
        self.route(template, RouteRules::default().skip())
    }

    /// Likewise where this says true. It is asked on the request's thread, for each request: it must not wait. If it
    /// panics, the request is not skipped, and a line on stderr says so, once a minute at most.
    #[must_use]
    pub fn skip_if(mut self, predicate: impl Fn(&RequestHead<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.skip_if.push(Predicate::new(predicate));
        self
    }

    /// The paths of health checks, instead of those built in: `/health`, `/healthz`, `/health/live`, `/health/ready`,
    /// `/healthcheck`, `/livez`, `/readyz`, `/ready`, `/ping`, `/up`, `/_health`, `/grpc.health.v1.Health/Check`.
    /// Compared as they come, with GET or HEAD, or as gRPC calls. A health check makes no entry and is not counted if it
    /// completed with a status below 400 (gRPC: 0), was not slow and told no error; a failing one makes an entry. With
    /// no paths at all there are no health checks.
    #[must_use]
    pub fn health_paths<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.health_paths = paths.into_iter().map(Into::into).collect();
        self
    }

    /// Captures this share of all traces, 0 to 1; nothing of the others but their context, whatever becomes of them.
    /// They go on with their ids, and with the sampled flag of `traceparent` off; captured ones with the flag on
    /// (OpenTelemetry: Trace SDK, Sampling). Default: 1, and the flag goes on as it came.
    #[must_use]
    pub fn sample(mut self, share: f64) -> Self {
        self.all = self.all.sample(share);
        self
    }

    /// Keeps this share, 0 to 1, of ordinary requests, decided at their end: those below ERROR that completed and were
    /// not slow. All others are kept. With [`sample`](Self::sample) it is a share of what that one captures. Default: 1.
    #[must_use]
    pub fn sample_at_end(mut self, share: f64) -> Self {
        self.all = self.all.sample_at_end(share);
        self
    }

    /// A request that takes longer, to the last byte, has `slow: true` and at least level WARN. Upgraded ones are never
    /// slow; a route whose answers are streamed may need a longer threshold of its own. Default: none.
    #[must_use]
    pub fn slow(mut self, threshold: Duration) -> Self {
        self.all = self.all.slow(threshold);
        self
    }

    /// The level of answers with these statuses: `404` or `400..=499`. What is said last counts. The outcome and a
    /// gRPC status still speak for themselves: a request that panicked or broke off has at least the level of that.
    #[must_use]
    pub fn level(mut self, statuses: impl Into<Statuses>, level: Level) -> Self {
        self.all = self.all.level(statuses, level);
        self
    }

    /// The level of requests that end so; the more serious of this and the answer's level counts.
    #[must_use]
    pub fn outcome_level(mut self, outcome: Outcome, level: Level) -> Self {
        self.all = self.all.outcome_level(outcome, level);
        self
    }

    /// Whether request headers are kept, of those that [`Redaction`](crate::Redaction) allows. Default: true.
    #[must_use]
    pub fn request_headers(mut self, keep: bool) -> Self {
        self.all = self.all.request_headers(keep);
        self
    }

    /// Whether response headers are kept, of those that [`Redaction`](crate::Redaction) allows. Default: true.
    #[must_use]
    pub fn response_headers(mut self, keep: bool) -> Self {
        self.all = self.all.response_headers(keep);
        self
    }

    /// Whether bodies are kept, where [`ClientBuilder::bodies`](crate::ClientBuilder::bodies) is told to keep any. Off
    /// here and on for some routes, only theirs are kept. Default: true.
    #[must_use]
    pub fn bodies(mut self, keep: bool) -> Self {
        self.all = self.all.bodies(keep);
        self
    }

    /// What is different for one route, by its template, as the framework spells it: `/users/{id}`.
    #[must_use]
    pub fn route(mut self, template: impl Into<String>, rules: RouteRules) -> Self {
        self.routes.push((template.into(), rules));
        self
    }

    /// # Errors
    /// All complaints: a path that does not begin with `/`, a prefix of everything, a route twice or without a name,
    /// and what [`RouteRules::complaints`] has to say.
    pub(crate) fn build(&self) -> Result<Rules, Vec<String>> {
        let mut complaints: Vec<String> = self.all.complaints("").collect();
        for (setter, paths) in [
            ("skip_path", &self.skip_paths),
            ("skip_prefix", &self.skip_prefixes),
            ("health_paths", &self.health_paths),
        ] {
            for path in paths.iter().filter(|path| !path.starts_with('/')) {
                complaints.push(format!("{setter}({path:?}): not a path; it must begin with `/`"));
            }
        }
        for prefix in
            self.skip_prefixes.iter().filter(|p| p.starts_with('/') && p.trim_matches('/').is_empty())
        {
            complaints.push(format!("skip_prefix({prefix:?}): all requests; use `enabled(false)` for that"));
        }
        let mut routes = BTreeMap::new();
        let mut rules = vec![self.all.clone().compile()];
        for (template, route) in &self.routes {
            complaints.extend(route.complaints(&format!("route({template:?}): ")));
            if template.is_empty() {
                complaints.push("route(\"\"): not a route; give its template".into());
            }
            if routes.insert(template.clone(), rules.len()).is_some() {
                complaints.push(format!("route({template:?}): said twice; put it all into one"));
            }
            rules.push(route.over(&self.all).compile());
        }
        if !complaints.is_empty() {
            return Err(complaints);
        }
        let any_bodies = rules.iter().any(|rule| rule.bodies);
        let widest = rules.iter().map(|rule| rule.sampling.head).max();
        Ok(Rules {
            skips: Skips {
                paths: PathSet::new(self.skip_paths.iter().map(String::as_str)),
                prefixes: self.skip_prefixes.clone(),
                predicates: self.skip_if.clone(),
                any: !(self.skip_paths.is_empty()
                    && self.skip_prefixes.is_empty()
                    && self.skip_if.is_empty())
                    || self.routes.iter().any(|(_, route)| route.skips()),
                ..Skips::default()
            },
            health: PathSet::new(self.health_paths.iter().map(String::as_str)),
            widest: widest.unwrap_or_default(),
            any_bodies,
            rules,
            routes: routes.into_iter().collect(),
        })
    }
}
