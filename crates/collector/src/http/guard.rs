//! Who may pass, and as whom. All of it is looked at before a byte of any body is read.
//!
//! ```text
//! peer ─► client address (trusted proxies) ─► key, or open from there? ─► name, page ─► quota ─► Access
//!                                                │ neither
//!                                                └► 401, the same for every reason; 429 for too many of them
//! ```

use super::access::{Access, Scopes};
use super::cors::Allowed;
use super::{Answer, App, problem, waiting};
use crate::config::Config;
use crate::error::StartError;
use crate::keys::KeyStore;
use crate::keys::admin::network as network_of;
use crate::keys::ring::{Denied, Keyring, Shown};
use crate::store::projects::Project;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use failures::Failures;
use hoplog_entry::forwarded::{ForwardedBy, Proxies};
use host::Hosts;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Request, StatusCode};
use ipnet::IpNet;
use quota::Meters;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

mod failures;
mod host;
pub(crate) mod quota;

/// Who is at the other end of a connection, in every request's extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) peer: IpAddr,
    /// The address that was connected to.
    pub(crate) local: Option<IpAddr>,
}

/// The rules of entry.
pub(crate) struct Guard {
    pub(crate) ring: Arc<Keyring>,
    /// The narrowest first.
    open: Vec<(IpNet, Project)>,
    proxies: Proxies,
    hosts: Hosts,
    failures: Failures,
    keys: Arc<dyn KeyStore>,
    meters: Arc<Meters>,
}

/// Paths that need no key: they say nothing about entries.
const OPEN: [&str; 7] = ["/", "/health", "/healthz", "/livez", "/openapi.json", "/readyz", "/reference"];

/// What is wrong with a request, in the order in which it is looked for.
enum Refused {
    Key(Denied),
    Name,
    Page,
}

impl Guard {
    pub(crate) async fn new(config: &Config, keys: Arc<dyn KeyStore>) -> Result<Self, StartError> {
        let mut open = Vec::new();
        for text in &config.open_from {
            let Some((network, name)) = text.split_once('=') else {
                return Err(StartError::new(format!(
                    "`{text}` does not say what is open to whom: pass --open-from as 10.1.0.0/16=shop"
                )));
            };
            let project = match name {
                "default" => Project::DEFAULT,
                name => keys.project(name.to_owned()).await.map_err(|e| StartError::new(e.to_string()))?,
            };
            open.push((network_of(network)?, project));
        }
        let proxies = Proxies::parse(config.trusted_proxies.iter().map(String::as_str)).map_err(|wrong| {
            let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            StartError::new(format!("--trusted-proxy: {}", wrong.join("; ")))
        })?;
        open.sort_by_key(|(network, _)| std::cmp::Reverse(network.prefix_len()));
        let directory = config.directory()?;
        let (shared, pepper) = (config.api_key.as_ref(), config.pepper.as_ref());
        let ring = Arc::new(Keyring::open(Arc::clone(&keys), directory, shared, pepper).await?);
        tokio::spawn(Keyring::keep(Arc::downgrade(&ring)));
        let meters = Arc::new(Meters::new(config.quotas.clone()));
        let heard = meters.exchange(&*keys, config.clock.now()).await;
        heard.map_err(|e| StartError::new(e.to_string()))?;
        tokio::spawn(Meters::keep(Arc::downgrade(&meters), Arc::clone(&keys), config.clock.clone()));
        Ok(Self {
            ring,
            open,
            proxies,
            hosts: Hosts::new(&config.allowed_hosts),
            failures: Failures::default(),
            keys,
            meters,
        })
    }

    /// Notes what was counted.
    pub(crate) async fn close(&self, now: i64) {
        // What fails here is a second's worth of a day's quota.
        let _ = self.meters.exchange(&*self.keys, now).await;
    }

    /// Whether anybody beyond loopback could be let in.
    pub(crate) fn lets_in_others(&self) -> bool {
        self.ring.is_in_use() || !self.open.is_empty()
    }

    /// Whether an address is of a network that is open without a key.
    pub(crate) fn is_open(&self, address: IpAddr) -> bool {
        self.open.iter().any(|(network, _)| network.contains(&address.to_canonical()))
    }

    /// Whose request it is: of the connection's other end, or of whom a trusted proxy names.
    fn client(&self, ends: Option<Ends>, headers: &HeaderMap) -> Option<IpAddr> {
        let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        ForwardedBy::XForwarded.client(ends.map(|ends| ends.peer), &self.proxies, named).ip
    }

