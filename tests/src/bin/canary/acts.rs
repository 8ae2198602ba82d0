//! What handlers do, the same in both frameworks.

use std::sync::Arc;

use hoplog::{Client, InCurrentContext as _, Scope, scope};
use serde_json::{Map, Value};

use crate::calls::Calls;
use crate::failure::{Failure, Unserializable};
use crate::plan::Plan;

/// What every handler has at hand.
pub(crate) struct Acts {
    pub(crate) log: Client,
    pub(crate) plan: Arc<Plan>,
    pub(crate) calls: Calls,
}

/// How a handler ends.
pub(crate) enum Done {
    /// It answers: content type, more headers, body.
    Answer(String, Vec<(String, String)>, String),
    /// It answers, and leaves a report of this error on the response.
    Report(Failure),
    /// It returns the error.
    Refuse(Failure),
    /// What stands around the handler, inside of the log layer, fails.
    Fail(Failure),
    /// The response's body breaks off with this error.
    BreakOff(Failure),
}

impl Done {
    fn well() -> Self {
        Self::Answer("text/html".into(), Vec::new(), "done".into())
    }
}

impl Acts {
    /// Does step `n`.
    ///
    /// # Panics
    /// If that is the step.
    pub(crate) async fn run(&self, n: usize) -> Done {
        let step = self.plan.step(n);
        let failure = || Failure::new(&step.text);
        match step.act.as_str() {
            "none" => Done::well(),
            "answer_headers" => {
                let headers = step.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
                Done::Answer("text/html".into(), headers.collect(), "done".into())
            }
            "answer_body" => Done::Answer(step.kind.clone(), Vec::new(), step.text.clone()),
            "report" => Done::Report(failure()),
            "refuse" => Done::Refuse(failure()),
            "fail" => Done::Fail(failure()),
            "break_off" => Done::BreakOff(failure()),
            "panic" => std::panic::panic_any(step.text.clone()),
            "panic_task" => {
                let text = step.text.clone();
                let task = tokio::spawn(async move { std::panic::panic_any(text) }.in_current_context());
                let _: Result<(), _> = task.await;
                Done::well()
            }
            "panic_scope" => {
                let text = step.text.clone();
                let task = scope_of(&text).enter(async { std::panic::panic_any(text) });
                let _: Result<(), _> = tokio::spawn(task.in_current_context()).await;
                Done::well()
            }
            "call" => {
                self.calls.make(&self.log, step).await;
                Done::well()
            }
            "called" => {
                self.calls.to_answer(n).await;
                Done::well()
            }
            _ => {
                self.say(&step.act, &step.text);
                Done::well()
            }
        }
    }

    /// What the handler writes into the log itself.
    fn say(&self, act: &str, text: &str) {
        let log = &self.log;
        match act {
            "log_message" => log.info(text).send(),
            "log_ids" => log.info("ids").user_id(text).session_id(text).tenant_id(text).send(),
            "set_ids" => {
                let current = hoplog::current();
                current.set_user_id(text);
                current.set_session_id(text);
                current.set_tenant_id(text);
            }
            "set_fields" => {
                fields(text).iter().for_each(|(name, value)| hoplog::current().set_field(name, value));
            }
            "set_message" => hoplog::current().set_message(text),
            "set_error" => hoplog::current().set_error(&Failure::new(text)),
            "scope_fields" => {
                let _scope = scope_of(text).guard();
                log.info("in a scope").send();
            }
            "scope_ids" => {
                let _scope = scope().user_id(text).session_id(text).tenant(text).guard();
                log.info("in a scope").send();
            }
            "timer" => log.timer(text.to_owned()).field("of", text).fail(&Failure::new(text)),
            "measure" => drop(log.measure("a measure", || Err::<(), _>(text.to_owned()))),
            "macro" => hoplog::warn!(log, "said: {text}", of = text),
            "log_error" => log.error("it failed").error(&Failure::new(text)).send(),
            "log_unserializable" => {
                let entry = log.info("a value").field("value", Unserializable(text));
                entry.field("password", Unserializable(text)).send();
            }
            "log_fields" => {
                let entry = log.info("fields");
                fields(text).iter().fold(entry, |entry, (name, value)| entry.field(name, value)).send();
            }
            other => panic!("there is no act `{other}`"),
        }
    }
}

fn fields(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).expect("fields in JSON")
}

fn scope_of(text: &str) -> Scope {
    fields(text).iter().fold(scope(), |scope, (name, value)| scope.field(name, value))
}
