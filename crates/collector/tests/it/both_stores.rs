//! The same entries, odd ones among them, sent to a collector on each store: every answer is the same.
//!
//! What may differ: how a number is spelled and in which order the members of `metadata` stand, as PostgreSQL keeps JSON
//! as values. Both are compared as values here.

use crate::support::{NOON, Postgres, Server, ServerOn};
use hoplog_entry::EntryId;
use serde_json::{Value, json};

/// Entries; more of them where `cargo xtask chaos` asks.
fn count() -> usize {
    if std::env::var_os("HOPLOG_CHAOS").is_some() { 100_000 } else { 2_000 }
}

/// What a client may well send, and what nobody should.
const ODD: [&str; 14] = [
    r#""message":"nul \u0000 and \ud800 alone""#,
    r#""message":"\ud83e\udd80 four bytes", "path":"/🦀""#,
    r#""metadata":{"most":18446744073709551615,"least":-9223372036854775808,"large":1e308,"small":5e-324}"#,
    r#""metadata":{"":"","nul":"a\u0000b","deep":[[[[[]]]]],"t":true,"n":null}"#,
    r#""request_size":18446744073709551615, "status_code":"404", "duration_ms":"1e3""#,
    r#""created_at":"0001-01-01T00:00:00Z""#,
    r#""created_at":"9999-12-31T23:59:59.999999Z""#,
    r#""created_at":-1.5"#,
    r#""service":"", "user_id":7, "trace_id":"4BF92F35-77B3-4DA6-A3CE-929D0E0E4736""#,
    r#""trace_id":"no id of W3C's", "span_id":"xyz", "x_trace_id":"opaque""#,
    r#""level":"CRITICAL", "error_type":"E", "error_message":"of user 17", "stack_trace":["at a","at b"]"#,
    r#""weight":2.5, "kind":"request", "route":"/r", "method":"GET", "response_size":10, "slow":true"#,
    r#""request_headers":{"a":["1","2"]}, "response_body":{"x":1e308}, "request_body_truncated":true"#,
    r#""unknown":{"a":[1,2,{"b":null}]}, "ip":"::ffff:203.0.113.7", "environment":"testing""#,
];