    /// What a request may do.
    fn access(&self, headers: &HeaderMap, client: Option<IpAddr>, now: i64) -> Result<Access, Denied> {
        // As long as there is no key, a machine's own processes may do everything.
        if !self.ring.is_in_use() && client.is_some_and(|client| client.to_canonical().is_loopback()) {
            return Ok(Access::keyless(Project::DEFAULT, Scopes::EVERY));
        }
        if let Some(shown) = shown(headers) {
            return self.ring.judge(shown, client, now);
        }
        let client = client.ok_or(Denied::Missing)?.to_canonical();
        let open = self.open.iter().find(|(network, _)| network.contains(&client));
        let (_, project) = open.ok_or(Denied::Missing)?;
        Ok(Access::keyless(*project, Scopes::INGEST))
    }

    /// Whether a request that shows no key comes by a name, and from a page, that may.
    fn is_own(&self, access: &Access, request: &Request<Body>, ends: Option<Ends>) -> Result<(), Refused> {
        let headers = request.headers();
        // Where entries may only be sent, a name matters to browsers alone, and these say where they come from.
        let no_page = access.scopes == Scopes::INGEST && !headers.contains_key(hyper::header::ORIGIN);
        if !no_page && !self.hosts.are_right(headers, ends.and_then(|ends| ends.local)) {
            return Err(Refused::Name);
        }
        let allowed = request.extensions().get::<Allowed>().is_some();
        (allowed || host::same_site(request.method(), headers)).then_some(()).ok_or(Refused::Page)
    }

    fn decide(&self, request: &Request<Body>, client: Option<IpAddr>, now: i64) -> Result<Access, Refused> {
        let mut access = self.access(request.headers(), client, now).map_err(Refused::Key)?;
        if access.keyless {
            self.is_own(&access, request, request.extensions().get().copied())?;
        }
        let per_day = self.ring.project(access.project).and_then(|named| named.bytes_per_day);
        access.meter = self.meters.of(access.key.as_deref(), access.project, per_day);
        Ok(access)
    }
}

/// The key that a request shows.
fn shown(headers: &HeaderMap) -> Option<Shown<'_>> {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"Bearer ").then(|| Shown::Whole(token.trim_ascii()))
    });
    bearer.or_else(|| {
        let key = headers.get("x-api-key")?.as_bytes();
        Some(match headers.get("x-api-secret") {
            Some(secret) => Shown::Pair(key, secret.as_bytes()),
            None => Shown::Whole(key),
        })
    })
}

/// Answers in place of the route where a rule is broken.
pub(crate) async fn check(State(app): State<Arc<App>>, mut request: Request<Body>, next: Next) -> Answer {
    let guard = &app.guard;
    let client = guard.client(request.extensions().get().copied(), request.headers());
    let now = app.clock.now();
    let path = request.uri().path();
    let needs_none = OPEN.contains(&path) || path.starts_with("/assets/");
    let access = match guard.decide(&request, client, now) {
        Ok(access) => access,
        Err(Refused::Key(_)) if needs_none => return next.run(request).await,
        Err(refused) => {
            let answer = refuse(&app, refused, client);
            let (head, body) = request.into_parts();
            crate::ingest::wire::discard(&head.headers, body).await;
            return answer;
        }
    };
    let Some(meter) = access.meter.clone().filter(|_| !needs_none) else {
        request.extensions_mut().insert(access);
        return next.run(request).await;
    };
    let mut answer = match meter.request(!request.method().is_safe(), Instant::now(), now) {
        Ok(()) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(exceeded) => {
            app.metrics.refused(exceeded.policy);
            let (head, body) = request.into_parts();
            crate::ingest::wire::discard(&head.headers, body).await;
            let why = format!("more than this key may ({}): send it again later", exceeded.policy);
            waiting(problem(StatusCode::TOO_MANY_REQUESTS, &why), exceeded.wait)
        }
    };
    let (policy, left) = meter.headers(now);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", left)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            answer.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    answer
}

fn refuse(app: &App, refused: Refused, client: Option<IpAddr>) -> Answer {
    match refused {
        Refused::Name => {
            app.metrics.refused("host");
            let why = "what is open without a key answers to localhost and to its own address only: call it so, allow \
                       the name with --allow-host, or use a key";
            problem(StatusCode::MISDIRECTED_REQUEST, why)
        }
        Refused::Page => {
            app.metrics.refused("origin");
            let why = "a page of another origin may not send here: use a key, or send from no page";
            problem(StatusCode::FORBIDDEN, why)
        }
        Refused::Key(denied) => {
            app.metrics.denied(denied);
            let wait = client.and_then(|client| app.guard.failures.count(client, Instant::now()));
            if let Some(wait) = wait {
                app.metrics.refused("failures");
                let why =
                    "too many requests without a valid key from this address: wait, then use a valid one";
                return waiting(problem(StatusCode::TOO_MANY_REQUESTS, why), wait);
            }
            let why = "a key is needed: send it as Authorization: Bearer <key>";
            let mut answer = problem(StatusCode::UNAUTHORIZED, why);
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            answer
        }
    }
}
