//! What this thread runs in: the request or task of the innermost poll, and what guards put over it.
//!
//! ```text
//! poll ── Entered ──► guard ──► guard ──┬── leave: what was polled is where it was; guards that are left over
//!                                       └── cover nothing any more
//! ```

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use super::{Context, Notes};
use crate::capture::{Live, Panic};
use crate::pipeline::Pipeline;

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current { live: None, is_request: false, guard: 0 }) };
    /// What guards put over it, in order of their numbers.
    static ENTERED: RefCell<Vec<Cover>> = const { RefCell::new(Vec::new()) };
}

/// What this thread runs in.
#[derive(Debug, Default)]
struct Current {
    live: Option<Arc<Live>>,
    /// The request itself is polled, not a task that it spawned: a panic in here is its end.
    is_request: bool,
    /// The guard whose context covers it; 0 where none does. It ends with the poll, and what is polled stays where it
    /// is: a guard that is held across an await, or dropped out of turn, must not hand one request's record to another.
    guard: u32,
}

/// The context of a guard, and the guard that it covers in turn.
#[derive(Debug)]
struct Cover {
    number: u32,
    previous: u32,
    context: Context,
}

impl Current {
    fn context(&self) -> Context {
        let covered = if self.guard == 0 { None } else { self.covered() };
        covered.unwrap_or_else(|| Context { live: self.live.clone(), notes: None })
    }

    #[cold]
    fn covered(&self) -> Option<Context> {
        let of = |entered: &RefCell<Vec<Cover>>| {
            entered.borrow().iter().rev().find(|c| c.number == self.guard).map(|c| c.context.clone())
        };
        ENTERED.try_with(of).ok().flatten()
    }
}

/// The context in which this code runs: that of the request being handled, with the scopes inside of it, or an empty
/// one.
///
/// Cheap: two reference counts at most. Never fails, also late in a thread's exit.
#[must_use]
pub fn current() -> Context {
    CURRENT.try_with(|cell| look(cell, Current::context)).unwrap_or_default()
}

/// A look at what is current, without counting a reference.
fn look<T>(cell: &Cell<Current>, f: impl FnOnce(&Current) -> T) -> T {
    change(cell, |current| f(current))
}

fn change<T>(cell: &Cell<Current>, f: impl FnOnce(&mut Current) -> T) -> T {
    let mut current = cell.take();
    let seen = f(&mut current);
    cell.set(current);
    seen
}

/// Whether this runs inside a request that is being recorded. A guard does not count: one that is forgotten on a
/// thread would hide that thread's requests.
#[inline]
pub(crate) fn inside_open_request() -> bool {
    CURRENT
        .try_with(|cell| look(cell, |current| current.live.as_deref().is_some_and(Live::is_open)))
        .unwrap_or(false)
}

/// The panic hook saw one: if it ends a request of this client, that request's entry tells it. False if it does not.
pub(crate) fn tell_panic(pipeline: &Arc<Pipeline>, panic: &Panic<'_>) -> bool {
    CURRENT
        .try_with(|cell| {
            look(cell, |current| {
                let live = current.live.as_deref().filter(|_| current.is_request);
                live.is_some_and(|live| live.tell_panic(pipeline, panic))
            })
        })
        .unwrap_or(false)
}

/// Leaves the context or the scope when dropped; see [`Context::enter`] and [`Scope::guard`](super::Scope::guard).
///
/// Guards may be dropped in any order: what a later one put in place stays until that one is dropped. Left over at the
/// end of the poll in which it was made, a guard covers nothing any more.
#[derive(Debug, Default)]
#[must_use = "the context is left when the guard is dropped"]
pub struct ContextGuard {
    /// 0 where thread-locals are gone.
    number: u32,
    /// It belongs to its thread.
    not_send: PhantomData<*const ()>,
}

impl ContextGuard {
    pub(super) fn over(context: Context) -> Self {
        let guard = Self { number: Self::next().unwrap_or(0), not_send: PhantomData };
        // Where thread-locals are gone there is nothing to cover.
        let _ = CURRENT.try_with(|cell| {
            let previous = change(cell, |current| mem::replace(&mut current.guard, guard.number));
            let cover = Cover { number: guard.number, previous, context };
            let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(cover));
        });
        guard
    }

    fn next() -> Option<u32> {
        thread_local! {
            static LAST: Cell<u32> = const { Cell::new(0) };
        }
        let next = LAST.try_with(|last| {
            last.set(last.get().wrapping_add(1).max(1));
            last.get()
        });
        next.ok()
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        let uncovered = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let at = entered.iter().rposition(|cover| cover.number == self.number)?;
            let gone = entered.remove(at);
            // Who covers it covers now what it covered.
            let later = entered.iter_mut().filter(|cover| cover.previous == gone.number);
            later.for_each(|cover| cover.previous = gone.previous);
            Some(gone)
        });
        // Dropped once nothing is borrowed any more.
        let Some(gone) = uncovered.ok().flatten() else { return };
        let _ = CURRENT.try_with(|cell| {
            change(cell, |current| {
                if current.guard == gone.number {
                    current.guard = gone.previous;
                }
            });
        });
    }
}

/// A scope around one poll: a guard that takes along, when it goes, those that were made inside and are left over.
#[must_use = "the scope is left when this is dropped"]
pub(super) struct Covered {
    guard: ContextGuard,
}

impl Covered {
    /// Of the request that is current.
    pub(super) fn by(notes: Arc<Notes>) -> Self {
        let live = current().live;
        Self { guard: ContextGuard::over(Context { live, notes: Some(notes) }) }
    }
}

impl Drop for Covered {
    fn drop(&mut self) {
        let number = self.guard.number;
        let _ = CURRENT.try_with(|cell| change(cell, |current| current.guard = number));
    }
}

/// What was current before a request is polled.
#[must_use = "the request is left by it"]
pub(crate) struct Before(Current);

/// Makes a request current for one poll, which [`leave`] ends also where it unwinds. It is moved into the thread-local
/// and back, so a poll costs no reference count.
#[inline]
pub(crate) fn enter(live: Option<Arc<Live>>) -> Before {
    Before(swap(Current { live, is_request: true, guard: 0 }))
}

/// Ends a poll that [`enter`] began; gives the request back.
#[inline]
pub(crate) fn leave(Before(previous): Before) -> Option<Arc<Live>> {
    swap(previous).live
}

/// Puts a request's context in place for one poll of a task that it spawned: likewise, and left when dropped.
#[must_use = "the context is left when the guard is dropped"]
pub(super) struct Entered<'a> {
    slot: &'a mut Option<Arc<Live>>,
    previous: Current,
}

impl<'a> Entered<'a> {
    #[inline]
    pub(super) fn new(slot: &'a mut Option<Arc<Live>>) -> Self {
        let previous = swap(Current { live: slot.take(), is_request: false, guard: 0 });
        Self { slot, previous }
    }
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.slot = swap(mem::take(&mut self.previous)).live;
    }
}

#[inline]
fn swap(current: Current) -> Current {
    let mut current = current;
    // Where thread-locals are gone the context stays with its owner.
    let _ = CURRENT.try_with(|cell| current = cell.replace(mem::take(&mut current)));
    current
}
