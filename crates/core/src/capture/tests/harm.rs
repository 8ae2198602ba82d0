//! What must not go wrong, whatever the application or a client does.

use super::*;

#[test]
fn a_guard_that_outlives_its_poll_or_its_turn_does_not_mix_requests_up() {
    let rig = Rig::new();
    let (mut a, mut b) = (rig.begin(&[]), rig.begin(&[]));
    let (of_a, of_b) = (a.context(), b.context());
    // Held across an await: the poll ends with the guard in place.
    let held = a.poll(|| of_b.enter());
    assert!(context::current().is_empty(), "it does not stay on the thread");
    b.poll(|| assert_eq!(context::current().span_id(), of_b.span_id()));
    a.poll(|| {
        assert_eq!(context::current().span_id(), of_a.span_id());
        drop(held);
        assert_eq!(context::current().span_id(), of_a.span_id());
    });
    // Dropped in the wrong order.
    a.poll(|| {
        let (first, second) = (of_b.enter(), context::Context::default().enter());
        assert!(context::current().is_empty());
        drop(first);
        assert!(context::current().is_empty(), "it was not the last");
        drop(second);
        assert_eq!(context::current().span_id(), of_a.span_id());
        let _outer = of_b.enter();
        drop(of_a.enter());
        assert_eq!(context::current().span_id(), of_b.span_id());
    });
    assert!(context::current().is_empty());
    a.response(200, pairs(&[]), Some(0));
    a.finish(Outcome::Completed);
    assert_eq!(rig.entry().text(Field::SpanId), of_a.span_id().map(|id| id.to_string()));
    drop(b);
    let entry = rig.entry();
    assert_eq!(entry.text(Field::SpanId), of_b.span_id().map(|id| id.to_string()));
    assert_eq!(entry.outcome(), Outcome::Cancelled);
}

#[test]
fn headers_without_end_leave_room_for_how_the_request_ended() {
    let rig = Rig::new();
    let value = "x".repeat(8_000);
    // Large ones, and small ones for what room those leave.
    let many: Vec<_> = (0..10_000).map(|n| ("accept", if n < 100 { value.as_str() } else { "" })).collect();
    let mut exchange = rig.begin(&many);
    exchange.error("E", &value, Some(&value.repeat(10)));
    exchange.response(500, many.iter().map(|(name, value)| (*name, value.as_bytes())), Some(0));
    exchange.finish(Outcome::Completed);
    let entry = rig.entry();
    assert!(entry.record().is_cut());
    assert_eq!(entry.number(Field::StatusCode), Some(500));
    assert_eq!(entry.number(Field::Duration), Some(0));
    assert!(entry.text(Field::TraceId).is_some() && entry.text(Field::RequestId).is_some());
    assert!(entry.text(Field::StackTrace).is_some());
    assert!(entry.header("accept").is_some());
}

#[test]
fn a_panic_in_a_body_cuts_what_is_kept_of_it() {
    let policy = Policy {
        bodies: Some(crate::Bodies::default()),
        ..Policy::with(Redaction::default().build().unwrap(), Requests::default().build().unwrap())
    };
    let limits = QueueLimits::new(1 << 20, 1_000);
    let clock = Clock::by_hand(Duration::from_secs(1_763_600_000));
    let rig = Rig { pipeline: Arc::new(Pipeline::new(clock, limits, policy)) };
    let mut exchange = rig.begin(&[("content-type", "application/json")]);
    assert!(exchange.request_tap().is_none(), "nothing will pass");
    exchange.response(200, pairs(&[("content-type", "text/plain")]), None);
    assert!(exchange.taps_response());
    exchange.response_data(b"half of");
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| exchange.poll(|| panic!("boom"))));
    assert!(polled.is_err());
    drop(exchange);
    let entry = rig.entry();
    assert_eq!(entry.text(Field::ResponseBody).as_deref(), Some("half of"));
    assert_eq!(entry.record().get(Field::ResponseBodyTruncated), Some(Value::Bool(true)));
    assert_eq!(entry.record().get(Field::RequestBodyTruncated), Some(Value::Bool(false)));
}

#[test]
fn a_panic_does_not_bear_the_stack_of_an_error_before_it() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[]);
    exchange.error("E", "first", Some("caused by: something else"));
    let polled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| exchange.poll(|| panic!("boom"))));
    assert!(polled.is_err());
    drop(exchange);
    let entry = rig.entry();
    assert_eq!(entry.text(Field::ErrorMessage).as_deref(), Some("boom"));
    assert_eq!(entry.text(Field::StackTrace), None);
}

