//! Many requests at once: every one is logged, none twice, each under ids of its own.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::framework::Subject;
use super::run::Log;
use crate::wire::Wire;

const CONNECTIONS: usize = 20;
const PER_CONNECTION: usize = 10;

/// 200 requests over 20 connections.
pub(super) async fn run(subject: &Subject, log: &mut Log) {
    let clients: Vec<_> =
        (0..CONNECTIONS).map(|client| tokio::spawn(converse(subject.address(), client))).collect();
    let mut answered = BTreeSet::new();
    for client in clients {
        answered.extend(client.await.expect("a client that does not panic"));
    }
    assert_eq!(answered.len(), CONNECTIONS * PER_CONNECTION, "request ids on the responses");
    let entries = log.next(answered.len(), "the burst").await;
    let distinct = |name: &str| -> BTreeSet<String> {
        entries.iter().filter_map(|e| Some(e[name].as_str()?.to_owned())).collect()
    };
    assert_eq!(entries.len(), answered.len(), "one entry per request");
    assert_eq!(distinct("request_id"), answered, "the entries' request ids are those of the responses");
    for name in ["id", "trace_id", "span_id", "path"] {
        assert_eq!(distinct(name).len(), entries.len(), "distinct: {name}");
    }
    assert!(entries.iter().all(|e| e["outcome"] == "completed" && e["route"] == "/users/{id}"));
}

/// Requests one after the other on one connection; the request ids that came back.
async fn converse(address: SocketAddr, client: usize) -> Vec<String> {
    let mut wire = Wire::connect(address).await;
    let mut ids = Vec::new();
    for i in 0..PER_CONNECTION {
        wire.send(format!("GET /users/{client}-{i} HTTP/1.1\r\nhost: test\r\n\r\n")).await;
        let response = wire.response("GET").await;
        assert_eq!(response.body, format!("user {client}-{i}").as_bytes());
        ids.extend(response.header("x-request-id").map(ToOwned::to_owned));
    }
    ids
}
