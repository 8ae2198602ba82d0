use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use hoplog_entry::{EntryId, Kind, Level, RecordWriter};
use reqwest::header::HeaderMap;
use tokio::sync::oneshot;

use super::*;
use crate::destination::{Filter, Gate, Holding, Parcel, inbox};
use crate::pipeline::{Pipeline, Policy};
use crate::queue::QueueLimits;
use crate::transport::Reach;
use crate::{Redaction, Requests};

mod course;
mod hangs;
mod outages;
mod refusals;

pub(super) fn around() -> Surroundings {
    around_within(QueueLimits::new(1 << 20, 1_000))
}

fn around_within(limits: QueueLimits) -> Surroundings {
    let policy = Policy::with(Redaction::default().build().unwrap(), Requests::default().build().unwrap());
    Surroundings {
        name: "collector".into(),
        pipeline: Arc::new(Pipeline::new(crate::clock::Clock::system(), limits, policy)),
        ledger: Arc::default(),
        source: Arc::default(),
        diagnostics: Arc::default(),
        gate: Arc::new(Gate::new(Filter::default())),
    }
}

/// Answers every batch as stored and tells of its body.
fn collector() -> (reqwest::Url, mpsc::Receiver<serde_json::Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/logs", listener.local_addr().unwrap()).parse().unwrap();
    let (told, bodies) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            let body = loop {
                let n = stream.read(&mut piece).unwrap();
                request.extend_from_slice(&piece[..n]);
                let text = String::from_utf8_lossy(&request);
                if let Some((_, body)) = text.split_once("\r\n\r\n")
                    && let Ok(body) = serde_json::from_str::<serde_json::Value>(body)
                {
                    break body;
                }
            };
            let answer = format!("{{\"accepted\":{}}}", body["logs"].as_array().unwrap().len());
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
            stream.write_all((head + &answer).as_bytes()).unwrap();
            if told.send(body).is_err() {
                return;
            }
        }
    });
    (url, bodies)
}

#[test]
fn a_sender_with_nothing_to_say_says_that_it_is_still_there() {
    let (url, bodies) = collector();
    let around = around();
    let config = RemoteConfig {
        http: HttpConfig {
            url,
            headers: HeaderMap::new(),
            timeout: Duration::from_secs(5),
            reach: Reach::default(),
            peer: "it",
        },
        dialect: DialectConfig::Native { boot_id: EntryId::from_bytes([7; 16]) },
        limits: BatchLimits { entries: 10, bytes: 1 << 20 },
        compression: Compression::None,
        spool: None,
    };
    let mut record = RecordWriter::default();
    record.begin(Kind::Event, EntryId::from_bytes([8; 16]), 1);
    around.pipeline.queue.push(record.end(Level::Info, None), false).unwrap();
    let chunk = around.pipeline.queue.sweep().remove(0);
    let (mail, inbox) = inbox();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let task = std::thread::spawn(move || {
        runtime.block_on(async {
            let mut remote = Remote::new(config, around);
            remote.pulse = Pulse::every(Duration::from_millis(20));
            remote.run(inbox).await;
        });
    });

    mail.send(Message::Chunk(Parcel::new(&chunk, &Holding::default()))).unwrap();
    mail.send(Message::Tick { _unread: Arc::default() }).unwrap();
    let seen: Vec<_> = (0..3).map(|_| bodies.recv_timeout(Duration::from_secs(10)).unwrap()).collect();
    let entries: Vec<_> = seen.iter().map(|body| body["logs"].as_array().unwrap().len()).collect();
    assert_eq!(entries, [1, 0, 0]);
    for body in &seen[1..] {
        assert_eq!((&body["seq"], &body["boot_id"]), (&1.into(), &seen[0]["boot_id"]), "{body}");
        assert_eq!((&body["closing"], &body["ledger"]["delivered"]), (&serde_json::Value::Null, &1.into()));
    }

    let (done, _ended) = oneshot::channel();
    mail.send(Message::Close(Instant::now() + Duration::from_secs(5), done)).unwrap();
    task.join().unwrap();
    let mut rest = std::iter::from_fn(|| bodies.recv_timeout(Duration::from_secs(10)).ok());
    assert!(rest.any(|body| body["closing"] == true), "and in the end that it goes");
}
