//! What this thread runs in: the request of the innermost poll or guard, and the scope inside of it.
//!
//! ```text
//! poll ── Entered ─┬─► guard ─► guard ─┬── the end of the poll: guards that are left over are undone,
//!                  └─ a frame ─────────┘   and find nothing to do when they are dropped
//! ```
//!
//! A poll is entered and left on one stack, so its [`Entered`] keeps what was before. Guards are dropped by the
//! application, in any order and sometimes after the poll: what was before them is kept by the thread.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use super::Context;
use super::scope::Nested;
use crate::capture::{Live, Panic};
use crate::pipeline::Pipeline;

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current { live: None, is_request: false, guards: 0 }) };
    static SCOPE: Cell<Option<Arc<Nested>>> = const { Cell::new(None) };
    static GUARDS: RefCell<Guards> = const { RefCell::new(Guards { saved: Vec::new(), next: 0 }) };
}

#[derive(Debug, Default)]
struct Current {
    live: Option<Arc<Live>>,
    /// The request itself is polled, not a task that it spawned: a panic in here is its end.
    is_request: bool,
    /// Guards entered in this poll that are there still: the last so many of [`GUARDS`].
    guards: u32,
}

/// The guards of this thread, in order of their entering.
#[derive(Debug)]
struct Guards {
    saved: Vec<Saved>,
    next: u64,
}

/// A guard, and what was before it.
#[derive(Debug)]
struct Saved {
    id: u64,
    previous: Place,
    /// Dropped inside of a poll that lies in it: undone when that one is over.
    dropped: bool,
}

#[derive(Debug, Default)]
struct Place {
    live: Option<Arc<Live>>,
    is_request: bool,
    scope: Option<Arc<Nested>>,
}

/// The context in which this code runs: that of the request being handled, with the scopes inside of it, or an empty
/// one.
///
/// Cheap: two reference counts. Never fails, also late in a thread's exit.
#[must_use]
pub fn current() -> Context {
    Context { live: look(|current| current.live.clone()).flatten(), scope: scope() }
}

pub(super) fn scope() -> Option<Arc<Nested>> {
    let peek = |cell: &Cell<Option<Arc<Nested>>>| {
        let scope = cell.take();
        cell.set(scope.clone());
        scope
    };
    SCOPE.try_with(peek).ok().flatten()
}

/// A look at what is current, without counting a reference. `None` where thread-locals are gone.
fn look<T>(f: impl FnOnce(&Current) -> T) -> Option<T> {
    let look = |cell: &Cell<Current>| {
        let current = cell.take();
        let seen = f(&current);
        cell.set(current);
        seen
    };
    CURRENT.try_with(look).ok()
}

/// Whether this runs inside a request that is being recorded.
#[inline]
pub(crate) fn inside_open_request() -> bool {
    look(|current| current.live.as_deref().is_some_and(Live::is_open)).unwrap_or(false)
}

/// The panic hook saw one: if it ends a request of this client, that request's entry tells it. False if it does not.
pub(crate) fn tell_panic(pipeline: &Arc<Pipeline>, panic: &Panic<'_>) -> bool {
    let tell = |current: &Current| {
        let live = current.live.as_deref().filter(|_| current.is_request);
        live.is_some_and(|live| live.tell_panic(pipeline, panic))
    };
    look(tell).unwrap_or(false)
}

/// Puts a context in place for one poll. It is moved into the thread-local and back, so a poll costs no reference
/// count.
#[must_use = "the context is left when the guard is dropped"]
pub(crate) struct Entered<'a> {
    slot: &'a mut Option<Arc<Live>>,
    previous: Current,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(crate) fn new(slot: &'a mut Option<Arc<Live>>, is_request: bool) -> Self {
        let previous = swap(Current { live: slot.take(), is_request, guards: 0 });
        Self { slot, previous }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        let previous = mem::take(&mut self.previous);
        let guards_outside = previous.guards;
        let left = swap(previous);
        *self.slot = if left.guards | guards_outside == 0 { left.live } else { undo_guards(left).live };
    }
}

#[inline]
fn swap(current: Current) -> Current {
    let mut current = current;
    // Where thread-locals are gone the context stays with its owner.
    let _ = CURRENT.try_with(|cell| current = cell.replace(mem::take(&mut current)));
    current
}

/// A poll with guards in it or around it is over: what it ran in.
#[cold]
fn undo_guards(left: Current) -> Place {
    let leftover = GUARDS.try_with(|guards| {
        let mut guards = guards.borrow_mut();
        let outside = guards.saved.len().saturating_sub(left.guards as usize);
        guards.saved.split_off(outside)
    });
    // The first of them knows what was before them all.
    let place = match leftover.unwrap_or_default().into_iter().next() {
        Some(first) => {
            drop(swap_scope(first.previous.scope.clone()));
            first.previous
        }
        None => Place { live: left.live, is_request: left.is_request, scope: None },
    };
    undo_dropped();
    place
}

