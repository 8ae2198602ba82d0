//! Who is kept, and what it stands for.

use proptest::prelude::*;

use super::super::sampling::{Randomness, Share};
use super::super::{Ended, Fate};
use super::*;
use crate::Client;
use crate::testing::capture_with;

#[test]
fn a_trace_is_kept_from_the_threshold_up_as_opentelemetry_has_it() {
    const RANGE: u64 = 1 << 56;
    // Probability, threshold T = (1 − p) · 2⁵⁶, weight.
    for (share, threshold, weight) in [
        (1.0, 0, 1.0),
        (0.5, 0x80_0000_0000_0000, 2.0),
        (0.25, 0xc0_0000_0000_0000, 4.0),
        (0.1, 0xe6_6666_6666_6666, 10.0),
        (1.0 / RANGE as f64, RANGE - 1, RANGE as f64),
    ] {
        let share = Share::of(share);
        let keeps = |r: u64| share.keeps(Randomness::of(&trace_of(r)));
        assert!(keeps(threshold) && keeps(RANGE - 1), "{share:?}");
        assert!(threshold == 0 || !keeps(threshold - 1), "{share:?}");
        assert_eq!(share.weight(), weight);
    }
    assert!(!Share::of(0.0).keeps(Randomness::of(&trace_of(RANGE - 1))));
}

#[test]
fn out_of_the_sample_nothing_is_captured_and_the_context_goes_on() {
    let capture = capture_with(Client::builder().requests(Requests::default().sample(0.5))).unwrap();
    let (client, out) = (capture.client(), at(0.49, 3));
    let headers = [("traceparent", out.as_str()), ("tracestate", "a=1"), ("x-request-id", "r-1")];
    let mut request = client.begin_request(&head("/", None), || pairs(&headers)).unwrap();
    let trace = &out[3..35];
    assert_eq!((request.x_trace_id(), request.request_id()), (trace, "r-1"));
    request.poll(|| {
        let mut sent = std::collections::HashMap::new();
        crate::current().inject(|name, value| drop(sent.insert(name, value.to_owned())));
        assert_eq!((sent["tracestate"].as_str(), sent["x-request-id"].as_str()), ("a=1", "r-1"));
        assert!(
            sent["traceparent"].starts_with(&out[..35]) && sent["traceparent"].ends_with("-02"),
            "{sent:?}"
        );
        assert!(
            client.begin_request(&head("/", None), || pairs(&headers)).is_none(),
            "a layer inside passes"
        );
        crate::current().set_user_id("u1");
        client.warn("in the request").send();
        let call = client.begin_call(&head("/b", None), || pairs(&[])).unwrap();
        call.inject(|name, value| assert!(name != "traceparent" || value.ends_with("-02"), "{value}"));
        call.finish(Outcome::Completed);
    });
    request.set_route("/{a}");
    request.error("Error", "gone", None);
    let headers = pairs(&[("content-type", "text/plain"), ("x-request-id", "r-1")]);
    assert_eq!(request.response(500, headers, None), [false, true], "its ids are told all the same");
    request.response_bytes(10);
    request.finish(Outcome::Panicked);
    let entries = capture.entries();
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!((&entries[0]["kind"], &entries[0]["trace_id"]), (&"event".into(), &trace.into()));
    let stats = client.stats();
    assert_eq!((stats.accepted, stats.sampled(), stats.lost()), (1, 2, 0), "the request and its call");
    assert_eq!(stats.refused.of(DropReason::Sampled), 2);
}

#[test]
fn in_the_sample_the_flag_is_set_and_without_sampling_it_passes_as_it_came() {
    for (share, given, passed) in
        [(0.5, 0, 1), (0.5, 1, 1), (0.5, 2, 3), (1.0, 0, 0), (1.0, 1, 1), (1.0, 2, 2)]
    {
        let rig = Rig::new(Requests::default().sample(share));
        let exchange = rig.begin("/", None, &[("traceparent", &at(0.6, given)), ("accept", "*/*")]);
        exchange.inject(|name, value| {
            assert!(
                name != "traceparent" || value.ends_with(&format!("-{passed:02x}")),
                "{share} {given}: {value}"
            );
        });
        rig.answer(exchange, 200);
        let entry = rig.entry();
        assert_eq!((entry.request_headers, entry.response_headers), (2, 1), "captured whole");
        assert_eq!(entry.weight, (share < 1.0).then_some(2.0));
    }
}

