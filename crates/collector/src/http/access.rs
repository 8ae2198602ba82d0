//! What a request may do. The [guard](super::guard) decides it before a byte of a body is read; a handler gets at a
//! store through [`Granted`] alone.

use super::{App, Problem};
use crate::store::Store;
use crate::store::projects::Project;
use axum::extract::FromRequestParts;
use hyper::StatusCode;
use hyper::http::request::Parts;
use std::marker::PhantomData;
use std::sync::Arc;

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
    pub(crate) const EVERY: Self = Self(0b111);

    pub(crate) fn has(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u8) != 0
    }
}

/// What whoever sent a request may do, in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) project: Project,
    pub(crate) scopes: Scopes,
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
        Ok(Self { store: app.projects.store(access.project).await?, needed: PhantomData })
    }
}