fn body(first: usize, ids: &[EntryId]) -> Vec<u8> {
    let mut logs = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        let n = first + n;
        let level = ["DEBUG", "INFO", "INFO", "WARN", "ERROR"][n % 5];
        let mut entry = format!(
            r#"{{"id":"{id}","created_at":{}.{:03},"message":"m{n}","level":"{level}","service":"s{}","method":"GET""#,
            NOON - (n % 90_000) as u64,
            n % 1_000,
            n % 7
        );
        entry.push_str(&format!(
            r#","path":"/p/{n}","route":"/p/{{n}}","status_code":{},"duration_ms":{}.5,"ttfb_ms":{}.25"#,
            200 + n % 4 * 100,
            n % 300,
            n % 50
        ));
        entry.push_str(&format!(r#","trace_id":"{:032x}","user_id":"u{}""#, n / 4 + 1, n % 11));
        // The later of two values counts.
        if n % 10 == 3 {
            entry.push(',');
            entry.push_str(ODD[n / 10 % ODD.len()]);
        }
        logs.push(entry + "}");
    }
    let (batch, next) = (ids[0], first + ids.len());
    format!(
        r#"{{"batch_id":"{batch}","boot_id":"b","seq":{first},"source":{{"service":"shop"}},"ledger":{{"accepted":{next}}},"logs":[{}]}}"#,
        logs.join(",")
    )
    .into_bytes()
}

/// Answers to the same question, with what differs noted.
#[derive(Default)]
struct Compared {
    answers: usize,
    differ: Vec<String>,
}

impl Compared {
    fn add(&mut self, what: &str, left: &Value, right: &Value) {
        self.answers += 1;
        if left != right {
            self.differ.push(format!("{what}\n  SQLite:     {left}\n  PostgreSQL: {right}"));
        }
    }
}

const QUESTIONS: [&str; 25] = [
    "/stats",
    "/api/v1/services",
    "/api/v1/routes",
    "/api/v1/errors",
    "/api/v1/histogram?from=1773000000&to=1773150000&step=1h",
    "/api/v1/histogram?by=status&from=1773000000&to=1773150000&step=10m",
    "/api/v1/histogram?by=service&from=1773000000&to=1773150000&step=1d",
    "/api/v1/completeness",
    "/api/v1/traces?limit=50",
    "/api/v1/traces/4bf92f3577b34da6a3ce929d0e0e4736",
    "/api/v1/traces/opaque",
    "/api/v1/logs?limit=1000&level=ERROR",
    "/api/v1/logs?limit=1000&min_level=WARN",
    "/api/v1/logs?limit=1000&status=5xx",
    "/api/v1/logs?limit=1000&user_id=7",
    "/api/v1/logs?limit=1000&q=FOUR",
    "/api/v1/logs?limit=1000&q=m1",
    "/api/v1/logs?limit=1000&metadata.t=true",
    "/api/v1/logs?limit=1000&metadata.n=null",
    "/api/v1/logs?limit=1000&metadata.most=18446744073709551615",
    "/api/v1/logs?limit=1000&slow=true",
    "/api/v1/logs?limit=1000&ip=203.0.113.7",
    "/api/v1/logs?limit=1000&from=1773143000&to=1773143900",
    "/api/v1/logs?limit=1000&kind=event",
    "/api/v1/logs?limit=1000&service=s3&method=GET",
];

#[test]
fn the_same_entries_come_to_the_same_answers_on_both_stores() {
    let (sqlite, postgres) = (Server::start(), ServerOn::<Postgres>::start());
    let ids: Vec<EntryId> = std::thread::spawn(|| {
        // Of several days, in an order that a thread can make ids in.
        (0..count()).map(|n| EntryId::generate((NOON - 200_000 + n as u64) * 1_000)).collect()
    })
    .join()
    .unwrap();
    let mut compared = Compared::default();
    for (n, ids) in ids.chunks(500).enumerate() {
        let body = body(n * 500, ids);
        for _ in 0..2 {
            let (left, right) = (sqlite.post("/logs", &[], &body), postgres.post("/logs", &[], &body));
            compared.add("a batch, and the same again", &left.json(), &right.json());
        }
    }
    // A cursor of one store is none of the other's: each has its own arrivals.
    let (mut rows, mut cursors) = (0, [String::new(), String::new()]);
    loop {
        let path = |cursor: &str| format!("/api/v1/logs?limit=777&cursor={cursor}");
        let (left, right) = (sqlite.get(&path(&cursors[0])).json(), postgres.get(&path(&cursors[1])).json());
        rows += left["logs"].as_array().unwrap().len();
        compared.add(&format!("the page after {}", cursors[0]), &left["logs"], &right["logs"]);
        cursors = [left, right].map(|page| page["next_cursor"].as_str().unwrap_or_default().to_owned());
        if cursors[0].is_empty() {
            break;
        }
    }
    assert_eq!((rows, cursors[1].as_str()), (count(), ""));
    for path in QUESTIONS {
        let [left, right] = [sqlite.get(path), postgres.get(path)].map(|answer| {
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let mut json = answer.json();
            if let Some(object) = json.as_object_mut() {
                object.remove("next_cursor");
            }
            json
        });
        compared.add(path, &left, &right);
    }
    let Compared { answers, differ } = compared;
    println!("FIGURE both_stores.entries {rows} entries");
    println!("FIGURE both_stores.answers {answers} count");
    println!("FIGURE both_stores.answers_that_differ {} count", differ.len());
    let shown: String =
        differ.iter().take(4).map(|one| one.chars().take(3_000).collect::<String>() + "\n").collect();
    assert!(differ.is_empty(), "{} differ, such as {shown}", differ.len());
    // A control: one more entry on one side is seen.
    sqlite.send(json!([{"message": "one more"}]));
    assert_ne!(sqlite.get("/stats").json(), postgres.get("/stats").json());
}