#[test]
fn a_tunnel_is_an_upgrade_and_can_be_kept_open() {
    let rig = Rig::new();
    let head = RequestHead { method: "CONNECT", path: "/chat", http_version: "2", ..RequestHead::default() };
    for (status, outcome) in [(200, Outcome::Upgraded), (403, Outcome::Completed)] {
        let mut exchange = rig.begin_with(&head, &[]);
        let kept = exchange.context().keep();
        exchange.response(status, pairs(&[]), Some(0));
        exchange.finish(Outcome::Completed);
        assert_eq!(rig.entries().len(), usize::from(status == 403), "{status}");
        rig.begin_with(&head, &[]).finish(Outcome::Completed);
        let other = rig.entry();
        rig.advance(5_000);
        drop(kept);
        if status == 200 {
            let entry = rig.entry();
            assert_eq!((entry.outcome(), entry.number(Field::Duration)), (outcome, Some(5_000_000_000)));
            assert_ne!(entry.record().id(), other.record().id());
        }
    }
    // Without a guard, and unpolled by the server.
    let mut exchange = rig.begin_with(&head, &[]);
    exchange.response(200, pairs(&[]), None);
    drop(exchange);
    assert_eq!(rig.entry().outcome(), Outcome::Upgraded);
}

#[test]
fn an_answer_out_of_sight_has_a_status_and_no_size() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[]);
    exchange.response_unseen(500);
    exchange.finish(Outcome::ServiceError);
    let entry = rig.entry();
    assert_eq!((entry.number(Field::StatusCode), entry.number(Field::ResponseSize)), (Some(500), None));
}

#[test]
fn a_fault_in_judging_a_request_costs_its_entry_and_not_the_request() {
    let capture = crate::testing::capture();
    let client = capture.client();
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    // What panics here stands for our own code.
    let faulty = || std::iter::from_fn(|| -> Option<(&str, &[u8])> { panic!("a fault") });
    assert!(client.begin_request(&head, faulty).is_none());
    assert!(client.begin_call(&head, faulty).is_none());
    assert_eq!(client.stats().refused.of(hoplog_entry::DropReason::RedactionFailed), 2);
    assert_eq!(client.stats().lost(), 2, "it is counted");

    let mut exchange = client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
    let have_ids = exchange.response(200, faulty(), Some(0));
    assert_eq!(have_ids, [true; 2], "what cannot be told is left alone");
    exchange.finish(Outcome::Completed);
    let entries = capture.entries();
    assert_eq!(
        (entries.len(), &entries[0]["status_code"]),
        (1, &200.into()),
        "the answer's headers alone are lost"
    );
}

#[test]
fn a_hook_that_speaks_of_the_current_request_does_not_wait_for_itself() {
    let judged = crate::Redaction::default().custom(|_, _, _| {
        context::current().set_user_id("from the hook");
        None
    });
    let builder = crate::Client::builder().redaction(judged).bodies(crate::Bodies::default());
    let capture = crate::testing::capture_with(builder).unwrap();
    let client = capture.client();
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let head = RequestHead { method: "POST", path: "/", http_version: "1.1", ..RequestHead::default() };
        let headers = [("content-type", "application/json"), ("content-length", "7")];
        let mut exchange = client.begin_request(&head, || pairs(&headers)).unwrap();
        exchange.request_tap().unwrap().data(br#"{"a":1}"#);
        let (keep, context) = exchange.poll(|| (context::current().keep(), context::current()));
        exchange.response(101, pairs(&[]), Some(0));
        exchange.finish(Outcome::Completed);
        // The entry is written, and its body judged, in the request's own context.
        let _entered = context.enter();
        drop(keep);
        let _ = done.send(());
    });
    ended.recv_timeout(Duration::from_secs(10)).expect("no deadlock");
    let entries = capture.entries();
    assert_eq!((entries.len(), &entries[0]["request_body"]), (1, &r#"{"a":1}"#.into()));
    assert!(entries[0]["user_id"].is_null());
}

#[test]
fn a_panic_that_is_told_while_its_request_is_locked_waits_for_nobody() {
    let rig = Rig::new();
    let mut exchange = rig.begin(&[]);
    exchange.poll(|| {
        let panic =
            crate::capture::Panic { message: "a fault", file: "a.rs", line: 1, backtrace: String::new() };
        let context = context::current();
        context.live().unwrap().write(|_| {
            assert!(!context::tell_panic(&rig.pipeline, &panic));
            crate::logger::EntryBuilder::of_panic(&rig.pipeline, &panic).send();
        });
    });
    let event = rig.entry();
    assert_eq!(event.text(Field::ErrorMessage).as_deref(), Some("a fault"));
}
