//! What request threads and the worker share: clock, rules, redaction, queue.

use std::ops::Deref;
use std::time::Duration;

use hoplog_entry::{DropReason, KnownHeader};

use crate::capture::{Bodies, Rules, TrustRules};
use crate::clock::Clock;
use crate::error_chain::harmless;
use crate::level_filter::LiveLevels;
use crate::open_requests::OpenRequests;
use crate::queue::{Queue, QueueLimits};
use crate::redact::{HeaderAction, Redactor};

/// What a client's configuration says about capturing, checked and ready for the request path.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) redactor: Redactor,
    pub(crate) rules: Rules,
    pub(crate) trust: TrustRules,
    /// `None`: no bodies are kept.
    pub(crate) bodies: Option<Bodies>,
    /// Which events are taken.
    pub(crate) levels: LiveLevels,
    /// The most events of one request.
    pub(crate) max_events: u32,
    /// Whether errors come with a backtrace.
    pub(crate) backtraces: bool,
    /// An exchange that is open for so long gets a `running` entry.
    pub(crate) running_after: Duration,
    /// Where requests under way are noted, for whoever comes after a crash.
    pub(crate) open_requests: Option<OpenRequests>,
}

impl Policy {
    /// Every default, but for these.
    pub(crate) fn with(redactor: Redactor, rules: Rules) -> Self {
        Self {
            redactor,
            rules,
            trust: TrustRules::default(),
            bodies: None,
            levels: LiveLevels::default(),
            max_events: 1_000,
            backtraces: false,
            running_after: Duration::from_secs(30),
            open_requests: None,
        }
    }
}

/// What becomes of each header that has a code, in order of the codes.
pub(crate) type HeaderActions = [HeaderAction; KnownHeader::ALL.len()];

/// One client's shared parts. Exchanges hold it, so that one that outlives its client ends as a counted drop.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) clock: Clock,
    pub(crate) queue: Queue,
    policy: Policy,
    /// The redactor's word on every header that has a code, decided once.
    known_headers: HeaderActions,
}

impl Deref for Pipeline {
    type Target = Policy;

    fn deref(&self) -> &Policy {
        &self.policy
    }
}

impl Pipeline {
    pub(crate) fn new(clock: Clock, limits: QueueLimits, policy: Policy) -> Self {
        let mut known_headers = [HeaderAction::Skip; KnownHeader::ALL.len()];
        for (header, action) in KnownHeader::ALL.iter().zip(&mut known_headers) {
            *action = policy.redactor.header(header.as_str().as_bytes());
        }
        Self { clock, queue: Queue::new(limits), policy, known_headers }
    }

    /// Does what looks into a request. If that panics, by a fault of ours, the request goes on without its entry, which is
    /// counted as lost by `redaction_failed`: nothing is written that was not judged.
    #[inline]
    pub(crate) fn contain<T>(&self, look: impl FnOnce() -> T) -> Option<T> {
        let seen = harmless(look);
        if seen.is_none() {
            self.queue.leave_out(DropReason::RedactionFailed);
        }
        seen
    }

    /// What becomes of a header that has a code; of any other the redactor says it.
    #[inline]
    pub(crate) fn known_header(&self, header: KnownHeader) -> HeaderAction {
        self.known_headers[header as usize]
    }

    /// Likewise, of each in order of its code; none is kept if none is to be.
    #[inline]
    pub(crate) fn known_headers(&self, keep: bool) -> &HeaderActions {
        if keep { &self.known_headers } else { &[HeaderAction::Skip; KnownHeader::ALL.len()] }
    }
}
