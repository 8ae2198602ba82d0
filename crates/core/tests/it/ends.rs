//! Flush, shutdown and drop, wherever they are called.

use hoplog::{Client, DropReason, RequestHead};
use hoplog_testkit::scripted::Scripted;
use tokio::runtime::{Builder, Runtime};

use crate::support::{LONG, assert_settled, builder, client_of, send};

fn runtimes() -> [(&'static str, Runtime); 2] {
    [
        ("current thread", Builder::new_current_thread().enable_all().build().unwrap()),
        ("multi thread", Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()),
    ]
}

#[test]
fn without_a_runtime_a_flush_delivers() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    send(&client, 3);
    let report = client.flush_blocking(LONG).unwrap();
    assert_eq!((report.delivered, report.dropped, report.left), (3, 0, 0));
    assert_settled(&client, 3, 0);
}

#[test]
fn a_flush_waits_for_what_came_before_it_and_not_for_what_comes_meanwhile() {
    let collector = Scripted::start([]);
    // Small batches, so that some are always under way.
    let client = builder(collector.url()).batch_size(300).build().unwrap();
    let busy = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|s| {
        s.spawn(|| {
            while busy.load(std::sync::atomic::Ordering::Relaxed) {
                send(&client, 50);
                std::thread::yield_now();
            }
        });
        let before = loop {
            let accepted = client.stats().accepted;
            if accepted > 5_000 {
                break accepted;
            }
        };
        let asked = std::time::Instant::now();
        client.flush_blocking(LONG).unwrap();
        let took = asked.elapsed();
        busy.store(false, std::sync::atomic::Ordering::Relaxed);
        assert!(took < LONG / 2, "{took:?}: it waited for the end of all traffic");
        let d = &client.stats().destinations[0];
        assert!(d.delivered + d.dropped.total() >= before, "{d:?} of {before}");
    });
}

#[test]
fn in_a_runtime_a_flush_delivers_awaited_or_blocking_in_a_task_or_not() {
    for (name, runtime) in runtimes() {
        let collector = Scripted::start([]);
        let client = client_of(&collector);
        runtime.block_on(async {
            send(&client, 3);
            assert_eq!(client.flush(LONG).await.unwrap().delivered, 3, "{name}");
            send(&client, 2);
            assert_eq!(client.flush_blocking(LONG).unwrap().delivered, 2, "{name}");
            let in_task = client.clone();
            tokio::spawn(async move {
                send(&in_task, 1);
                assert_eq!(in_task.flush_blocking(LONG).unwrap().delivered, 1);
                send(&in_task, 1);
                assert_eq!(in_task.flush(LONG).await.unwrap().delivered, 1);
            })
            .await
            .unwrap();
        });
        assert_settled(&client, 7, 0);
    }
}

#[test]
fn a_shutdown_delivers_and_a_second_one_does_nothing() {
    for (name, runtime) in runtimes() {
        let collector = Scripted::start([]);
        let client = client_of(&collector);
        send(&client, 3);
        let report = runtime.block_on(client.shutdown(LONG));
        assert_eq!((report.delivered, report.dropped, report.left), (3, 0, 0), "{name}");
        let report = runtime.block_on(client.clone().shutdown(LONG));
        assert_eq!((report.delivered, report.dropped, report.left), (0, 0, 0), "{name}");
        assert_settled(&client, 3, 0);
        assert_eq!(collector.entries().len(), 3);
    }
}

#[test]
fn a_shutdown_needs_no_runtime_of_ours() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    send(&client, 3);
    // Any executor that polls will do; this one knows no timers.
    let mut shutdown = Box::pin(client.shutdown(LONG));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let report =
        hoplog_testkit::facts::fact_blocking("the shutdown ends", || match shutdown.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(report) => Some(report),
            std::task::Poll::Pending => None,
        });
    assert_eq!(report.delivered, 3);
}

