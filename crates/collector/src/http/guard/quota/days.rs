//! What projects sent today: counted here, added up in the store of the keys with what other collectors counted, and read
//! from there at the start.

use crate::keys::{KeyStore, Sent};
use crate::store::StoreError;
use crate::store::projects::Project;
use crate::time::Day;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Of one project.
#[derive(Debug, Default)]
pub(super) struct Count {
    day: Day,
    bytes: u64,
    /// Of these, what the store has not been told.
    fresh: u64,
}

impl Count {
    /// What was sent on a day, which is today's or nothing.
    pub(super) fn on(&self, today: Day) -> u64 {
        if self.day == today { self.bytes } else { 0 }
    }

    pub(super) fn add(&mut self, today: Day, bytes: u64) {
        if today > self.day {
            *self = Self { day: today, ..Self::default() }; // a clock that is set back goes on with the day it had
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.fresh = self.fresh.saturating_add(bytes);
    }

    fn heard(&mut self, today: Day, bytes: u64) {
        if today > self.day {
            *self = Self { day: today, bytes, fresh: 0 };
        } else if today == self.day {
            self.bytes = bytes.saturating_add(self.fresh);
        }
    }
}

/// Of all projects whose days are limited.
#[derive(Debug, Default)]
pub(super) struct Days(Mutex<HashMap<Project, Arc<Mutex<Count>>>>);

impl Days {
    pub(super) fn of(&self, project: Project) -> Arc<Mutex<Count>> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(project).or_default())
    }

    pub(super) fn are_counted(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Tells the store what is new, and hears what it knows.
    pub(super) async fn exchange(&self, store: &dyn KeyStore, today: Day) -> Result<(), StoreError> {
        let fresh = self.take();
        match store.sent(today, fresh.clone()).await {
            Ok(all) => {
                for (project, bytes) in all {
                    self.of(project).lock().unwrap_or_else(PoisonError::into_inner).heard(today, bytes);
                }
                Ok(())
            }
            Err(error) => {
                for Sent { project, day, bytes } in fresh {
                    let count = self.of(project);
                    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                    if count.day == day {
                        count.fresh = count.fresh.saturating_add(bytes);
                    }
                }
                Err(error)
            }
        }
    }

    fn take(&self) -> Vec<Sent> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = all.iter().map(|(project, count)| {
            let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
            Sent { project: *project, day: count.day, bytes: std::mem::take(&mut count.fresh) }
        });
        fresh.filter(|sent| sent.bytes > 0).collect()
    }
}