#[test]
fn at_the_end_everything_that_matters_is_kept_for_itself_and_the_rest_for_many() {
    let requests =
        Requests::default().sample_at_end(0.25).slow(Duration::from_secs(1)).level(418, Level::Error);
    let rig = Rig::new(requests);
    let (out, inside) = (at(0.1, 1), at(0.9, 1));
    let end = |status, seconds, outcome, traceparent: &str| {
        let mut exchange = rig.begin("/", None, &[("traceparent", traceparent)]);
        rig.advance(Duration::from_secs(seconds));
        exchange.response(status, pairs(&[]), None);
        exchange.finish(outcome);
        rig.entries().first().map(|entry| entry.weight.unwrap_or(1.0))
    };
    for (status, seconds, outcome) in [
        (500, 0, Outcome::Completed),
        (418, 0, Outcome::Completed),
        (408, 0, Outcome::Completed),
        (200, 2, Outcome::Completed),
        (200, 0, Outcome::BodyAborted),
        (200, 0, Outcome::Cancelled),
        (200, 0, Outcome::TimedOut),
        (200, 0, Outcome::Panicked),
        (200, 0, Outcome::ServiceError),
    ] {
        for traceparent in [&out, &inside] {
            assert_eq!(end(status, seconds, outcome, traceparent), Some(1.0), "{status} {seconds} {outcome}");
        }
    }
    for (status, outcome) in [(200, Outcome::Completed), (404, Outcome::Completed), (101, Outcome::Upgraded)]
    {
        assert_eq!(end(status, 0, outcome, &out), None);
        assert_eq!(end(status, 0, outcome, &inside), Some(4.0));
    }
    assert_eq!(rig.counts().1, 3);
}

#[test]
fn what_a_running_entry_told_of_has_an_entry_of_its_end() {
    let rig = Rig::new(Requests::default().sample_at_end(0.0));
    let exchange = rig.begin("/", None, &[]);
    rig.advance(Duration::from_secs(31));
    crate::capture::running::announce(&rig.pipeline);
    assert_eq!(rig.entry().outcome, None);
    rig.answer(exchange, 200);
    assert_eq!(rig.entry().outcome, Some(Outcome::Completed));

    let rig = Rig::new(Requests::default().sample(0.5).skip_route("/hidden"));
    let unsampled = rig.begin("/", None, &[("traceparent", &at(0.1, 1))]);
    let mut hidden = rig.begin("/", None, &[("traceparent", &at(0.9, 1))]);
    hidden.set_route("/hidden");
    rig.advance(Duration::from_secs(31));
    crate::capture::running::announce(&rig.pipeline);
    drop((unsampled, hidden));
    assert_eq!((rig.entries(), rig.counts()), (vec![], (0, 1)), "of what has no entry nothing is told");
}

#[test]
fn calls_are_sampled_as_the_request_they_are_made_for() {
    let rig = Rig::new(
        Requests::default().sample(0.5).route("/all", RouteRules::default().sample(1.0).sample_at_end(0.25)),
    );
    let call = |status| {
        rig.answer(Exchange::begin_outgoing(&rig.pipeline, &head("/b", None), || pairs(&[])), status)
    };
    let weights = || rig.entries().iter().map(|entry| entry.weight.unwrap_or(1.0)).collect::<Vec<_>>();
    let under = |route, random| {
        let mut request = rig.begin("/", Some(route), &[("traceparent", &at(random, 1))]);
        request.poll(|| {
            call(200);
            call(500);
        });
        let seen = weights();
        drop(request);
        rig.entries();
        seen
    };
    assert_eq!(under("/all", 0.9), [4.0, 1.0]);
    assert_eq!(under("/all", 0.1), [1.0], "the error alone");
    assert_eq!(under("/other", 0.9), [2.0, 2.0]);
    assert_eq!(under("/other", 0.1), [] as [f64; 0]);
    // Outside of any request the general share holds.
    let before = rig.counts();
    (0..400).for_each(|_| call(200));
    let after = rig.counts();
    assert_eq!(after.0 + after.1 - before.0 - before.1, 400);
    assert!(after.1 - before.1 > 100 && after.0 - before.0 > 100, "{before:?} {after:?}");
}

/// What one request does: randomness, route, status, seconds, outcome.
fn request() -> impl Strategy<Value = (u64, usize, u16, u64, Outcome)> {
    let outcome = prop::sample::select(vec![
        Outcome::Completed,
        Outcome::Completed,
        Outcome::Completed,
        Outcome::Cancelled,
        Outcome::BodyAborted,
        Outcome::ServiceError,
        Outcome::Panicked,
        Outcome::TimedOut,
    ]);
    let status = prop::sample::select(vec![200, 200, 200, 204, 302, 404, 429, 500, 503]);
    (0..1_u64 << 56, 0..4_usize, status, 0..3_u64, outcome)
}

fn share() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![0.0, 0.01, 0.1, 0.25, 0.5, 0.9, 1.0])
}

