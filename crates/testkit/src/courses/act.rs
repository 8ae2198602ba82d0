//! The service that a plan scripts, in no framework's words, and what it saw while it was polled.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use hoplog::KeepOpen;

use super::plan::{Failing, Hint, Plan, Step, Then};

/// What every panic of a script carries.
pub(super) const PANIC: &str = "a panic of the script";
/// What every error of a script says.
const BROKEN: &str = "an error of the script";

/// Plays one plan.
#[derive(Debug, Clone)]
pub struct Actor {
    plan: Rc<Plan>,
    waker: Waker,
    seen: Rc<RefCell<Vec<Sight>>>,
    guard: Rc<RefCell<Option<KeepOpen>>>,
}

/// What one poll of the script saw around it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sight {
    /// The request id of [`hoplog::current`].
    pub(super) request_id: Option<String>,
    /// Whether the waker was that of who polls outside.
    pub(super) same_waker: bool,
}

/// An error of the script.
#[derive(Debug, Clone, Copy)]
pub struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BROKEN)
    }
}

impl Error for Broken {}

/// What a body gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// Bytes.
    Data(Vec<u8>),
    /// Names and values.
    Trailers(Vec<(String, String)>),
}

impl Actor {
    pub(super) fn new(plan: Rc<Plan>, waker: Waker) -> Self {
        Self { plan, waker, seen: Rc::default(), guard: Rc::default() }
    }

    /// What it plays.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The service is called. Some plans panic here.
    #[must_use]
    pub fn call(&self) -> ScriptedHandler {
        if self.plan.head.then == Then::PanicInCall {
            quiet_panic();
        }
        ScriptedHandler { actor: self.clone(), pendings: self.plan.head.pendings }
    }

    pub(super) fn polls(&self) -> Vec<Sight> {
        self.seen.borrow().clone()
    }

    /// Drops the guard that the handler took.
    pub(super) fn release(&self) {
        drop(self.guard.take());
    }

    fn saw(&self, cx: &Context<'_>) {
        self.seen.borrow_mut().push(Sight {
            request_id: hoplog::current().request_id().map(ToOwned::to_owned),
            same_waker: cx.waker().will_wake(&self.waker),
        });
    }
}

/// A panic without a word on stderr: there will be thousands.
fn quiet_panic() -> ! {
    resume_unwind(Box::new(PANIC))
}

/// Comes to a head, or fails.
#[derive(Debug)]
pub struct ScriptedHandler {
    actor: Actor,
    pendings: u8,
}

impl ScriptedHandler {
    /// Ready with the body of the answer, or with how it failed.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<ScriptedBody, Failing>> {
        self.actor.saw(cx);
        if self.actor.plan.keeps {
            *self.actor.guard.borrow_mut() = hoplog::current().keep();
        }
        if let Some(left) = self.pendings.checked_sub(1) {
            self.pendings = left;
            return Poll::Pending;
        }
        match self.actor.plan.head.then {
            Then::Answer => Poll::Ready(Ok(ScriptedBody::new(self.actor.clone()))),
            Then::Fail(how) => Poll::Ready(Err(how)),
            Then::Panic | Then::PanicInCall => quiet_panic(),
        }
    }

    /// Whose handler this is.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.actor.plan
    }
}

/// Gives what the plan says, step by step.
#[derive(Debug)]
pub struct ScriptedBody {
    actor: Actor,
    left: VecDeque<Step>,
}

impl ScriptedBody {
    fn new(actor: Actor) -> Self {
        let left = actor.plan.steps.iter().copied().collect();
        Self { actor, left }
    }

    /// The next step.
    pub fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Piece, Broken>>> {
        self.actor.saw(cx);
        match self.left.pop_front() {
            None => Poll::Ready(None),
            Some(Step::Pending) => Poll::Pending,
            Some(Step::Data(length)) => Poll::Ready(Some(Ok(Piece::Data(vec![b'.'; length.into()])))),
            Some(Step::Trailers(status)) => {
                let mut trailers = vec![("x-checksum".to_owned(), "1".to_owned())];
                trailers.extend(status.map(|status| ("grpc-status".to_owned(), status.to_string())));
                Poll::Ready(Some(Ok(Piece::Trailers(trailers))))
            }
            Some(Step::Error) => Poll::Ready(Some(Err(Broken))),
            Some(Step::Panic) => quiet_panic(),
        }
    }

    /// Whether it says that it is at its end.
    #[must_use]
    pub fn is_end(&self) -> bool {
        self.actor.plan.tells_end && self.left.is_empty()
    }

    /// The least and the most bytes that are left, as it says.
    #[must_use]
    pub fn hint(&self) -> (u64, Option<u64>) {
        let plan = &self.actor.plan;
        let gone: u64 = plan.body_length() - self.true_rest();
        match plan.hint {
            Hint::Unknown => (0, None),
            Hint::Lower => (self.true_rest(), None),
            Hint::Exact(truth) => {
                let rest = truth.of(plan.body_length()).saturating_sub(gone);
                (rest, Some(rest))
            }
        }
    }

    /// The whole length as it was said at the start, where it was.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        let plan = &self.actor.plan;
        if let Hint::Exact(truth) = plan.hint { Some(truth.of(plan.body_length())) } else { None }
    }

    fn true_rest(&self) -> u64 {
        self.left.iter().map(|step| if let Step::Data(length) = step { u64::from(*length) } else { 0 }).sum()
    }
}
