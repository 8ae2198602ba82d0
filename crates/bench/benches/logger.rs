//! What a call of the logger costs its caller, in CPU time of its thread.

#![expect(clippy::expect_used, reason = "a bench that cannot run must say so")]

use std::hint::black_box;
use std::time::Duration;

use hoplog::{Client, Level, Outcome, RequestHead, current, scope};
use hoplog_bench::app::builder;
use hoplog_bench::{figure, median, thread_cpu};

const CALLS: u32 = 2_000;
const ROUNDS: usize = 15;

fn main() {
    let client = builder().max_events_per_request(u32::MAX).build().expect("a client");
    let quiet =
        builder().min_level(Level::Warn).min_level_of("shop", Level::Error).build().expect("a client");
    let off = Client::disabled();
    compare("disabled", &off, || off.info("order placed").field("order_id", 42).send());
    compare("below_level", &quiet, || quiet.info("order placed").field("order_id", 42).send());
    compare("below_level_macro", &quiet, || hoplog::info!(quiet, "order placed", order_id = 42));
    compare("fields_0", &client, || client.info("order placed").send());
    compare("fields_3", &client, || three(&client));
    compare("macro_fields_3", &client, || {
        hoplog::info!(client, "order placed", order_id = black_box(42), total = 9.5, customer = "bob");
    });
    compare("timer", &client, || client.timer("query").stop());
    {
        let _scope = scope().user_id("u-1").field("job", "import").field("attempt", 2).guard();
        compare("scope_fields_3", &client, || three(&client));
    }
    compare("scope_guard", &client, || drop(scope().user_id("u-1").guard()));
    let head = RequestHead { method: "GET", path: "/orders", http_version: "1.1", ..RequestHead::default() };
    let mut exchange = client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).expect("a request");
    exchange.poll(|| {
        compare("request_fields_3", &client, || three(&client));
        current().set_user_id("u-1");
        current().set_field("cart", ["tea", "cake"]);
        compare("request_told_fields_3", &client, || three(&client));
    });
    exchange.finish(Outcome::Completed);
}

fn three(client: &Client) {
    let entry = client.info("order placed").field("order_id", black_box(42));
    entry.field("total", 9.5).field("customer", "bob").send();
}

/// The middle of several rounds, per call. The worker takes the entries out in between.
fn compare(name: &str, client: &Client, mut call: impl FnMut()) {
    let mut round = || {
        let start = thread_cpu();
        (0..CALLS).for_each(|_| call());
        let spent = (thread_cpu() - start).as_secs_f64() * 1e9 / f64::from(CALLS);
        client.flush_blocking(Duration::from_secs(10)).expect("an open client");
        spent
    };
    round();
    figure(&format!("logger.{name}_ns"), median((0..ROUNDS).map(|_| round()).collect()), "ns");
}
