//! Projects: each has a store of its own, which no question about another project can reach.

use super::{Store, StoreError};
use crate::error::StartError;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// A project, by its number. Names are for people: none becomes part of a path or of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Project(pub(crate) u32);

impl Project {
    /// Of whoever names none.
    pub(crate) const DEFAULT: Self = Self(0);
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the stores come from.
pub(crate) trait Stores: Send + Sync + 'static {
    /// Opens the store of a project. Blocks; called on a runtime's thread.
    fn open(&self, project: Project) -> Result<Arc<dyn Store>, StartError>;

    /// The projects of which something is kept, in no order.
    fn kept(&self) -> Vec<Project>;

    /// How many may be open at once.
    fn most(&self) -> usize;

    /// Counts of its own, in the form of Prometheus.
    fn metrics(&self) -> String {
        String::new()
    }
}

type Place = Arc<OnceCell<Arc<dyn Store>>>;

/// The stores of all projects, each opened when it is first asked for.
pub(crate) struct Projects {
    stores: Arc<dyn Stores>,
    places: Mutex<BTreeMap<Project, Place>>,
}

impl Projects {
    /// Opens the default project and all of which something is kept: what is old leaves them too.
    pub(crate) async fn open(stores: Arc<dyn Stores>) -> Result<Self, StartError> {
        let mut found = stores.kept();
        found.push(Project::DEFAULT);
        let projects = Self { stores, places: Mutex::default() };
        for project in found {
            let place = projects.place(project).map_err(|e| StartError::new(e.to_string()))?;
            projects.opened(project, &place).await?;
        }
        Ok(projects)
    }

    /// Opens none yet: for one project alone.
    pub(crate) fn only(stores: Arc<dyn Stores>) -> Self {
        Self { stores, places: Mutex::default() }
    }

    /// The store of a project.
    pub(crate) async fn store(&self, project: Project) -> Result<Arc<dyn Store>, StoreError> {
        let place = self.place(project)?;
        self.opened(project, &place).await.map_err(|e| StoreError::Unavailable(e.to_string()))
    }

    /// Whether entries of every project can be taken right now.
    pub(crate) async fn ready(&self) -> Result<(), StoreError> {
        let mut asked = JoinSet::new();
        for store in self.all() {
            asked.spawn(async move { store.ready().await });
        }
        while let Some(ready) = asked.join_next().await {
            ready.map_err(|e| StoreError::Unavailable(format!("the store did not answer: {e}")))??;
        }
        Ok(())
    }

    /// Commits what is under way and lets go of everything.
    pub(crate) async fn close(&self) {
        let mut closing = JoinSet::new();
        for store in self.all() {
            // A store that closes says nothing that anybody could still act on.
            closing.spawn(async move { drop(store.close().await) });
        }
        while closing.join_next().await.is_some() {}
    }

    /// What the stores count of themselves.
    pub(crate) fn metrics(&self) -> String {
        self.stores.metrics()
    }

    /// The stores that are open.
    pub(crate) fn all(&self) -> Vec<Arc<dyn Store>> {
        let places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.values().filter_map(|place| place.get().cloned()).collect()
    }

    fn place(&self, project: Project) -> Result<Place, StoreError> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let most = self.stores.most();
        if places.len() >= most && !places.contains_key(&project) {
            return Err(StoreError::Unavailable(format!(
                "{most} projects are open, which is all that this store holds: use fewer, or another collector"
            )));
        }
        Ok(Arc::clone(places.entry(project).or_default()))
    }

    async fn opened(&self, project: Project, place: &Place) -> Result<Arc<dyn Store>, StartError> {
        let open = || async {
            let stores = Arc::clone(&self.stores);
            let opened = tokio::task::spawn_blocking(move || stores.open(project)).await;
            opened.map_err(|e| StartError::new(format!("the store did not open: {e}")))?
        };
        place.get_or_try_init(open).await.cloned()
    }
}
