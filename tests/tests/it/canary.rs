//! Secrets hidden in every place where one can stand, and searched for everywhere where one could come out.
//!
//! ```text
//! table ─ one request each, over a raw socket ─► service: axum, actix (a process of its own) ─┬─► stdout, stderr, log file
//!   │                                                                                         └─► the wire ─► collector
//!   └ secrets, visible words                    searched: all of these, the collector's stderr, files, answers
//! ```
//!
//! A run has a seed, which it prints; `CANARY_SEED` sets it.

mod innocents;
mod process;
mod run;
mod secrets;
mod table;

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher as _, Hasher as _};

use serde_json::{Value, json};

use process::Process;
use run::{Outcome, Run, Step};
use secrets::Canaries;
use table::{Place, ROWS};

const FRAMEWORKS: [&str; 2] = ["axum", "actix"];

#[expect(clippy::print_stdout, reason = "a test that fails shows what it printed")]
fn seed() -> u64 {
    let given = std::env::var("CANARY_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish());
    println!("\nCANARY_SEED={seed}");
    seed
}

/// The table, filled for both frameworks.
fn steps(canaries: &mut Canaries) -> Vec<Step> {
    let mut steps = Vec::new();
    for framework in FRAMEWORKS {
        for &(place, template) in ROWS {
            let name = format!("{framework}, {place:?}, {template}");
            let beside = match place {
                _ if template.contains("«visible»") => "",
                Place::Header => "\r\nx-note: «visible»",
                Place::Query => "&note=«visible»",
                Place::Path => "/«visible»",
                Place::AnswerHeader => "\nx-note: «visible»",
                _ => "",
            };
            let text = canaries.fill(&name, &format!("{template}{beside}"));
            steps.push(Step { framework, place, name, text });
        }
    }
    steps
}

/// Every secret that came out, with where it did first.
fn leaks(canaries: &Canaries, outcome: &Outcome) -> Vec<String> {
    let mut found = BTreeMap::new();
    for (sink, bytes) in &outcome.sinks {
        for (secret, around) in canaries.leaks(bytes) {
            found.entry(secret).or_insert_with(|| format!("{secret}\n    in {sink}: …{around}…"));
        }
    }
    found.into_values().collect()
}

/// A configuration in which everything is a secret that can be one.
fn settings(canaries: &mut Canaries) -> Value {
    json!({
        "api_key": canaries.make("the service's api_key", "ours"),
        "hash_key": canaries.make("the service's hash_key", "token"),
        "endpoint_path": canaries.make("the endpoint's path", "token"),
        "refused_endpoint": format!("http://shop:{}@example.org", canaries.make("a refused endpoint", "token")),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_comes_out_wherever_it_was_put_in() {
    let mut canaries = Canaries::new(seed());
    let steps = steps(&mut canaries);
    let settings = settings(&mut canaries);
    let outcome = Run::new(&steps, &settings).go().await;

    let leaks = leaks(&canaries, &outcome);
    for leak in &leaks {
        println!("LEAK {leak}");
    }
    println!("FIGURE canary.secrets {} secrets", canaries.count());
    println!("FIGURE canary.places {} places", steps.len() + 4);
    println!("FIGURE canary.leaks {} leaks", leaks.len());
    assert!(leaks.is_empty(), "{} leaks, listed above", leaks.len());

    // The places were looked at: what stood beside the secrets is there, and something stands in their place.
    for sink in ["api", "wire", "store, open", "store, closed", "file"] {
        let shown: HashSet<&[u8]> = outcome.of(sink).flat_map(|bytes| secrets::twins_in(bytes)).collect();
        let wanting = canaries.twins().iter().filter(|twin| !shown.contains(twin.as_bytes()));
        let places: Vec<_> =
            wanting.map(|twin| steps.iter().find(|s| s.text.contains(twin)).map(|s| &s.name)).collect();
        assert!(places.is_empty(), "not captured, by what {sink} shows: {places:#?}");
    }
    for (step, entries) in steps.iter().zip(&outcome.entries) {
        let more = if let Place::Act(_, more) = step.place { more } else { 0 };
        assert_eq!(entries.len(), 1 + more, "{}: {entries:#?}", step.name);
        let text = Value::from(entries.clone()).to_string();
        let mark = match step.place {
            Place::Unread(_) => "\"request_body_hash\":\"hmac:",
            Place::Never(_) => "\"request_size\":",
            _ => "[redacted]",
        };
        assert!(text.contains(mark), "{}: nothing stands in the secret's place: {entries:#?}", step.name);
    }
    let all: usize = outcome.entries.iter().map(Vec::len).sum();
    assert_eq!(outcome.stored, all as u64, "and no entry besides");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_freed_lets_its_secrets_out_and_no_others() {
    let mut canaries = Canaries::new(seed());
    let rows = [
        (Place::Header, "x-vault-token: «token»\r\nx-api-key: «token»"),
        (Place::Query, "token=«token»&password=«token»"),
        (Place::Body("application/json"), r#"{"token":"«token»","pin":«number»}"#),
        (Place::Act("log_fields", 1), r#"{"token":"«token»","secret":"«token»"}"#),
    ];
    let fill = |&(place, template): &(Place, &'static str)| {
        let text = canaries.fill(template, template);
        Step { framework: "axum", place, name: template.into(), text }
    };
    let steps: Vec<Step> = rows.iter().map(fill).collect();
    let outcome =
        Run::new(&steps, &json!({ "innocent_name": "token", "hash_key": "no less than this" })).go().await;
    for sink in ["wire", "store, open", "store, closed", "api", "file"] {
        let bytes: Vec<u8> = outcome.of(sink).flatten().copied().collect();
        // Of each step the first secret stands under the name that is freed.
        assert_eq!(canaries.leaks(&bytes).len(), steps.len(), "{sink}: {:#?}", canaries.leaks(&bytes));
    }
    for (step, leak) in steps.iter().zip(leaks(&canaries, &outcome)) {
        let freed = step.text.split("oken").nth(1).unwrap().trim_start_matches(['"', ':', '=', ' ']);
        let shown = outcome.of("api").any(|bytes| String::from_utf8_lossy(bytes).contains(&freed[..28]));
        assert!(shown, "{}: not {leak}", step.name);
    }
    let logged: Vec<u8> = outcome.of("stdout of the service").flatten().copied().collect();
    assert_eq!(canaries.leaks(&logged).len(), 1, "a field of an event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_cannot_deliver_shows_nothing_of_its_configuration() {
    let mut canaries = Canaries::new(seed());
    let mut plan = settings(&mut canaries);
    let [path, password] =
        ["the endpoint's path", "a proxy's password"].map(|place| canaries.make(place, "token"));
    // Nobody listens there, neither as a proxy nor as a collector.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://shop:{password}@{nobody}");
    plan["message"] = canaries.make("a message", "visible").into();
    plan["impatient"] = true.into();
    let endpoints = [format!("http://collector.invalid/{path}"), format!("http://{nobody}/{path}")];
    let services = endpoints.map(|endpoint| {
        plan["endpoint"] = endpoint.into();
        Process::start(&["service"], &[("http_proxy", &proxy)], &plan.to_string())
    });
    for service in services {
        service.complains("hoplog: the collector cannot be reached").await;
        let said = service.end().await;
        for output in [&said.stdout, &said.stderr] {
            let leaks = canaries.leaks(output);
            assert!(leaks.is_empty(), "{leaks:#?}");
        }
        assert_eq!(secrets::twins_in(&said.stdout).count(), 1, "the console has it all the same");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn innocent_names_and_values_stay_as_they_are() {
    let (steps, expected) = innocents::steps();
    let outcome = Run::new(&steps, &json!({ "hash_key": "no less than this" })).go().await;
    let mut wrong = Vec::new();
    for ((step, entries), expected) in steps.iter().zip(&outcome.entries).zip(&expected) {
        let (field, words) = expected;
        let of_field = |entry: &Value| match &entry[*field] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let kept: String = entries.iter().map(of_field).collect();
        wrong.extend(words.iter().filter(|word| !kept.contains(*word)).map(|word| (word, &step.name)));
    }
    let values: usize = expected.iter().map(|(_, words)| words.len()).sum();
    for (word, step) in &wrong {
        println!("MASKED {word} in {step}");
    }
    println!("FIGURE canary.innocents {values} values");
    println!("FIGURE canary.wrongly_masked {} values", wrong.len());
    assert!(wrong.is_empty(), "{} values are missing, listed above", wrong.len());
}
