//! What a service will do with one request, and what surrounds it.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// The course of one request, but for the point where it is cut off.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of the request.
    pub method: &'static str,
    /// Of the answer.
    pub status: u16,
    /// Whether the answer's `content-type` is that of gRPC.
    pub grpc: bool,
    /// The answer's `grpc-status`.
    pub grpc_status: Option<u16>,
    /// The answer's `content-length`, against what the body gives.
    pub(super) promise: Option<Truth>,
    pub(super) hint: Hint,
    /// Whether the body says that nothing is left once nothing is.
    pub(super) tells_end: bool,
    pub(super) second_layer: bool,
    /// The handler takes a guard that outlives its answer.
    pub(super) keeps: bool,
    pub(super) head: HeadPlan,
    pub(super) steps: Vec<Step>,
    /// Polls of the body after its end or error.
    pub(super) polls_after_end: u8,
    /// A panic's victims are dropped while it unwinds, not after it was caught.
    pub(super) dropped_unwinding: bool,
    /// The client is shut down before this poll.
    pub(super) shutdown_at: Option<u8>,
}

/// How the head comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadPlan {
    pub(super) pendings: u8,
    pub(super) then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Then {
    Answer,
    Fail(Failing),
    Panic,
    /// Before there is a future.
    PanicInCall,
}

/// How a service fails that gives no answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Failing {
    /// Something broke.
    Broken,
    /// An inner timeout ran out.
    TimedOut,
    /// The request is refused, where a framework has errors for that; else it is broken.
    Refused,
}

/// What a body's poll gives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Pending,
    Data(u8),
    /// With this `grpc-status`, or none.
    Trailers(Option<u16>),
    Error,
    Panic,
}

/// A length, against the true one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Truth {
    Right,
    TooMuch,
    TooLittle,
}

/// What the body says of its size.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hint {
    Unknown,
    /// No less than what is left.
    Lower,
    Exact(Truth),
}

impl Truth {
    pub(super) fn of(self, true_length: u64) -> u64 {
        match self {
            Self::Right => true_length,
            Self::TooMuch => true_length + 5,
            Self::TooLittle => true_length / 2,
        }
    }
}

impl Plan {
    /// Bytes that the body gives if nobody stops it.
    pub(super) fn body_length(&self) -> u64 {
        let data = |step: &Step| if let Step::Data(length) = step { u64::from(*length) } else { 0 };
        self.steps.iter().map(data).sum()
    }

    /// What stands in the answer's `content-length`.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.promise.map(|promise| promise.of(self.body_length()))
    }

    /// The same without what a framework's bodies have not.
    pub(super) fn without_trailers(mut self) -> Self {
        self.steps.retain(|step| !matches!(step, Step::Trailers(_)));
        self
    }

    /// Every point where the one who polls may drop what it polls, and none.
    pub(super) fn cuts(&self) -> impl Iterator<Item = Cut> + use<> {
        let answered = self.head.then == Then::Answer;
        let head = (0..=self.head.pendings).map(Cut::Head);
        let body = (0..=self.steps.len() as u8).map(Cut::Body).filter(move |_| answered);
        std::iter::once(Cut::Never).chain(head).chain(body)
    }
}

/// Where a course is cut off: dropped after so many polls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cut {
    Never,
    Head(u8),
    Body(u8),
}

fn truth() -> impl Strategy<Value = Truth> {
    prop_oneof![3 => Just(Truth::Right), 1 => Just(Truth::TooMuch), 1 => Just(Truth::TooLittle)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Pending),
        8 => (0..9u8).prop_map(|length| Step::Data(length.saturating_sub(1))),
        2 => option::of(0..17u16).prop_map(Step::Trailers),
        1 => Just(Step::Error),
        1 => Just(Step::Panic),
    ]
}

fn head() -> impl Strategy<Value = HeadPlan> {
    let then = prop_oneof![
        16 => Just(Then::Answer),
        1 => Just(Then::Fail(Failing::Broken)),
        1 => Just(Then::Fail(Failing::TimedOut)),
        1 => Just(Then::Fail(Failing::Refused)),
        1 => Just(Then::Panic),
        1 => Just(Then::PanicInCall),
    ];
    (0..4u8, then).prop_map(|(pendings, then)| HeadPlan { pendings, then })
}

/// Any plan.
pub(super) fn any() -> impl Strategy<Value = Plan> {
    let method = prop_oneof![4 => Just("GET"), 1 => Just("HEAD"), 1 => Just("POST")];
    let status = prop_oneof![
        8 => Just(200u16),
        8 => prop::sample::select(&[101u16, 204, 206, 304, 404, 408, 500, 504][..]),
    ];
    let grpc = (prop::bool::weighted(0.2), option::weighted(0.1, 0..17u16));
    let hint =
        prop_oneof![1 => Just(Hint::Unknown), 1 => Just(Hint::Lower), 2 => truth().prop_map(Hint::Exact)];
    let surroundings = (
        any_bool(),
        (prop::bool::weighted(0.2), prop::bool::weighted(0.2)),
        0..3u8,
        any_bool(),
        option::weighted(0.1, 0..8u8),
        option::weighted(0.4, truth()),
    );
    (method, status, grpc, hint, head(), vec(step(), 0..7), surroundings).prop_map(
        |(method, status, (grpc, grpc_status), hint, head, steps, surroundings)| {
            let (tells_end, (second_layer, keeps), polls_after_end, dropped_unwinding, shutdown_at, promise) =
                surroundings;
            Plan {
                method,
                status,
                grpc,
                grpc_status,
                promise,
                hint,
                tells_end,
                second_layer,
                keeps,
                head,
                steps,
                polls_after_end,
                dropped_unwinding,
                shutdown_at,
            }
        },
    )
}

fn any_bool() -> impl Strategy<Value = bool> {
    proptest::bool::ANY
}
