//! Servers that are away, want to be left alone, or take nobody, for hours.

use hoplog_entry::DropReason;

use super::course::{Asked, Reply, course};
use super::*;
use crate::transport::{Cause, Failure};

const HOUR: Duration = Duration::from_secs(3_600);

/// The shortest time between two requests.
fn shortest_gap(asked: &[Asked]) -> Duration {
    asked.windows(2).map(|pair| pair[1].at - pair[0].at).min().unwrap()
}

#[test]
fn a_server_that_is_away_is_asked_by_one_at_a_time_for_as_long_as_it_takes() {
    // A random part of a minute, or of 5 s.
    for (failure, name, hourly, longest) in
        [(Failure::Silent, "outage", 100..=150, 65), (Failure::Unreachable, "dead_port", 1_300..=1_600, 6)]
    {
        away_for_a_day(failure, name, hourly, Duration::from_secs(longest));
    }
}

fn away_for_a_day(
    failure: Failure,
    name: &str,
    hourly: std::ops::RangeInclusive<usize>,
    longest_wait: Duration,
) {
    let away = 24 * HOUR;
    let rule = move |at: Duration, _: &_| match at < away {
        true => Reply::Fails(failure),
        false => Reply::Stored,
    };
    let course = course(rule, async |course| {
        course.log(["before"]);
        course.at(HOUR / 2).await;
        let before = course.stats();
        for _ in 0..20 {
            course.log(["meanwhile"; 100]);
            course.wait(HOUR / 20).await;
        }
        let after = course.stats();
        assert_eq!((after.bytes_raw, after.in_flight), (before.bytes_raw, 1), "nothing is encoded for it");
        assert_eq!(after.outages, 1);
        course.at(away + longest_wait).await;
        course.assert_settled(2_001, 0);
    });
    let asked = course.asked();
    let meanwhile: Vec<&Asked> = asked.iter().filter(|asked| asked.at < away).collect();
    assert!(meanwhile.iter().all(|asked| asked.beside == 1), "one probe at a time");
    let per_hour = meanwhile.len() / 24;
    println!("FIGURE transport.probes_per_hour_of_an_{name} {per_hour} 1/h");
    // The mean of a wait is half of the longest.
    assert!(hourly.contains(&per_hour), "{per_hour}");
    println!("FIGURE transport.lost_in_a_day_of_an_{name} {} entries", course.stats().dropped.total());
}

#[test]
fn a_few_failures_are_no_outage() {
    let mut turn = 0;
    let rule = move |_: Duration, _: &_| {
        turn += 1;
        match turn % 5 {
            0 => Reply::Says(429, None),
            _ => Reply::Fails(Failure::Lost),
        }
    };
    let course = course(rule, async |course| {
        course.log(["never"]);
        course.wait(HOUR).await;
        assert_eq!(course.stats().outages, 0, "every fifth answer says that it is there");
    });
    course.assert_settled(0, 1);
    assert_eq!(course.stats().dropped.of(DropReason::ShutdownDeadline), 1);
    assert!(course.asked().len() > 100);
}

#[test]
fn a_key_that_is_refused_for_an_hour_costs_nothing_but_a_small_request_a_minute() {
    for status in [401, 403] {
        let rule = move |at: Duration, _: &_| match at < HOUR {
            true => Reply::Says(status, None),
            false => Reply::Stored,
        };
        let course = course(rule, async |course| {
            for _ in 0..60 {
                course.log(["an entry"; 10]);
                course.wait(HOUR / 60).await;
            }
            assert_eq!(course.stats().delivered, 0);
            course.at(HOUR + Duration::from_secs(70)).await;
            course.assert_settled(600, 0);
        });
        let asked = course.asked();
        let (probes, later): (Vec<Asked>, Vec<Asked>) = asked.into_iter().partition(|asked| asked.at < HOUR);
        println!("FIGURE transport.probes_in_an_hour_of_{status} {} requests", probes.len());
        println!("FIGURE transport.lost_in_an_hour_of_{status} {} entries", course.stats().dropped.total());
        assert!(probes.len() > 50, "it is asked at all");
        assert!(shortest_gap(&probes) >= Duration::from_secs(60), "{:?}", shortest_gap(&probes));
        assert!(probes[1..].iter().all(|asked| asked.entries == 0), "and with nothing in it");
        assert!(later.len() >= 2 && later[0].entries == 0);
    }
}

#[test]
fn no_request_comes_before_the_server_wants_it() {
    // What is asked for, and what is to be waited for at least.
    let cases = [
        (Some("7"), 7),
        (Some("0"), 0),
        (Some("86400"), 900),
        (Some("Thu, 01 Jan 1970 00:00:00 GMT"), 0),
        (Some("Fri, 31 Dec 9999 23:59:59 GMT"), 900),
        (Some("-1"), 0),
        (Some("soon"), 0),
        (None, 0),
    ];
    let (mut early, mut requests) = (0, 0);
    for (says, least) in cases {
        for status in [429, 503] {
            let course = course(
                move |_, _| Reply::Says(status, says),
                async |course| {
                    course.log(["an entry"]);
                    course.wait(2 * HOUR).await;
                },
            );
            // The last one belongs to the end.
            let asked = course.asked();
            let gaps: Vec<Duration> = asked.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
            requests += gaps.len();
            early += gaps[..gaps.len() - 1].iter().filter(|gap| gap.as_secs() < least).count();
            assert!(gaps.len() > 5, "{status} {says:?}: it is asked again");
            assert!(
                gaps.iter().all(|gap| gap.as_secs() <= least.max(60) + 61),
                "{status} {says:?}: {gaps:?}"
            );
        }
    }
    println!("FIGURE transport.requests_before_retry_after {early}/{requests} requests");
    assert_eq!(early, 0);
}

#[test]
fn a_hundred_clients_that_are_told_to_wait_do_not_come_back_at_once() {
    let wait = Duration::from_secs(10);
    let back: Vec<f64> = (0..100)
        .map(|_| Backoff::default().failed(Some(wait), Cause::Throttled, random()).as_secs_f64())
        .collect();
    let mut seconds = [0; 5];
    back.iter().for_each(|at| seconds[(at - 10.0).min(4.9) as usize] += 1);
    let peak = *seconds.iter().max().unwrap() as f64 / 20.0;
    println!("FIGURE transport.peak_of_100_clients_after_a_throttle {peak:.2} x the mean");
    assert!(back.iter().all(|at| (10.0..=15.0).contains(at)));
    assert!(peak <= 2.0, "{seconds:?}");
}
