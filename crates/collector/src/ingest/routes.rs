//! The routes that take entries in.

use super::answer::{Receipt, Refusal};
use super::entry::EntryLimits;
use super::envelope::{BatchLimits, Form, Parsed, Unreadable, parse};
use super::inflate::{Encoding, InflateLimits, inflate};
use super::non_numbers::{self, Nulled};
use super::protocol::{Protocol, Route};
use super::translated::{Room, Translated, Unread};
use super::wire::{self, WireLimits};
use super::{logs_sdk, otlp};
use crate::budget::{Budget, Grant};
use crate::config::Limits;
use crate::http::access::{Granted, Ingest};
use crate::http::{Answer, App, Problem};
use crate::store::batch::Verdict;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::post;
use hoplog_entry::EntryId;
use hyper::Request;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::Semaphore;

/// The bounds of everything that comes in, and what is shared between bodies.
#[derive(Debug)]
pub(crate) struct Intake {
    wire: WireLimits,
    inflate: InflateLimits,
    batch: BatchLimits,
    budget: Budget,
    /// At most this many bodies are inflated and parsed at once.
    workers: Arc<Semaphore>,
    /// Microseconds.
    retention: i64,
}

impl Intake {
    pub(crate) fn new(limits: &Limits, retention: Duration) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            wire: WireLimits {
                identity_bytes: limits.body_bytes,
                compressed_bytes: limits.compressed_bytes,
                idle: limits.body_idle,
                total: limits.body_total,
            },
            inflate: InflateLimits { bytes: limits.body_bytes, ratio: limits.inflate_ratio },
            batch: BatchLimits {
                entries: limits.batch_entries,
                entry: EntryLimits { bytes: limits.entry_bytes, depth: limits.json_depth },
            },
            budget: Budget::new(limits.memory_bytes, limits.memory_wait),
            workers: Arc::new(Semaphore::new(2 * cores)),
            retention: i64::try_from(retention.as_micros()).unwrap_or(i64::MAX),
        }
    }

    /// Inflates and parses on a thread that may block. The body's share of memory goes on with the batch.
    async fn decode(
        self: Arc<Self>,
        wire: Vec<u8>,
        encoding: Encoding,
        protocol: Protocol,
        now: i64,
        mut grant: Grant,
        inflated: impl FnOnce(usize) + Send + 'static,
    ) -> Result<Parsed, Refusal> {
        let gone = || Refusal::Busy("shutting down; try again later".to_owned());
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(|_| gone())?;
        let work = move || {
            let _worker = worker;
            let body = inflate(wire, encoding, self.inflate, &mut grant)?;
            inflated(body.len());
            match self.read(body, &protocol, now, &mut grant)? {
                Ok(mut parsed) => {
                    grant.cover_blocking(parsed.batch.bytes()).map_err(|_| busy())?;
                    parsed.batch.share = Some(grant);
                    Ok(parsed)
                }
                Err(Unreadable::Malformed(why)) => Err(Refusal::BadRequest(why)),
                Err(Unreadable::TooMany(count)) => Err(Refusal::TooLarge(format!(
                    "{count} entries; a batch may have {}",
                    self.batch.entries
                ))),
            }
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| gone())?
    }

    /// Reads a body, and once more with nulls for floats that are no numbers if there are some.
    fn read(
        &self,
        body: Vec<u8>,
        protocol: &Protocol,
        now: i64,
        grant: &mut Grant,
    ) -> Result<Result<Parsed, Unreadable>, Refusal> {
        let malformed = match self.read_once(&body, &[], protocol, now, grant) {
            Err(Unread::Unreadable(malformed @ Unreadable::Malformed(_))) => malformed,
            read => return self.end(read, body, now),
        };
        let text = std::str::from_utf8(&body).ok().filter(|_| protocol.is_json());
        let Some((text, room)) = text.and_then(|text| Some((text, non_numbers::room(text)?))) else {
            return Ok(Err(malformed));
        };
        grant.cover_blocking(text.len() + room).map_err(|_| busy())?;
        let Nulled { text, at } = non_numbers::nulled(text);
        drop(body);
        let read = self.read_once(text.as_bytes(), &at, protocol, now, grant);
        self.end(read, text.into_bytes(), now)
    }

    /// Reads what was translated, once its body is out of the way.
    fn end(
        &self,
        read: Result<Taken<'_>, Unread>,
        body: Vec<u8>,
        now: i64,
    ) -> Result<Result<Parsed, Unreadable>, Refusal> {
        drop(body);
        let parsed = read.and_then(|taken| match taken {
            Taken::Parsed(parsed) => Ok(*parsed),
            Taken::Translated(translated) => Ok(translated.read(now, self.retention)?),
        });
        match parsed {
            Ok(parsed) => Ok(Ok(parsed)),
            Err(Unread::Unreadable(unreadable)) => Ok(Err(unreadable)),
            Err(Unread::Refused(refused)) => Err(refused.into()),
        }
    }

    fn read_once<'g>(
        &self,
        body: &[u8],
        nulled: &[usize],
        protocol: &Protocol,
        now: i64,
        grant: &'g mut Grant,
    ) -> Result<Taken<'g>, Unread> {
        let room = Room { grant, body: body.len(), most: self.wire.identity_bytes };
        let translated = match protocol {
            Protocol::Native(form) => {
                let parsed = parse(body, nulled, *form, self.batch, now, self.retention)?;
                return Ok(Taken::Parsed(Box::new(parsed)));
            }
            Protocol::LogsSdk(form, sdk) => logs_sdk::translate(body, nulled, *form, sdk, room, self.batch),
            Protocol::Otlp(encoding) => otlp::translate(body, *encoding, room, self.batch),
        };
        translated.map(Taken::Translated)
    }
}

