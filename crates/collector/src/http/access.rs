//! What a request may do. The [guard](super::guard) decides it before a byte of a body is read; a handler gets at a
//! store through [`Granted`] alone.

use super::guard::quota::Meter;
use super::{App, Problem};
use crate::keys::Key;
use crate::store::Store;
use crate::store::projects::Project;
use axum::extract::FromRequestParts;
use hyper::StatusCode;
use hyper::http::request::Parts;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

/// What can be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Send entries.
    Ingest,
    /// Ask about entries.
    Query,
    /// Delete entries, see the collector's own counts.
    Admin,
}

impl Scope {
    pub(crate) const ALL: [Self; 3] = [Self::Ingest, Self::Query, Self::Admin];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Query => "query",
            Self::Admin => "admin",
        }
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scopes(u8);

impl Scopes {
    pub(crate) const INGEST: Self = Self(1 << Scope::Ingest as u8);
    pub(crate) const EVERY: Self = Self(0b111);

    pub(crate) fn with(self, scope: Scope) -> Self {
        Self(self.0 | 1 << scope as u8)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// What is not known allows nothing.
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits & Self::EVERY.0)
    }

    pub(crate) fn names(self) -> Vec<&'static str> {
        Scope::ALL.into_iter().filter(|scope| self.has(*scope)).map(Scope::name).collect()
    }

    pub(crate) fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

/// What whoever sent a request may do, in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) project: Project,
    pub(crate) scopes: Scopes,
    /// None of the shared key, and of whoever needs none.
    pub(crate) key: Option<Arc<Key>>,
    /// It came without a key, from where none is needed.
    pub(crate) keyless: bool,
    /// Where it is written down what it used, if that is limited.
    pub(crate) meter: Option<Meter>,
}

impl Access {
    pub(crate) fn keyless(project: Project, scopes: Scopes) -> Self {
        Self { project, scopes, key: None, keyless: true, meter: None }
    }
}

/// What a handler needs to be allowed.
pub(crate) trait Needed: Send {
    const SCOPE: Scope;
}

/// Of handlers that take entries in.
pub(crate) struct Ingest;

/// Of handlers that answer questions.
pub(crate) struct Query;

/// Of handlers that delete, or show what belongs to no project.
pub(crate) struct Admin;

impl Needed for Ingest {
    const SCOPE: Scope = Scope::Ingest;
}

impl Needed for Query {
    const SCOPE: Scope = Scope::Query;
}

impl Needed for Admin {
    const SCOPE: Scope = Scope::Admin;
}

/// The store of the project that a request is about, for a handler that needs `N`.
pub(crate) struct Granted<N> {
    pub(crate) store: Arc<dyn Store>,
    access: Access,
    needed: PhantomData<N>,
}

impl<N: Needed> FromRequestParts<Arc<App>> for Granted<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let denied = |status, detail: String| Problem::new(status, detail);
        let Some(access) = parts.extensions.get::<Access>() else {
            return Err(denied(StatusCode::UNAUTHORIZED, "a key is needed".to_owned()));
        };
        if !access.scopes.has(N::SCOPE) {
            let detail = format!("this key may not {0}: use one with the scope {0}", N::SCOPE.name());
            return Err(denied(StatusCode::FORBIDDEN, detail));
        }
        let (access, needed) = (access.clone(), PhantomData);
        Ok(Self { store: app.projects.store(access.project).await?, access, needed })
    }
}

impl<N> Granted<N> {
    /// Writes down what a body held, once it is inflated.
    pub(crate) fn bill(&self, now: i64) -> impl FnOnce(usize) + Send + 'static {
        let meter = self.access.meter.clone();
        move |bytes| {
            if let Some(meter) = meter {
                meter.sent(bytes, Instant::now(), now);
            }
        }
    }

    /// Whether it is granted still; for answers that go on for long.
    pub(crate) fn holds(&self, app: &App) -> bool {
        app.guard.ring.holds(&self.access, app.clock.now())
    }
}
