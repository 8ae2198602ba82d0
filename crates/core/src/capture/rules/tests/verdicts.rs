//! Level and slowness, as tables.

use super::*;

fn level(requests: &Requests, status: u16, grpc_status: Option<u16>, outcome: Outcome) -> Level {
    let levels = &requests.build().unwrap().rules[0].levels;
    levels.of(outcome, status, grpc_status)
}

#[test]
fn the_level_is_that_of_the_protocol_where_nothing_is_said() {
    let plain = Requests::default();
    // What is said about a status that does not occur changes nothing.
    let elsewhere =
        Requests::default().level(299, Level::Fatal).outcome_level(Outcome::ProcessDied, Level::Info);
    for (status, grpc_status, outcome, expected) in [
        (200, None, Outcome::Completed, Level::Info),
        (302, None, Outcome::Completed, Level::Info),
        (404, None, Outcome::Completed, Level::Warn),
        (500, None, Outcome::Completed, Level::Error),
        (101, None, Outcome::Upgraded, Level::Info),
        (408, None, Outcome::TimedOut, Level::Warn),
        (504, None, Outcome::TimedOut, Level::Error),
        (0, None, Outcome::TimedOut, Level::Warn),
        (0, None, Outcome::Cancelled, Level::Warn),
        (200, None, Outcome::BodyAborted, Level::Warn),
        (200, None, Outcome::Panicked, Level::Error),
        (0, None, Outcome::ServiceError, Level::Error),
        (200, Some(0), Outcome::Completed, Level::Info),
        (200, Some(5), Outcome::Completed, Level::Warn),
        (200, Some(13), Outcome::Completed, Level::Error),
    ] {
        for rules in [&plain, &elsewhere] {
            assert_eq!(
                level(rules, status, grpc_status, outcome),
                expected,
                "{status} {grpc_status:?} {outcome}"
            );
        }
    }
}

#[test]
fn what_is_said_about_a_status_counts_but_never_against_the_outcome() {
    let rules = Requests::default()
        .level(400..500, Level::Debug)
        .level(404, Level::Info)
        .level(408, Level::Info)
        .level(500..=599, Level::Warn)
        .level(200, Level::Trace);
    for (status, grpc_status, outcome, expected) in [
        (404, None, Outcome::Completed, Level::Info),
        (410, None, Outcome::Completed, Level::Debug),
        (500, None, Outcome::Completed, Level::Warn),
        (408, None, Outcome::TimedOut, Level::Info),
        (504, None, Outcome::TimedOut, Level::Warn),
        (0, None, Outcome::TimedOut, Level::Warn),
        (404, None, Outcome::BodyAborted, Level::Warn),
        (404, None, Outcome::Panicked, Level::Error),
        (500, None, Outcome::ServiceError, Level::Error),
        (200, Some(13), Outcome::Completed, Level::Error),
    ] {
        assert_eq!(
            level(&rules, status, grpc_status, outcome),
            expected,
            "{status} {grpc_status:?} {outcome}"
        );
    }
}

#[test]
fn what_is_said_about_an_outcome_counts_but_never_against_the_answer() {
    let rules = Requests::default()
        .outcome_level(Outcome::Cancelled, Level::Info)
        .outcome_level(Outcome::ServiceError, Level::Warn)
        .outcome_level(Outcome::Panicked, Level::Fatal)
        .outcome_level(Outcome::Completed, Level::Debug);
    for (status, outcome, expected) in [
        (0, Outcome::Cancelled, Level::Info),
        (0, Outcome::ServiceError, Level::Warn),
        (500, Outcome::ServiceError, Level::Error),
        (200, Outcome::Panicked, Level::Fatal),
        (404, Outcome::Completed, Level::Warn),
        (200, Outcome::Completed, Level::Info),
    ] {
        assert_eq!(level(&rules, status, None, outcome), expected, "{status} {outcome}");
    }
}

#[test]
fn beyond_the_threshold_a_request_is_slow_and_at_least_a_warning() {
    let rig = Rig::new(Requests::default().slow(Duration::from_millis(500)));
    for (ms, status, slow, level) in [
        (500, 200, false, Level::Info),
        (501, 200, true, Level::Warn),
        (501, 404, true, Level::Warn),
        (501, 500, true, Level::Error),
        (90_000, 101, false, Level::Info),
    ] {
        let exchange = rig.begin("/", None, &[]);
        rig.advance(Duration::from_millis(ms));
        rig.answer(exchange, status);
        let entry = rig.entry();
        assert_eq!((entry.slow, entry.level), (slow, level), "{ms} ms, {status}");
    }
    let rig = Rig::new(Requests::default());
    let exchange = rig.begin("/", None, &[]);
    rig.advance(Duration::from_secs(1 << 30));
    rig.answer(exchange, 200);
    assert!(!rig.entry().slow, "nothing is slow by default");
}

#[test]
fn a_slow_call_is_slow_too_and_its_level_follows_the_table() {
    let rig = Rig::new(Requests::default().slow(Duration::from_secs(1)).level(404, Level::Info));
    for (ms, slow, level) in [(1_001, true, Level::Warn), (1, false, Level::Info)] {
        let call = Exchange::begin_outgoing(&rig.pipeline, &head("/healthz", None), || pairs(&[]));
        rig.advance(Duration::from_millis(ms));
        rig.answer(call, 404);
        let entry = rig.entry();
        assert_eq!((entry.slow, entry.level), (slow, level));
    }
    let call = Exchange::begin_outgoing(&rig.pipeline, &head("/healthz", None), || pairs(&[]));
    rig.answer(call, 200);
    assert_eq!(rig.entries().len(), 1, "health checks of others are calls like others");
}
