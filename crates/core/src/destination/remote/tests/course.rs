//! A destination in virtual time: its server is a function, and hours pass in no time.

use std::sync::Mutex;

use hoplog_entry::{EntryId, Field, Kind, Level, RecordWriter};
use reqwest::header::HeaderMap;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::super::*;
use super::around_within;
use crate::destination::{Holding, Mail, Parcel, inbox};
use crate::ledger::DestinationStats;
use crate::queue::QueueLimits;
use crate::transport::{Failure, Reach, Sending};

/// What a server does with a batch.
pub(super) enum Reply {
    Stored,
    /// A status, and `Retry-After`.
    Says(u16, Option<&'static str>),
    Fails(Failure),
}

/// A request as the server got it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Since the start.
    pub(super) at: Duration,
    pub(super) entries: u64,
    /// Batches under way, itself included.
    pub(super) beside: usize,
}

/// What is told while the destination runs.
pub(super) struct Course {
    around: Surroundings,
    mail: Mail,
    begun: Instant,
    asked: Arc<Mutex<Vec<Asked>>>,
}

struct Server<F> {
    rule: F,
    begun: Instant,
    asked: Arc<Mutex<Vec<Asked>>>,
    under_way: Arc<()>,
}

impl<F: FnMut(Duration, &serde_json::Value) -> Reply + Send> Transport for Server<F> {
    fn send(&mut self, batch: SealedBatch) -> Sending {
        let at = now() - self.begun;
        let json = serde_json::from_slice(&batch.bytes).unwrap();
        let under_way = Arc::clone(&self.under_way);
        let beside = Arc::strong_count(&under_way) - 1;
        self.asked.lock().unwrap().push(Asked { at, entries: batch.entries, beside });
        let reply = (self.rule)(at, &json);
        Box::pin(async move {
            sleep(Duration::from_millis(1)).await;
            drop(under_way);
            let (status, retry_after, body) = match reply {
                Reply::Stored => (200, None, format!("{{\"accepted\":{}}}", batch.entries)),
                Reply::Says(status, retry_after) => (status, retry_after.map(Into::into), "{}".into()),
                Reply::Fails(kind) => return Err(SendError { kind, cause: "by script".into() }),
            };
            Ok(Answer {
                status,
                retry_after,
                #[cfg(feature = "zstd")]
                accept_encoding: None,
                body: body.into_bytes(),
            })
        })
    }
}

/// Runs a destination with this server to the end of `drive`, then closes it.
pub(super) fn course(
    rule: impl FnMut(Duration, &serde_json::Value) -> Reply + Send + 'static,
    drive: impl AsyncFnOnce(&Course),
) -> Course {
    course_with(|_| None, rule, drive)
}

/// Likewise, with a spool.
pub(super) fn course_with(
    spooling: impl FnOnce(&Surroundings) -> Option<Spooling>,
    rule: impl FnMut(Duration, &serde_json::Value) -> Reply + Send + 'static,
    drive: impl AsyncFnOnce(&Course),
) -> Course {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let (mail, inbox) = inbox();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let begun = now();
        let around = around_within(QueueLimits::new(64 << 20, 100_000));
        let course = Course { around, mail, begun, asked: Arc::clone(&asked) };
        let server = Server { rule, begun, asked, under_way: Arc::default() };
        let remote = {
            let spooling = spooling(&course.around);
            Remote::over(Box::new(server), spooling, config(), course.around.clone())
        };
        let driven = async {
            drive(&course).await;
            let (done, _ended) = oneshot::channel();
            course.mail.send(Message::Close(now() + Duration::from_secs(60), done)).unwrap();
        };
        tokio::join!(remote.run(inbox), driven);
        course
    })
}

fn config() -> RemoteConfig {
    let url = "http://collector.test/logs".parse().unwrap();
    let timeout = Duration::from_secs(30);
    RemoteConfig {
        http: HttpConfig { url, headers: HeaderMap::new(), timeout, reach: Reach::default(), peer: "it" },
        dialect: DialectConfig::Native { boot_id: EntryId::from_bytes([7; 16]) },
        limits: BatchLimits { entries: 1_000, bytes: 1 << 20 },
        compression: Compression::None,
        spool: None,
    }
}

impl Course {
    /// Logs entries with these messages, and has them sent.
    pub(super) fn log<'t>(&self, messages: impl IntoIterator<Item = &'t str>) {
        let queue = &self.around.pipeline.queue;
        for message in messages {
            let mut record = RecordWriter::default();
            record.begin(Kind::Event, EntryId::generate(1), 1);
            record.text(Field::Message, message);
            queue.push(record.end(Level::Info, None), false).unwrap();
        }
        for chunk in queue.sweep() {
            self.mail.send(Message::Chunk(Parcel::new(&chunk, &Holding::default()))).unwrap();
        }
        self.mail.send(Message::Tick { _unread: Arc::default() }).unwrap();
    }

    pub(super) async fn wait(&self, time: Duration) {
        sleep(time).await;
    }

    /// Waits for that time since the start.
    pub(super) async fn at(&self, time: Duration) {
        tokio::time::sleep_until((self.begun + time).into()).await;
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn stats(&self) -> DestinationStats {
        let accepted = self.around.pipeline.queue.counts().taken_in();
        self.around.ledger.counts().stats("collector", accepted)
    }

    /// Every entry has its fate, and the counts add up.
    pub(super) fn assert_settled(&self, delivered: u64, dropped: u64) {
        let stats = self.stats();
        assert_eq!((stats.delivered, stats.dropped.total()), (delivered, dropped), "{stats:?}");
        assert_eq!((stats.queued, stats.in_flight, stats.drift), (0, 0, 0), "{stats:?}");
        let bytes = stats.bytes;
        assert_eq!(bytes.accepted, bytes.delivered + bytes.dropped + bytes.spooled, "{stats:?}");
    }
}
