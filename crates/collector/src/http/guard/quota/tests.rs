use super::*;
use crate::time::DAY;

const NOON: i64 = 20_000 * DAY + DAY / 2;

fn meters(quotas: Quotas) -> Meters {
    Meters::new(quotas)
}

#[test]
fn over_a_minute_the_rate_is_kept_to_within_five_percent() {
    for rate in [1_u32, 10, 1_000] {
        let meters = meters(Quotas { requests_per_second: Some(rate), ..Quotas::default() });
        let meter = meters.of(None, Project::DEFAULT, None).unwrap();
        let start = Instant::now();
        // Twice as many as may, evenly: and a burst, an outage and a burst again.
        let step = Duration::from_secs_f64(0.5 / f64::from(rate));
        let mut passed = 0;
        for n in 0..rate * 120 {
            passed += u32::from(meter.request(false, start + step * n, NOON).is_ok());
        }
        // The bucket is full in the beginning: one second's worth comes on top.
        let error = f64::from(passed - rate) / f64::from(rate * 60) - 1.0;
        println!("FIGURE limiter.rate_error_at_{rate} {:.2} percent", error * 100.0);
        assert!(error.abs() <= 0.05, "{rate}: {passed}");
        let later = start + Duration::from_secs(3_600);
        let burst = (0..rate * 5).filter(|_| meter.request(false, later, NOON).is_ok()).count();
        assert_eq!(burst, rate as usize, "an hour of silence saves up one second");
    }
}

#[test]
fn bytes_are_paid_for_when_they_are_known_and_whoever_owes_waits() {
    let meters = meters(Quotas { bytes_per_second: Some(1_000), ..Quotas::default() });
    let meter = meters.of(None, Project::DEFAULT, None).unwrap();
    let start = Instant::now();
    assert_eq!(meter.request(true, start, NOON), Ok(()));
    meter.sent(10_000, start, NOON);
    let Err(Exceeded { policy: "bytes", wait }) = meter.request(true, start, NOON) else { panic!() };
    assert!((wait.as_secs_f64() - 9.0).abs() < 0.01, "{wait:?}");
    assert_eq!(meter.request(false, start, NOON), Ok(()), "a question sends none");
    assert_eq!(meter.request(true, start + wait + Duration::from_millis(5), NOON), Ok(()));
    // Over ten minutes: bodies of 700 bytes as often as they pass.
    let (mut sent, mut passed) = (0_u32, 0);
    for ms in 0..600_000_u32 {
        let now = start + Duration::from_secs(20) + Duration::from_millis(ms.into());
        if ms % 10 == 0 && meter.request(true, now, NOON).is_ok() {
            meter.sent(700, now, NOON);
            (sent, passed) = (sent + 700, passed + 1);
        }
    }
    let error = f64::from(sent) / 600_000.0 - 1.0;
    println!("FIGURE limiter.byte_rate_error {:.2} percent", error * 100.0);
    assert!(error.abs() <= 0.05, "{passed} bodies, {sent} bytes");
}

#[test]
fn a_day_ends_at_midnight_and_a_clock_that_is_set_back_gives_nothing() {
    let meters = meters(Quotas { project_bytes_per_day: Some(1_000), ..Quotas::default() });
    let (one, other) =
        (meters.of(None, Project(1), None).unwrap(), meters.of(None, Project(1), Some(5_000)).unwrap());
    let now = Instant::now();
    one.sent(1_000, now, NOON);
    assert_eq!(
        one.request(true, now, NOON).map_err(|e| (e.policy, e.wait.as_secs())),
        Err(("day", 12 * 3_600))
    );
    assert_eq!(other.request(true, now, NOON), Ok(()), "the project's own number counts");
    assert_eq!(meters.of(None, Project(2), None).unwrap().request(true, now, NOON), Ok(()));
    assert_eq!(one.request(true, now, NOON + DAY / 2), Ok(()));
    one.sent(1, now, NOON - 3 * DAY);
    assert!(one.request(true, now, NOON).is_err());
    let (policy, left) = one.headers(NOON);
    assert_eq!(policy, "\"day\";q=1000;qu=\"content-bytes\";w=86400");
    assert_eq!(left, "\"day\";r=0");
}

#[test]
fn a_jump_of_the_wall_clock_moves_no_bucket() {
    let meters = meters(Quotas { requests_per_second: Some(1), ..Quotas::default() });
    let meter = meters.of(None, Project::DEFAULT, None).unwrap();
    let now = Instant::now();
    assert!(meter.request(false, now, NOON).is_ok());
    for jump in [-365 * DAY, 365 * DAY] {
        assert!(meter.request(false, now, NOON + jump).is_err(), "{jump}");
    }
    assert!(meter.request(false, now + Duration::from_secs(1), NOON).is_ok());
}

#[test]
fn where_nothing_is_limited_nothing_is_counted() {
    assert!(meters(Quotas::default()).of(None, Project::DEFAULT, None).is_none());
}
