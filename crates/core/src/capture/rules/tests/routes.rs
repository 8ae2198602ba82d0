//! What holds for one route, known with the head or only later: it must make no difference.

use super::*;

const HEADERS: [(&str, &str); 2] = [("accept", "*/*"), ("user-agent", "curl")];

/// Serves one request whose route is known early or late.
fn serve(rig: &Rig, early: bool, route: &str, took: Duration, status: u16) {
    let mut exchange = rig.begin("/x", Some(route).filter(|_| early), &HEADERS);
    rig.advance(took);
    if !early {
        exchange.set_route(route);
    }
    rig.answer(exchange, status);
}

#[test]
fn a_routes_rules_stand_before_what_is_said_for_all() {
    let rig = Rig::new(
        Requests::default()
            .slow(Duration::from_secs(1))
            .level(404, Level::Info)
            .level(409, Level::Info)
            .response_headers(false)
            .route("/upload", RouteRules::default().slow(Duration::from_secs(60)).request_headers(false))
            .route("/events", RouteRules::default().slow(Duration::MAX).response_headers(true))
            .route("/users", RouteRules::default().level(404, Level::Error)),
    );
    // route, seconds, status → slow, level, request headers, response headers
    for (route, seconds, status, expected) in [
        ("/other", 2, 200, (true, Level::Warn, 2, 0)),
        ("/other", 1, 404, (false, Level::Info, 2, 0)),
        ("/upload", 59, 409, (false, Level::Info, 0, 0)),
        ("/upload", 61, 200, (true, Level::Warn, 0, 0)),
        ("/events", 1 << 20, 200, (false, Level::Info, 2, 1)),
        ("/users", 1, 404, (false, Level::Error, 2, 0)),
        ("/users", 1, 409, (false, Level::Info, 2, 0)),
        ("/users", 2, 409, (true, Level::Warn, 2, 0)),
    ] {
        for early in [true, false] {
            serve(&rig, early, route, Duration::from_secs(seconds), status);
            let e = rig.entry();
            let seen = (e.slow, e.level, e.request_headers, e.response_headers);
            assert_eq!(seen, expected, "{route} {seconds} s {status}, early: {early}");
        }
    }
}

#[test]
fn request_headers_that_a_late_route_leaves_out_are_taken_out_again_and_nothing_else() {
    let rig = Rig::new(
        Requests::default()
            .route("/shop.Orders/Get", RouteRules::default().request_headers(false).response_headers(false)),
    );
    let mut exchange = rig.begin("/shop.Orders/Get", None, &HEADERS);
    exchange.response(200, pairs(&[("content-type", "application/grpc"), ("content-length", "2")]), None);
    exchange.finish(Outcome::Completed);
    let chunk = rig.pipeline.queue.sweep().remove(0);
    let record = Record::read(chunk.bytes()).unwrap().0;
    let headers =
        record.items().filter(|i| matches!(i, Ok(Item::RequestHeader(..) | Item::ResponseHeader(..))));
    assert_eq!(headers.count(), 0);
    for (field, value) in [
        (Field::Path, Value::Text("/shop.Orders/Get")),
        (Field::Route, Value::Text("/shop.Orders/Get")),
        (Field::StatusCode, Value::Uint(200)),
    ] {
        assert_eq!(record.get(field), Some(value));
    }
}

#[test]
fn a_routes_sampling_is_its_own_however_late_it_is_known() {
    let rig = Rig::new(
        Requests::default()
            .sample(0.5)
            .route("/rare", RouteRules::default().sample(0.125))
            .route("/all", RouteRules::default().sample(1.0))
            .route("/tail", RouteRules::default().sample_at_end(0.5)),
    );
    // R as a share of its range: kept where it is at least 1 − share.
    for (route, random, weight) in [
        ("/other", 0.51, Some(2.0)),
        ("/other", 0.49, None),
        ("/rare", 0.88, Some(8.0)),
        ("/rare", 0.87, None),
        ("/all", 0.01, Some(1.0)),
        ("/tail", 0.76, Some(4.0)),
        ("/tail", 0.74, None),
    ] {
        for early in [true, false] {
            let traceparent = at(random, 1);
            let mut exchange =
                rig.begin("/x", Some(route).filter(|_| early), &[("traceparent", &traceparent)]);
            if !early {
                exchange.set_route(route);
            }
            rig.answer(exchange, 200);
            let seen = rig.entries().first().map(|entry| entry.weight.unwrap_or(1.0));
            assert_eq!(seen, weight, "{route} {random}, early: {early}");
        }
    }
}

#[test]
fn bodies_are_kept_of_the_routes_that_want_them_and_of_no_others() {
    let off = Requests::default().route("/upload", RouteRules::default().bodies(false));
    let on = Requests::default().bodies(false).route("/forms", RouteRules::default().bodies(true));
    for (requests, kept) in [
        (Requests::default().bodies(false), [0, 0, 0]),
        (Requests::default(), [2, 2, 2]),
        (off, [0, 2, 2]),
        (on, [0, 2, 0]),
    ] {
        let rig = Rig::with(requests, Some(Bodies::default()));
        let routes = [Some("/upload"), Some("/forms"), None];
        for (route, kept) in routes.into_iter().zip(kept) {
            for early in [true, false] {
                let headers = [("content-type", "text/plain"), ("content-length", "2")];
                let mut exchange = rig.begin("/x", route.filter(|_| early), &headers);
                if let Some(tap) = exchange.request_tap() {
                    tap.data(b"hi");
                    tap.end();
                }
                if let Some(route) = route.filter(|_| !early) {
                    exchange.set_route(route);
                }
                exchange.response(200, pairs(&[("content-type", "text/plain")]), Some(2));
                exchange.response_data(b"ho");
                exchange.response_bytes(2);
                exchange.finish(Outcome::Completed);
                assert_eq!(rig.entry().bodies, kept, "{route:?}, early: {early}");
            }
        }
    }
}
