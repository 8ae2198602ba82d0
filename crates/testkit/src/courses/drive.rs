//! Drives the bare and the logged service in step through one course.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use super::act::Piece;
use super::glue::{BodyState, Failure, Head, Side};
use super::plan::{Cut, Plan};

/// What happened, as the bare service showed it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    Pending,
    /// The client was shut down.
    Shutdown,
    Head(Head, BodyState),
    /// The service did, and said this.
    Failed(String),
    /// Bytes, and what the body says then.
    Data(u64, BodyState),
    /// With this `grpc-status`, or none.
    Trailers(Option<u16>),
    BodyPending,
    BodyFailed(String),
    BodyEnded,
    PolledAfterEnd,
    /// Of the handler or of the body.
    Panicked,
    /// By who polls.
    Dropped,
    /// The guard that the handler took is dropped, after all else.
    Released,
}

impl Event {
    /// As it is counted.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Shutdown => "shutdown",
            Self::Head(..) => "head",
            Self::Failed(_) => "failed",
            Self::Data(..) => "data",
            Self::Trailers(_) => "trailers",
            Self::BodyPending => "body pending",
            Self::BodyFailed(_) => "body failed",
            Self::BodyEnded => "body ended",
            Self::PolledAfterEnd => "polled after the end",
            Self::Panicked => "panic",
            Self::Dropped => "dropped",
            Self::Released => "guard released",
        }
    }
}

/// Two services under the same hand.
pub(super) struct Pair<'a> {
    bare: Option<Box<dyn Side>>,
    logged: Option<Box<dyn Side>>,
    plan: &'a Plan,
    waker: Waker,
    /// Polls so far.
    polls: u8,
    shutdown: &'a mut dyn FnMut(),
    pub(super) events: Vec<Event>,
}

/// What a call gave, or the panic that came out of it.
type Caught<T> = Result<T, String>;

impl<'a> Pair<'a> {
    pub(super) fn new(
        bare: Box<dyn Side>,
        logged: Box<dyn Side>,
        plan: &'a Plan,
        waker: Waker,
        shutdown: &'a mut dyn FnMut(),
    ) -> Self {
        Self { bare: Some(bare), logged: Some(logged), plan, waker, polls: 0, shutdown, events: Vec::new() }
    }

    /// The whole course. `Err` says how the two differ.
    pub(super) fn run(&mut self, cut: Cut) -> Result<(), String> {
        let called = self.both(|side, _| side.call())?;
        if called.is_err() {
            self.events.push(Event::Panicked);
        } else if self.head(cut)? {
            self.body(cut)?;
        }
        (self.bare, self.logged) = (None, None);
        let context = hoplog::current();
        if context.is_empty() { Ok(()) } else { Err(format!("a context stays behind: {context:?}")) }
    }

    /// True once there is a head.
    fn head(&mut self, cut: Cut) -> Result<bool, String> {
        for polled in 0.. {
            if cut == Cut::Head(polled) {
                self.drop_both();
                return Ok(false);
            }
            let event = match self.both(|side, cx| side.poll_head(cx).map_ok(without_ids))? {
                Err(_) => Event::Panicked,
                Ok(Poll::Pending) => Event::Pending,
                Ok(Poll::Ready(Err(Failure(text)))) => Event::Failed(text),
                Ok(Poll::Ready(Ok(head))) => Event::Head(head, self.body_state()?),
            };
            let pending = event == Event::Pending;
            let answered = matches!(event, Event::Head(..));
            self.events.push(event);
            if !pending {
                return Ok(answered);
            }
        }
        Ok(false)
    }

    fn body(&mut self, cut: Cut) -> Result<(), String> {
        let mut after_end = None;
        for polled in 0.. {
            if cut == Cut::Body(polled) || after_end == Some(self.plan.polls_after_end) {
                self.drop_both();
                return Ok(());
            }
            let polled = self.both(|side, cx| side.poll_body(cx))?;
            let panicked = polled.is_err();
            let over = matches!(polled, Ok(Poll::Ready(None | Some(Err(_)))));
            let event = match polled {
                Err(_) => Event::Panicked,
                _ if after_end.is_some() => Event::PolledAfterEnd,
                Ok(Poll::Pending) => Event::BodyPending,
                Ok(Poll::Ready(None)) => Event::BodyEnded,
                Ok(Poll::Ready(Some(Err(text)))) => Event::BodyFailed(text),
                Ok(Poll::Ready(Some(Ok(Piece::Data(bytes))))) => {
                    Event::Data(bytes.len() as u64, self.body_state()?)
                }
                Ok(Poll::Ready(Some(Ok(Piece::Trailers(trailers))))) => {
                    let status = trailers.iter().find(|(name, _)| name == "grpc-status");
                    Event::Trailers(status.and_then(|(_, v)| v.parse().ok()))
                }
            };
            self.events.push(event);
            if panicked {
                return Ok(());
            }
            self.body_state()?;
            after_end = match after_end {
                Some(polls) => Some(polls + 1),
                None => over.then_some(0),
            };
        }
        Ok(())
    }

    fn drop_both(&mut self) {
        (self.bare, self.logged) = (None, None);
        self.events.push(Event::Dropped);
    }

    /// Does the same to both; it has to come out the same.
    fn both<T: PartialEq + std::fmt::Debug>(
        &mut self,
        act: impl Fn(&mut dyn Side, &mut Context<'_>) -> T,
    ) -> Result<Caught<T>, String> {
        if self.plan.shutdown_at == Some(self.polls) {
            (self.shutdown)();
            self.events.push(Event::Shutdown);
        }
        self.polls = self.polls.saturating_add(1);
        let unwinding = self.plan.dropped_unwinding;
        let mut cx = Context::from_waker(&self.waker);
        let bare = attempt(&mut self.bare, unwinding, |side| act(side, &mut cx));
        let logged = attempt(&mut self.logged, unwinding, |side| act(side, &mut cx));
        if bare == logged { Ok(bare) } else { Err(format!("logged, it gives {logged:?}, bare {bare:?}")) }
    }

    fn body_state(&self) -> Result<BodyState, String> {
        let state = |side: &Option<Box<dyn Side>>| side.as_ref().map(|side| side.body());
        let (bare, logged) = (state(&self.bare), state(&self.logged));
        match bare {
            Some(bare) if Some(&bare) == logged.as_ref() => Ok(bare),
            bare => Err(format!("logged, the body says {logged:?}, bare {bare:?}")),
        }
    }
}

/// Catches a panic of `act`. `unwinding`: the side is dropped on its way, else it is still there.
fn attempt<T>(
    side: &mut Option<Box<dyn Side>>,
    unwinding: bool,
    act: impl FnOnce(&mut dyn Side) -> T,
) -> Caught<T> {
    let mut owned = side.take().expect("a side that nobody has dropped");
    if unwinding {
        let caught = catch_unwind(AssertUnwindSafe(move || {
            let result = act(&mut *owned);
            (owned, result)
        }));
        return caught.map_err(text).map(|(owned, result)| {
            *side = Some(owned);
            result
        });
    }
    let result = catch_unwind(AssertUnwindSafe(|| act(&mut *owned)));
    *side = Some(owned);
    result.map_err(text)
}

fn text(panic: Box<dyn Any + Send>) -> String {
    panic.downcast_ref::<&str>().map_or_else(|| "a panic of another kind".to_owned(), ToString::to_string)
}

fn without_ids(mut head: Head) -> Head {
    head.headers.retain(|(name, _)| name != "x-trace-id" && name != "x-request-id");
    head.headers.sort();
    head
}