const ROUTES: [&str; 4] = ["/other", "/own", "/skipped", "/healthz"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Two clients with the same rules, one told the route with the head and one later, any rates, any traffic.
    #[test]
    fn any_traffic_is_decided_alike_by_two_clients_and_every_request_has_one_fate(
        traffic in prop::collection::vec(request(), 1..80),
        (head_share, tail_share, own_head, own_tail) in (share(), share(), share(), share()),
    ) {
        let requests = Requests::default()
            .sample(head_share)
            .sample_at_end(tail_share)
            .slow(Duration::from_secs(1))
            .route("/own", RouteRules::default().sample(own_head).sample_at_end(own_tail))
            .skip_route("/skipped");
        let rigs = [Rig::new(requests.clone()), Rig::new(requests)];
        let mut seen = [Vec::new(), Vec::new()];
        let mut unskipped = 0;
        for &(random, route, status, seconds, outcome) in &traffic {
            let traceparent = format!("00-{}-00f067aa0ba902b7-01", trace_of(random));
            let healthy = route == 3 && status < 400 && seconds < 2 && outcome == Outcome::Completed;
            for (early, (rig, seen)) in rigs.iter().zip(&mut seen).enumerate() {
                let (path, route) = (ROUTES[route], Some(ROUTES[route]));
                if early == 1 && rig.pipeline.rules.skips(&head(path, route)) {
                    continue;
                }
                let mut exchange = rig.begin(path, route.filter(|_| early == 1), &[("traceparent", &traceparent)]);
                rig.advance(Duration::from_secs(seconds));
                if early == 0 {
                    exchange.set_route(ROUTES[traffic_route(path)]);
                }
                exchange.response(status, pairs(&[]), Some(0));
                exchange.finish(outcome);
                let entries = rig.entries();
                prop_assert!(entries.len() <= 1);
                let in_head = Share::of(if path == "/own" { own_head } else { head_share })
                    .keeps(Randomness::of(&trace_of(random)));
                let special = status >= 500 || seconds > 1 || outcome != Outcome::Completed;
                match entries.first() {
                    Some(entry) => {
                        prop_assert!(in_head && path != "/skipped" && !healthy);
                        prop_assert!(entry.weight.unwrap_or(1.0) >= 1.0);
                    }
                    None => prop_assert!(!(in_head && special) || path == "/skipped", "{path} {status} {outcome}"),
                }
                seen.extend(entries);
            }
            unskipped += u64::from(route != 2 && !healthy);
        }
        let [late, early] = &seen;
        prop_assert_eq!(late, early, "the same traces, weights, levels");
        for rig in &rigs {
            let (accepted, sampled) = rig.counts();
            prop_assert!(accepted + sampled >= unskipped, "{accepted} + {sampled} of {unskipped}");
            prop_assert!(accepted <= unskipped);
        }
    }

    /// Weights add up: within six standard deviations of as many independent choices.
    #[test]
    fn the_weights_of_what_is_kept_add_up_to_all_requests(
        seed in any::<u64>(),
        (head_share, tail_share) in (0.02..=1.0, 0.02..=1.0),
    ) {
        const REQUESTS: u64 = 20_000;
        let rules = Requests::default().sample(head_share).sample_at_end(tail_share).build().unwrap();
        let (mut weights, mut errors, mut kept_errors, mut variance) = (0.0, 0, 0, 0.0);
        for i in 0..REQUESTS {
            let mut chosen = rules.begin(&head("/", Some("/")));
            let captured = chosen.decide(&trace_of(mixed(seed.wrapping_add(i)) >> 8));
            let status = if i % 7 == 0 { 500 } else { 200 };
            let share = if status == 500 { head_share } else { head_share * tail_share };
            variance += 1.0 / share - 1.0;
            let (outcome, grpc_status) = (Outcome::Completed, None);
            let ended = Ended { outcome, status, grpc_status, took: 1, announced: false, failed: false };
            let fate = if captured { rules.end(&chosen, &ended).fate } else { Fate::Sampled };
            errors += u64::from(captured && status == 500);
            if let Fate::Keep(weight) = fate {
                weights += weight;
                kept_errors += u64::from(status == 500);
            }
        }
        prop_assert_eq!(kept_errors, errors, "every captured error is kept");
        let off = (weights - REQUESTS as f64).abs();
        prop_assert!(off <= 6.0 * variance.sqrt() + 1.0, "{weights} for {REQUESTS}, {head_share} × {tail_share}");
    }
}

#[test]
fn what_a_running_entry_told_of_stands_for_what_was_not_captured() {
    // Its route, known late, is sampled less than it was captured; at 0 it would stand for all requests there are.
    for share in [0.0, 0.1, 1.0] {
        let rules = Requests::default().sample(0.5).route("/late", RouteRules::default().sample(share));
        let rig = Rig::new(rules);
        let trace = at(0.9999, 1);
        let mut exchange = rig.begin("/late", None, &[("traceparent", trace.as_str())]);
        rig.advance(Duration::from_secs(31));
        crate::capture::running::announce(&rig.pipeline);
        assert_eq!(rig.entries().len(), 1);
        exchange.set_route("/late");
        rig.answer(exchange, 200);
        let expected = if share == 1.0 { None } else { Some(2.0) };
        assert_eq!(rig.entry().weight, expected, "{share}");
    }
}

fn traffic_route(path: &str) -> usize {
    ROUTES.iter().position(|route| *route == path).unwrap()
}

/// SplitMix64's finalizer: numbers in a row become independent ones.
fn mixed(n: u64) -> u64 {
    let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
