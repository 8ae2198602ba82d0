//! What came of what senders say they sent.

use super::Server;
use crate::support::NOON;
use serde_json::{Value, json};

/// A sender that began at noon.
struct Sender<'s> {
    server: &'s Server,
    boot_id: String,
    service: &'static str,
}

impl Sender<'_> {
    fn new<'s>(server: &'s Server, service: &'static str) -> Sender<'s> {
        Sender { server, boot_id: crate::support::id_of(NOON), service }
    }

    /// A batch of new entries, with what stands beside it.
    fn batch(&self, seq: u64, entries: u64, beside: Value) -> Value {
        let logs = (0..entries)
            .map(|n| json!({"id": crate::support::id_of(NOON), "message": n}))
            .collect::<Vec<_>>();
        let mut batch = json!({"logs": logs, "boot_id": self.boot_id, "batch_id": crate::support::id_of(NOON + seq),
            "seq": seq, "source": {"service": self.service, "host": "h1", "pid": 7}});
        batch.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
        batch
    }

    fn send(&self, batch: &Value) {
        let answer = self.server.post("/logs", &[], batch.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

fn ask(server: &Server, query: &str) -> Value {
    let answer = server.get(&format!("/api/v1/completeness{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn a_sender_whose_entries_are_all_here_is_complete_and_closed() {
    let server = Server::start();
    let sender = Sender::new(&server, "shop");
    let ledger = |n: u64| json!({"ledger": {"accepted": n, "delivered": n}});
    let batches = [(0, 3), (3, 2), (5, 4)].map(|(seq, n)| sender.batch(seq, n, ledger(seq)));
    // Out of order, and one of them twice.
    for at in [1, 0, 2, 1] {
        server.clock.set(NOON + 20);
        sender.send(&batches[at]);
    }
    let running = ask(&server, "");
    assert_eq!(running["senders"][0]["ended"], "running");
    sender.send(&sender.batch(9, 0, json!({"closing": true, "ledger": {"accepted": 9, "delivered": 9}})));
    let answer = ask(&server, "?service=shop");
    let of = &answer["senders"][0];
    for (field, value) in [
        ("boot_id", json!(sender.boot_id)),
        ("service", json!("shop")),
        ("source", json!({"service": "shop", "host": "h1", "pid": 7})),
        ("ended", json!("closed")),
        ("first_seen", json!((NOON + 20) as f64)),
        ("batches", json!(5)),
        ("accepted", json!(9)),
        ("delivered", json!(9)),
        ("stored", json!(9)),
        ("duplicates", json!(2)),
        ("missing", json!(0)),
        ("gaps", json!([])),
        ("dropped", json!({})),
        ("losses", json!([])),
    ] {
        assert_eq!(of[field], value, "{field}: {of}");
    }
    assert_eq!((&answer["complete"], &answer["truncated"]), (&json!(true), &json!(false)));
    assert_eq!(ask(&server, "?service=other")["senders"], json!([]));
    assert_eq!(ask(&server, &format!("?to={NOON}"))["senders"], json!([]));
}

#[test]
fn what_is_missing_dropped_and_ended_abruptly_is_said() {
    let server = Server::start();
    server.clock.set(NOON + 60);
    let sender = Sender::new(&server, "shop");
    sender.send(&sender.batch(2, 3, json!({})));
    let lost = json!({"losses": {"queue_full_newest": 12}, "ledger": {"accepted": 30, "delivered": 3,
        "dropped": {"queue_full_newest": 12, "poison": 1, "sampled": 100}}});
    let twice = sender.batch(10, 1, lost);
    sender.send(&twice);
    sender.send(&twice);
    server.clock.set(NOON + 60 + 179);
    assert_eq!(ask(&server, "")["senders"][0]["ended"], "running", "a moment of silence is none");
    server.clock.set(NOON + 60 + 181);
    let answer = ask(&server, "");
    let of = &answer["senders"][0];
    for (field, value) in [
        ("ended", json!("abruptly")),
        ("missing", json!(7)),
        ("gaps", json!([{"first": 0, "last": 1, "entries": 2}, {"first": 5, "last": 9, "entries": 5}])),
        ("dropped", json!({"queue_full_newest": 12, "poison": 1})),
        ("sampled", json!(100)),
        // The time at which it was told, not that at which it came; and once.
        ("losses", json!([{"at": (NOON + 10) as f64, "reason": "queue_full_newest", "entries": 12}])),
    ] {
        assert_eq!(of[field], value, "{field}: {of}");
    }
    let sums = json!([answer["complete"], answer["missing"], answer["dropped"], answer["ended_abruptly"]]);
    assert_eq!(sums, json!([false, 7, 13, 1]));
}

#[test]
fn a_sender_is_one_over_midnight_and_a_restart() {
    let server = Server::start();
    let sender = Sender::new(&server, "shop");
    sender.send(&sender.batch(0, 4, json!({})));
    server.clock.set(NOON + 86_400);
    sender.send(&sender.batch(4, 4, json!({"ledger": {"accepted": 8, "delivered": 4}})));
    let server = Server::in_directory(server.stop(), |config| config);
    server.clock.set(NOON + 86_400);
    let answer = ask(&server, "");
    assert_eq!(answer["senders"].as_array().unwrap().len(), 1);
    let of = &answer["senders"][0];
    assert_eq!(json!([of["stored"], of["missing"], of["batches"], of["accepted"]]), json!([8, 0, 2, 8]));
    assert_eq!(of["first_seen"], json!(NOON as f64));
}

#[test]
fn a_late_batch_does_not_take_back_what_a_later_one_said() {
    let server = Server::start();
    let sender = Sender::new(&server, "shop");
    sender.send(&sender.batch(5, 1, json!({"ledger": {"accepted": 9}})));
    sender.send(&sender.batch(0, 5, json!({"ledger": {"accepted": 5}})));
    assert_eq!(ask(&server, "")["senders"][0]["accepted"], 9);
}

#[test]
fn entries_of_a_batch_count_for_their_sender_whatever_day_they_are_of() {
    let server = Server::start();
    let sender = Sender::new(&server, "shop");
    let days = [NOON - 86_400, NOON, NOON + 80_000].map(|at| json!({"id": crate::support::id_of(at)}));
    let batch = sender.batch(0, 0, json!({"logs": [days[0], days[1], days[2], 17]}));
    sender.send(&batch);
    sender.send(&batch);
    let of = &ask(&server, "")["senders"][0];
    let counts = json!([of["stored"], of["duplicates"], of["rejected"], of["missing"]]);
    assert_eq!(counts, json!([3, 3, 2, 0]));
}

#[test]
fn hostile_marks_are_kept_and_harm_nobody() {
    let server = Server::start();
    for beside in [
        json!({"seq": -1}),
        json!({"seq": u64::MAX}),
        json!({"seq": i64::MAX}),
        json!({"seq": "x"}),
        json!({"seq": 0, "ledger": {"accepted": {}, "dropped": 7}}),
        json!({"seq": 0, "losses": {"queue_full_newest": "many"}, "source": {"service": {"a": "<b>"}}}),
        json!({"batch_id": "\u{0}", "closing": "yes"}),
    ] {
        let sender = Sender::new(&server, "shop");
        sender.send(&sender.batch(0, 1, beside));
    }
    assert_eq!(ask(&server, "")["senders"].as_array().unwrap().len(), 7);
    let wrong = server.get("/api/v1/completeness?form=1");
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("known are service, from, to"), "{wrong:?}");
}
