//! The scenarios: what handlers do with tasks, threads, bodies, scopes and their request.

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _};
use hoplog::{Client, Context, InCurrentContext as _, Level, current, in_current_context, scope};
use tokio::task::{spawn_blocking, yield_now};
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::layer::SubscriberExt as _;

use super::{Answer, Event, Said, Scenario};

const NOTHING: Said = (None, "");

const fn inside(message: &'static str, user: Option<&'static str>, fields: &'static str) -> Event {
    Event { message, inside: true, said: (user, fields) }
}

const fn outside(message: &'static str) -> Event {
    Event { message, inside: false, said: NOTHING }
}

const fn case(
    name: &'static str,
    run: fn(Client, Context) -> BoxFuture<'static, Answer>,
    events: &'static [Event],
    request: Said,
) -> Scenario {
    Scenario { name, run, events, request: Some(request), outcome: "completed" }
}

/// A handler's code as the table wants it.
macro_rules! handler {
    ($client:ident, $request:ident, $body:expr) => {
        |$client, $request| {
            async move {
                let _ = (&$client, &$request);
                $body;
                Answer::Done
            }
            .boxed()
        }
    };
}

pub(super) static SCENARIOS: &[Scenario] = &[
    case(
        "an event in the handler",
        handler!(client, _request, {
            client.info("plain").send();
            yield_now().await;
            client.info("plain, later").send();
        }),
        &[inside("plain", None, ""), inside("plain, later", None, "")],
        NOTHING,
    ),
    case(
        "what is set for the request is on what follows",
        handler!(client, _request, {
            client.info("set: before").send();
            current().set_user_id("u1");
            current().set_field("cart", [1, 2]);
            yield_now().await;
            client.info("set: after").send();
        }),
        &[inside("set: before", None, ""), inside("set: after", Some("u1"), r#"{"cart":[1,2]}"#)],
        (Some("u1"), r#"{"cart":[1,2]}"#),
    ),
    case(
        "what is cleared is gone",
        handler!(client, _request, {
            current().set_user_id("u1");
            current().set_field("a", 1);
            current().clear_user_id();
            current().remove_field("a");
            client.info("cleared").send();
        }),
        &[inside("cleared", None, "")],
        NOTHING,
    ),
    case(
        "the extractor's context is the request's",
        handler!(client, request, {
            request.set_user_id("extracted");
            client.info("extracted").send();
        }),
        &[inside("extracted", Some("extracted"), "")],
        (Some("extracted"), ""),
    ),
    case(
        "a task may speak for the request through a handle",
        handler!(client, request, {
            tokio::spawn(async move { request.set_field("from", "a task") }).await.unwrap();
            client.info("after the task").send();
        }),
        &[inside("after the task", None, r#"{"from":"a task"}"#)],
        (None, r#"{"from":"a task"}"#),
    ),
    case(
        "a scope holds across awaits and ends with its future",
        handler!(client, _request, {
            let work = async {
                client.info("scope: first").send();
                yield_now().await;
                client.info("scope: second").send();
            };
            scope().user_id("u2").field("step", 1).enter(work).await;
            client.info("scope: behind").send();
        }),
        &[
            inside("scope: first", Some("u2"), r#"{"step":1}"#),
            inside("scope: second", Some("u2"), r#"{"step":1}"#),
            inside("scope: behind", None, ""),
        ],
        NOTHING,
    ),
    case(
        "scopes nest, over what the request says",
        handler!(client, _request, {
            current().set_user_id("u1");
            current().set_field("who", "request");
            let inner = async {
                yield_now().await;
                client.info("nested: inner").send();
            };
            let outer = async {
                scope().field("who", "inner").field("b", 2).enter(inner).await;
                client.info("nested: outer").send();
            };
            scope().user_id("u2").field("a", 1).field("who", "outer").enter(outer).await;
            client.info("nested: none").send();
        }),
        &[
            inside("nested: inner", Some("u2"), r#"{"who":"inner","a":1,"b":2}"#),
            inside("nested: outer", Some("u2"), r#"{"who":"outer","a":1}"#),
            inside("nested: none", Some("u1"), r#"{"who":"request"}"#),
        ],
        (Some("u1"), r#"{"who":"request"}"#),
    ),
    case(
        "scopes side by side in one task",
        handler!(client, _request, {
            let work = |message: &'static str| {
                let client = client.clone();
                async move {
                    for _ in 0..3 {
                        yield_now().await;
                    }
                    client.info(message).send();
                }
            };
            let one = scope().user_id("one").enter(work("side by side: one"));
            let two = scope().user_id("two").enter(work("side by side: two"));
            tokio::join!(one, two, work("side by side: none"));
        }),
        &[
            inside("side by side: one", Some("one"), ""),
            inside("side by side: two", Some("two"), ""),
            inside("side by side: none", None, ""),
        ],
        NOTHING,
    ),
    case(
        "a guard, and guards dropped in the wrong order",
        handler!(client, _request, {
            {
                let first = scope().user_id("first").guard();
                let second = scope().field("second", true).guard();
                client.info("guards: both").send();
                drop(first);
                client.info("guards: second").send();
                drop(second);
            }
            client.info("guards: none").send();
        }),
        &[
            inside("guards: both", Some("first"), r#"{"second":true}"#),
            inside("guards: second", Some("first"), r#"{"second":true}"#),
            inside("guards: none", None, ""),
        ],
        NOTHING,
    ),
    case(
        "a spawned task knows nothing by itself",
        handler!(client, _request, {
            let client = client.clone();
            tokio::spawn(async move { client.info("spawned").send() }).await.unwrap();
        }),
        &[outside("spawned")],
        NOTHING,
    ),
    case(
        "a spawned task takes request and scope along",
        handler!(
            client,
            _request,
            {
                current().set_field("n", 1);
                let _scope = scope().user_id("u3").guard();
                let client = client.clone();
                let task = async move {
                    yield_now().await;
                    client.info("spawned along").send();
                };
                tokio::spawn(task.in_current_context())
            }
            .await
            .unwrap()
        ),
        &[inside("spawned along", Some("u3"), r#"{"n":1}"#)],
        (None, r#"{"n":1}"#),
    ),
    case(
        "blocking work, with and without",
        handler!(client, _request, {
            let log = |message: &'static str| {
                let client = client.clone();
                move || client.info(message).send()
            };
            spawn_blocking(log("blocking")).await.unwrap();
            spawn_blocking(in_current_context(log("blocking along"))).await.unwrap();
        }),
        &[outside("blocking"), inside("blocking along", None, "")],
        NOTHING,
    ),
    case(
        "threads, and threads of threads",
        handler!(client, _request, {
            let client = client.clone();
            let thread = scope().user_id("u4").enter(async move {
                let inner = client.clone();
                let work = in_current_context(move || {
                    client.info("thread along").send();
                    let inner = in_current_context(move || inner.info("thread of a thread").send());
                    std::thread::spawn(inner).join().unwrap();
                });
                std::thread::spawn(work)
            });
            let thread = thread.await;
            spawn_blocking(move || thread.join().unwrap()).await.unwrap();
        }),
        &[inside("thread along", Some("u4"), ""), inside("thread of a thread", Some("u4"), "")],
        NOTHING,
    ),
    case(
        "a body speaks in its request",
        |client, request| {
            async move {
                request.set_user_id("reader");
                let chunks = stream::iter(["a", "b"]).then(move |chunk| {
                    let client = client.clone();
                    async move {
                        yield_now().await;
                        client.info(format!("body: {chunk}")).send();
                        current().set_field(chunk, true);
                        Ok(chunk)
                    }
                });
                Answer::Stream(chunks.boxed())
            }
            .boxed()
        },
        &[inside("body: a", Some("reader"), ""), inside("body: b", Some("reader"), r#"{"a":true}"#)],
        (Some("reader"), r#"{"a":true,"b":true}"#),
    ),
    case(
        "a body with scopes in it",
        |client, _| {
            async move {
                let chunks = stream::iter(["x", "y"]).then(move |chunk| {
                    let client = client.clone();
                    scope().field("chunk", chunk).enter(async move {
                        yield_now().await;
                        client.info(format!("scoped body: {chunk}")).send();
                        Ok(chunk)
                    })
                });
                Answer::Stream(chunks.boxed())
            }
            .boxed()
        },
        &[
            inside("scoped body: x", None, r#"{"chunk":"x"}"#),
            inside("scoped body: y", None, r#"{"chunk":"y"}"#),
        ],
        NOTHING,
    ),
    Scenario {
        name: "a panic in a scope",
        run: handler!(client, _request, {
            current().set_user_id("u5");
            let work = async {
                yield_now().await;
                client.info("panic: before").send();
                panic!("a panic of the test's scope");
            };
            scope().field("risky", true).enter(work).await
        }),
        events: &[inside("panic: before", Some("u5"), r#"{"risky":true}"#)],
        request: Some((Some("u5"), "")),
        outcome: "panicked",
    },
    case(
        "a panic in a scope of a task along",
        handler!(client, _request, {
            let work = scope().user_id("u6").enter(async {
                yield_now().await;
                panic!("a panic of the test's task");
            });
            let task = tokio::spawn(work.in_current_context());
            assert!(task.await.map(|(): ()| ()).unwrap_err().is_panic());
            client.info("panic: beside").send();
        }),
        &[inside("panic: beside", None, "")],
        NOTHING,
    ),
    case(
        "a future that loses a race is dropped in its scope",
        handler!(client, _request, {
            let farewell = Farewell(client.clone(), "race: lost");
            let loser = scope().user_id("loser").enter(async move {
                let _farewell = farewell;
                std::future::pending::<()>().await;
            });
            tokio::select! { () = loser => {}, () = yield_now() => {} }
            client.info("race: over").send();
        }),
        &[inside("race: lost", Some("loser"), ""), inside("race: over", None, "")],
        NOTHING,
    ),
    case(
        "a task that is dropped on another thread is dropped in its context",
        handler!(client, _request, {
            let farewell = Farewell(client.clone(), "dropped elsewhere");
            let task = async move {
                let _farewell = farewell;
                std::future::pending::<()>().await;
            };
            let task = Box::pin(task.in_current_context());
            spawn_blocking(move || drop(task)).await.unwrap();
        }),
        &[inside("dropped elsewhere", None, "")],
        NOTHING,
    ),
    case(
        "a task outlives its request and still belongs to it",
        handler!(client, _request, {
            current().set_user_id("u7");
            let client = client.clone();
            let late = async move {
                while current().keep().is_some() {
                    yield_now().await;
                }
                current().set_field("too", "late");
                client.info("outlived").send();
            };
            tokio::spawn(late.in_current_context());
        }),
        &[inside("outlived", Some("u7"), "")],
        (Some("u7"), ""),
    ),
    case(
        "code may leave the request",
        handler!(client, _request, {
            let work = async {
                yield_now().await;
                client.info("left").send();
            };
            let _scope = scope().user_id("u8");
            Context::default().scope(work).await;
            client.info("back").send();
        }),
        &[outside("left"), inside("back", None, "")],
        NOTHING,
    ),
    case(
        "timers and macros speak in their request",
        handler!(client, _request, {
            let fails = async {
                yield_now().await;
                Err::<(), _>("no luck")
            };
            assert!(client.measure_async("timed", fails).await.is_err());
            let n = 7;
            hoplog::info!(client, "said by macro", n = n);
        }),
        &[inside("timed", None, ""), inside("said by macro", None, r#"{"n":7}"#)],
        NOTHING,
    ),
    case(
        "the request's own message and level",
        handler!(client, request, {
            request.set_message("order placed");
            request.set_level(Level::Warn);
            client.info("named").send();
        }),
        &[inside("named", None, "")],
        NOTHING,
    ),
    case(
        "tracing events, with their spans, over what the request says",
        handler!(client, _request, {
            current().set_user_id("u9");
            current().set_field("cart", 7);
            let work = async {
                yield_now().await;
                let span = tracing::info_span!("query", table = "orders");
                async {
                    yield_now().await;
                    tracing::info!(rows = 3, "traced");
                }
                .instrument(span)
                .await;
                tracing::info!("traced behind");
            };
            work.with_subscriber(traced(&client)).await;
        }),
        &[
            inside("traced", Some("u9"), r#"{"cart":7,"table":"orders","spans":["query"],"rows":3}"#),
            inside("traced behind", Some("u9"), r#"{"cart":7}"#),
        ],
        (Some("u9"), r#"{"cart":7}"#),
    ),
    case(
        "a spawned task in a span belongs to its request, one outside of it to none",
        handler!(client, _request, {
            let subscriber = traced(&client);
            let span = tracing::dispatcher::with_default(&subscriber, || tracing::info_span!("mail"));
            let inside = async {
                yield_now().await;
                tracing::info!("traced: spawned");
            };
            let inside = inside.instrument(span).with_subscriber(subscriber.clone());
            let outside = async { tracing::info!("traced: lost") }.with_subscriber(subscriber);
            tokio::spawn(inside).await.unwrap();
            tokio::spawn(outside).await.unwrap();
        }),
        &[inside("traced: spawned", None, r#"{"spans":["mail"]}"#), outside("traced: lost")],
        NOTHING,
    ),
    Scenario {
        name: "a request that is skipped",
        run: handler!(client, request, {
            request.skip();
            client.info("skipped").send();
        }),
        events: &[inside("skipped", None, "")],
        request: None,
        outcome: "completed",
    },
];

/// What hands `tracing` events to the client.
fn traced(client: &Client) -> tracing::Dispatch {
    tracing_subscriber::registry().with(hoplog_tracing::layer(client)).into()
}

/// Logs when it is dropped.
struct Farewell(Client, &'static str);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.info(self.1).send();
    }
}