#[test]
fn the_drop_of_the_last_handle_delivers_and_that_of_another_does_not_wait() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    send(&client, 3);
    drop(client.clone());
    assert!(collector.received().is_empty(), "there is one more handle");
    drop(client);
    assert_eq!(collector.entries().len(), 3);
}

#[test]
fn the_last_handle_may_be_dropped_in_a_runtime_in_a_task_and_with_its_runtime() {
    for (name, runtime) in runtimes() {
        let collector = Scripted::start([]);
        let url = collector.url();
        runtime.block_on(async {
            let client = builder(&*url).build().unwrap();
            send(&client, 1);
        });
        assert_eq!(collector.entries().len(), 1, "{name}: at the end of block_on");
        runtime.block_on(async {
            let client = builder(&*url).build().unwrap();
            send(&client, 1);
            tokio::spawn(async move { drop(client) }).await.unwrap();
        });
        assert_eq!(collector.entries().len(), 2, "{name}: in a task");
        runtime.block_on(async {
            let client = builder(&*url).build().unwrap();
            send(&client, 1);
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(client);
            });
        });
        drop(runtime);
        assert_eq!(collector.entries().len(), 3, "{name}: with the tasks of a runtime that ends");
    }
}

#[test]
fn what_is_logged_last_in_main_arrives() {
    #[tokio::main(flavor = "current_thread")]
    async fn current_thread(url: String) {
        let client = builder(url).build().unwrap();
        send(&client, 1);
    }
    #[tokio::main(flavor = "multi_thread", worker_threads = 2)]
    async fn multi_thread(url: String) {
        let client = builder(url).build().unwrap();
        tokio::spawn({
            let client = client.clone();
            async move { send(&client, 1) }
        })
        .await
        .unwrap();
    }
    let collector = Scripted::start([]);
    current_thread(collector.url());
    assert_eq!(collector.entries().len(), 1);
    multi_thread(collector.url());
    assert_eq!(collector.entries().len(), 2);
}

#[test]
fn a_client_outlives_the_runtime_it_was_built_in() {
    let collector = Scripted::start([]);
    let (_, runtime) = runtimes().into_iter().next_back().unwrap();
    let client = runtime.block_on(async { client_of(&collector) });
    drop(runtime);
    send(&client, 3);
    client.flush_blocking(LONG).unwrap();
    assert_settled(&client, 3, 0);
}

#[test]
fn handles_on_many_threads_lose_nothing_at_the_end() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let client = client.clone();
            scope.spawn(move || send(&client, 250));
        }
    });
    drop(client);
    assert_eq!(collector.entries().len(), 2_000);
}

#[test]
fn after_its_end_entries_are_counted_and_a_flush_is_refused() {
    let collector = Scripted::start([]);
    let client = client_of(&collector);
    let runtime = Builder::new_current_thread().build().unwrap();
    let _ = runtime.block_on(client.shutdown(LONG));
    client.error("too late").send();
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    drop(client.begin_request(&head, std::iter::empty::<(&str, &[u8])>));
    assert_eq!(client.stats().refused.of(DropReason::AfterClose), 2);
    assert_eq!(client.stats().accepted, 0);
    assert!(client.flush_blocking(LONG).unwrap_err().is_closed());
    assert!(collector.received().is_empty());
}

#[test]
fn a_disabled_client_takes_every_call_and_does_nothing() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let by_setting = builder("http://127.0.0.1:9").enabled(false).build().unwrap();
    for client in [Client::disabled(), by_setting] {
        assert!(!client.is_enabled());
        client.fatal("nothing").field("i", 1).user_id("u").error(&std::fmt::Error).send();
        let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
        assert!(client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).is_none());
        assert!(client.begin_call(&head, std::iter::empty::<(&str, &[u8])>).is_none());
        assert_eq!(client.flush_blocking(LONG).unwrap().delivered, 0);
        assert_eq!(runtime.block_on(client.shutdown(LONG)).left, 0);
        let stats = client.stats();
        assert_eq!((stats.accepted, stats.lost(), stats.destinations.len()), (0, 0, 0));
    }
}
