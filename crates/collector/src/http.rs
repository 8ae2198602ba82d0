//! What all routes share: the state they work on, and the forms of an answer.

use crate::config::Config;
use crate::floor::Floor;
use crate::ingest::routes::Intake;
use crate::metrics::Metrics;
use crate::server::tls::Tls;
use crate::store::StoreError;
use crate::store::projects::Projects;
use crate::time::Clock;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Semaphore;

pub(crate) mod access;
pub(crate) mod cors;
pub(crate) mod guard;
pub(crate) mod ops;
pub(crate) mod page;
pub(crate) mod router;

pub(crate) type Answer = Response<Body>;

/// What the routes work on.
pub(crate) struct App {
    /// A handler gets its store as [`access::Granted`].
    projects: Projects,
    pub(crate) floor: Floor,
    pub(crate) intake: Arc<Intake>,
    pub(crate) guard: guard::Guard,
    pub(crate) origins: cors::Origins,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    /// A place for each follower of the tail.
    pub(crate) followers: Arc<Semaphore>,
    /// Set once a shutdown has begun.
    pub(crate) draining: AtomicBool,
    pub(crate) tls: Option<Arc<Tls>>,
    /// Plain HTTP is taken from anywhere.
    pub(crate) insecure: bool,
}

impl App {
    pub(crate) fn new(
        config: Config,
        projects: Projects,
        guard: guard::Guard,
        floor: Floor,
        tls: Option<Arc<Tls>>,
        origins: cors::Origins,
    ) -> Self {
        let retention = Duration::from_secs(u64::from(config.retention_days) * 86_400);
        Self {
            projects,
            floor,
            intake: Arc::new(Intake::new(&config.limits, retention)),
            guard,
            origins,
            metrics: Metrics::default(),
            followers: Arc::new(Semaphore::new(config.limits.followers)),
            clock: config.clock,
            draining: AtomicBool::new(false),
            tls,
            insecure: config.insecure_listen,
        }
    }

    /// Commits what is under way and lets go of the stores.
    pub(crate) async fn close(&self) {
        self.guard.close(self.clock.now()).await;
        self.projects.close().await;
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => json_text(status, body),
        Err(_) => json_text(StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}

/// An answer whose body is finished JSON.
pub(crate) fn json_text(status: StatusCode, body: impl Into<Body>) -> Answer {
    with_type(status, "application/json; charset=utf-8", body)
}

/// An error of the query side (RFC 9457).
pub(crate) fn problem(status: StatusCode, detail: &str) -> Answer {
    problem_of(status, detail, None)
}

fn problem_of(status: StatusCode, detail: &str, parameter: Option<&str>) -> Answer {
    let title = status.canonical_reason().unwrap_or("Error");
    let mut body = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
    if let (Some(name), Some(members)) = (parameter, body.as_object_mut()) {
        members.insert("parameter".to_owned(), name.into());
    }
    let mut answer = with_type(status, "application/problem+json", body.to_string());
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.headers_mut().insert(RETRY_AFTER, retry_after());
    }
    answer
}

/// The same, on its way through a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) detail: String,
    /// The parameter at fault, if it is one.
    pub(crate) parameter: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), parameter: None }
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A parameter that cannot be, or not with the others; the detail says what to change.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self { parameter: Some(name.to_owned()), ..Self::bad(detail) }
    }

    pub(crate) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Answer {
        problem_of(self.status, &self.detail, self.parameter.as_deref())
    }
}

/// An answer that nobody keeps.
pub(crate) fn with_type(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// The same answer, with a time to wait for, of at least a second: ± 20 % in turn, so that senders do not come back
/// all at once.
pub(crate) fn waiting(mut answer: Answer, wait: Duration) -> Answer {
    static TURN: AtomicU32 = AtomicU32::new(0);
    // Steps of 7 of 41 meet every percent in turn, far from the one before.
    let percent = 80 + TURN.fetch_add(7, Relaxed) % 41;
    let seconds = (wait.as_secs_f64() * f64::from(percent) / 100.0).ceil().max(1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1; a cast saturates"
    )]
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds as u64));
    answer
}

/// 1 to 4 seconds in turn, so that senders do not come back all at once.
pub(crate) fn retry_after() -> HeaderValue {
    static TURN: AtomicU32 = AtomicU32::new(0);
    HeaderValue::from(TURN.fetch_add(1, Relaxed) % 4 + 1)
}
