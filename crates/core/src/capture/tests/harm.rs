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
        let (first, second) = (of_b.enter(), of_b.enter());
        drop(first);
        drop(second);
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