/// A body that was taken apart.
enum Taken<'g> {
    Parsed(Box<Parsed>),
    Translated(Translated<'g>),
}

/// The answer where the memory for bodies is taken.
pub(super) fn busy() -> Refusal {
    Refusal::Busy("too many bodies at once; try again later".to_owned())
}

/// The paths that take entries by `POST`.
pub(crate) const PATHS: [&str; 6] = [
    "/logs",
    "/api/v1/logs",
    "/api/v1/logs/batch",
    "/api/v1/ingest/logs",
    "/api/v1/ingest/infra-logs",
    "/v1/logs",
];

pub(crate) fn routes() -> Router<Arc<App>> {
    let taking = |route| post(move |app, granted, request| ingest(app, granted, request, route));
    Router::new()
        .route("/logs", taking(Route::Native(Form::Logs)))
        .route("/api/v1/logs/batch", taking(Route::Native(Form::LogsOrArray)))
        .route("/api/v1/ingest/logs", taking(Route::LogsSdk(logs_sdk::Form::Logs)))
        .route("/api/v1/ingest/infra-logs", taking(Route::LogsSdk(logs_sdk::Form::Infra)))
        .route("/v1/logs", taking(Route::Otlp))
}

/// `POST /api/v1/logs`; its path also answers `GET`, so the router is put together elsewhere.
pub(crate) async fn one(app: State<Arc<App>>, granted: Permit, request: Request<Body>) -> Answer {
    ingest(app, granted, request, Route::Native(Form::One)).await
}

/// May be none: whoever is refused is told once its body is out of the way.
type Permit = Result<Granted<Ingest>, Problem>;

async fn ingest(
    State(app): State<Arc<App>>,
    granted: Permit,
    request: Request<Body>,
    route: Route,
) -> Answer {
    let (head, mut body) = request.into_parts();
    let (protocol, known) = match route.protocol(&head.headers) {
        Ok(protocol) => (protocol, Ok(())),
        Err(refusal) => (route.with(otlp::Encoding::Json, &head.headers), Err(refusal)),
    };
    let granted = granted.map_err(Refusal::from).and_then(|granted| known.map(|()| granted));
    let taken = match granted {
        Ok(granted) => take(&app, &granted, &head.headers, &mut body, &protocol).await,
        Err(refusal) => Err(refusal),
    };
    match taken {
        Ok((receipt, ids)) => protocol.accepted(&receipt, &ids),
        Err(refusal) => {
            if refusal != Refusal::Timeout {
                wire::discard(&head.headers, body).await;
            }
            app.metrics.refused(refusal.name());
            protocol.refused(refusal)
        }
    }
}

async fn take(
    app: &App,
    granted: &Granted<Ingest>,
    headers: &hyper::HeaderMap,
    body: &mut Body,
    protocol: &Protocol,
) -> Result<(Receipt, Vec<EntryId>), Refusal> {
    let intake = &app.intake;
    let encoding = wire::encoding(headers)?;
    app.floor.check()?;
    let mut grant = intake.budget.grant();
    let wire = wire::read(headers, body, encoding, intake.wire, &mut grant).await?;
    let now = app.clock.now();
    let (inflated, bill) = (app.metrics.body(wire.len()), granted.bill(now));
    let on_inflated = move |bytes| {
        inflated.fetch_add(u64::try_from(bytes).unwrap_or(0), Relaxed);
        bill(bytes);
    };
    let Parsed { batch, rejected, count, batch_id } =
        Arc::clone(intake).decode(wire, encoding, protocol.clone(), now, grant, on_inflated).await?;
    let ids = protocol.ids(&batch);
    let verdicts = match batch.rows.is_empty() && batch.sender.is_none() {
        true => Vec::new(),
        false => {
            let waiting = app.metrics.waiting();
            let verdicts = granted.store.write(batch).await?;
            waiting.committed();
            verdicts
        }
    };
    let count_of = |verdict| verdicts.iter().filter(|v| **v == verdict).count();
    let (accepted, id_conflicts) = (count_of(Verdict::Stored), count_of(Verdict::Conflict));
    let duplicates = verdicts.len() - accepted;
    app.metrics.entries(accepted, duplicates, id_conflicts);
    for entry in &rejected {
        app.metrics.rejected(entry.class);
    }
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
    let server_time = now as f64 / 1e6;
    let receipt = Receipt {
        status: "ok",
        count,
        batch_id,
        accepted,
        duplicates,
        id_conflicts,
        rejected,
        durability: "fsync",
        server_time,
    };
    Ok((receipt, ids))
}