/// Undoes the last guards if they were dropped inside of the poll that is over.
fn undo_dropped() {
    let last =
        || GUARDS.try_with(|guards| guards.borrow_mut().saved.pop_if(|last| last.dropped)).ok().flatten();
    while look(|current| current.guards).unwrap_or(0) > 0
        && let Some(saved) = last()
    {
        restore(saved.previous, 1);
    }
}

/// Makes a place current again; `fewer` guards are in its poll than in what was current.
fn restore(place: Place, fewer: u32) {
    drop(swap_scope(place.scope));
    let guards = look(|current| current.guards).unwrap_or(0).saturating_sub(fewer);
    drop(swap(Current { live: place.live, is_request: place.is_request, guards }));
}

fn swap_scope(scope: Option<Arc<Nested>>) -> Option<Arc<Nested>> {
    let mut scope = scope;
    let _ = SCOPE.try_with(|cell| scope = cell.replace(scope.take()));
    scope
}

/// Puts a scope in place for one poll; moved as [`Entered`] does it.
#[must_use = "the scope is left when the guard is dropped"]
pub(super) struct EnteredScope<'a> {
    slot: &'a mut Option<Arc<Nested>>,
    previous: Option<Arc<Nested>>,
}

impl<'a> EnteredScope<'a> {
    pub(super) fn new(slot: &'a mut Option<Arc<Nested>>) -> Self {
        let previous = swap_scope(slot.take());
        Self { slot, previous }
    }
}

impl Drop for EnteredScope<'_> {
    fn drop(&mut self) {
        *self.slot = swap_scope(self.previous.take());
    }
}

/// A poll in the same request: guards that it leaves over end with it.
#[must_use = "the frame ends when it is dropped"]
pub(super) struct Frame {
    guards_outside: u32,
}

impl Frame {
    pub(super) fn new() -> Self {
        let current = swap(Current::default());
        let guards_outside = current.guards;
        swap(Current { guards: 0, ..current });
        Self { guards_outside }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let left = swap(Current::default());
        let place = if left.guards == 0 {
            Place { live: left.live, is_request: left.is_request, scope: None }
        } else {
            undo_guards(left)
        };
        swap(Current { live: place.live, is_request: place.is_request, guards: self.guards_outside });
        if self.guards_outside > 0 {
            undo_dropped();
        }
    }
}

/// The id of the request in which this runs, for scopes to know where they belong.
pub(super) fn span() -> Option<hoplog_entry::SpanId> {
    look(|current| current.live.as_deref().map(|live| live.span_id)).flatten()
}

/// Leaves the context or the scope when dropped; see [`Context::enter`] and [`Scope::guard`](super::Scope::guard).
///
/// Guards may be dropped in any order: what a later one put in place stays until that one is dropped. One that is
/// kept across an await is undone at the end of the poll, so that nobody else on the thread runs in it.
#[derive(Debug)]
#[must_use = "the context is left when the guard is dropped"]
pub struct ContextGuard {
    id: Option<u64>,
    /// It belongs to its thread.
    not_send: PhantomData<*const ()>,
}

impl ContextGuard {
    /// Enters a request's context, and the scope that was taken along with it.
    pub(super) fn context(live: Option<Arc<Live>>, scope: Option<Arc<Nested>>) -> Self {
        Self::enter(|_| Place { live, is_request: false, scope })
    }

    /// Enters a scope in the request that is current.
    pub(super) fn scope(scope: Arc<Nested>) -> Self {
        Self::enter(|here| Place { live: here.live.clone(), is_request: here.is_request, scope: Some(scope) })
    }

    fn enter(next: impl FnOnce(&Place) -> Place) -> Self {
        let before = swap(Current::default());
        let guards = before.guards;
        let previous = Place { live: before.live, is_request: before.is_request, scope: swap_scope(None) };
        let next = next(&previous);
        let id = GUARDS.try_with(|all| {
            let mut all = all.borrow_mut();
            all.next += 1;
            let id = all.next;
            all.saved.push(Saved { id, previous, dropped: false });
            id
        });
        drop(swap_scope(next.scope));
        drop(swap(Current { live: next.live, is_request: next.is_request, guards: guards + 1 }));
        Self { id: id.ok(), not_send: PhantomData }
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let guards = look(|current| current.guards).unwrap_or(0) as usize;
        let removed = GUARDS.try_with(|all| {
            let all = &mut all.borrow_mut().saved;
            let at = all.iter().rposition(|saved| saved.id == id)?;
            if at + guards < all.len() {
                all[at].dropped = true;
                return None;
            }
            let mut removed = all.remove(at);
            let later = all.get_mut(at);
            let is_last = later.is_none();
            if let Some(later) = later {
                mem::swap(&mut later.previous, &mut removed.previous);
            }
            Some((removed.previous, is_last))
        });
        match removed.ok().flatten() {
            Some((previous, true)) => restore(previous, 1),
            Some((_, false)) => {
                let current = swap(Current::default());
                swap(Current { guards: current.guards.saturating_sub(1), ..current });
            }
            None => {}
        }
    }
}
