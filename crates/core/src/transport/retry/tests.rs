use super::*;

#[test]
fn waits_double_to_the_cap_and_start_over_after_a_success() {
    let mut b = Backoff::default();
    let waits: Vec<u64> = (0..10).map(|_| b.failed(None, Cause::Away, 1.0).as_millis() as u64).collect();
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    assert!(b.is_failing());
    b.succeeded();
    assert!(!b.is_failing());
    assert_eq!(b.failed(None, Cause::Away, 0.5), Duration::from_millis(250));
    for _ in 0..100 {
        assert!(b.failed(None, Cause::Away, 0.0).is_zero());
    }
}

#[test]
fn where_nothing_gets_to_the_server_its_return_is_noticed_within_five_seconds() {
    let mut b = Backoff::default();
    let mut failed = |cause| b.failed(None, cause, 1.0).as_millis() as u64;
    let waits = [0; 7].map(|_| failed(Cause::Unreachable));
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
    assert_eq!(failed(Cause::Away), 60_000, "it is there again, and not well");
}

#[test]
fn after_a_throttle_half_of_the_wait_is_certain() {
    let mut b = Backoff::default();
    let waits: Vec<u64> =
        [0.0, 1.0, 0.0, 1.0].map(|random| b.failed(None, Cause::Throttled, random).as_millis() as u64).into();
    assert_eq!(waits, [250, 1_000, 1_000, 4_000]);
}

#[test]
fn the_servers_word_is_never_undercut() {
    for (wait, longest) in [(0, 0.25), (1, 1.5), (10, 15.0), (900, 960.0)] {
        for random in [0.0, 0.3, 1.0] {
            let waited = Backoff::default().failed(Some(Duration::from_secs(wait)), Cause::Throttled, random);
            assert!((wait as f64..=longest).contains(&waited.as_secs_f64()), "{wait}: {waited:?}");
        }
    }
    let mut b = Backoff::default();
    for _ in 0..6 {
        b.failed(Some(Duration::ZERO), Cause::Throttled, 1.0);
    }
    assert_eq!(
        b.failed(Some(Duration::ZERO), Cause::Throttled, 1.0).as_secs(),
        16,
        "a server that names no wait again and again is not asked again and again"
    );
    assert!(b.is_failing());
    assert_eq!(b.answered(1.0), BASE);
    assert!(!b.is_failing(), "it is there");
}

#[test]
fn where_only_a_person_can_help_it_is_asked_no_more_than_once_a_minute() {
    let mut b = Backoff::default();
    assert_eq!((b.paused(0.0).as_secs(), b.paused(1.0).as_secs()), (60, 66));
}
