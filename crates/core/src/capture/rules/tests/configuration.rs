//! What cannot be is refused, all of it at once.

use super::*;
use crate::Client;
use crate::testing::capture_with;

#[test]
fn all_complaints_come_at_once_and_name_the_setter_and_the_fix() {
    let requests = Requests::default()
        .skip_path("metrics")
        .skip_prefix("//")
        .health_paths(["healthz"])
        .sample(1.5)
        .sample_at_end(f64::NAN)
        .slow(Duration::ZERO)
        .level(99, Level::Info)
        .level(500..500, Level::Info)
        .route("", RouteRules::default())
        .route("/a", RouteRules::default().sample(-0.1).level(1000, Level::Info))
        .skip_route("/a");
    let complaints = requests.build().unwrap_err();
    for part in [
        "skip_path(\"metrics\")",
        "skip_prefix(\"//\")",
        "health_paths(\"healthz\")",
        "sample(1.5)",
        "sample_at_end(NaN)",
        "slow(0)",
        "level(99, INFO)",
        "level(500..=499, INFO)",
        "route(\"\")",
        "route(\"/a\"): sample(-0.1)",
        "route(\"/a\"): level(1000, INFO)",
        "route(\"/a\"): said twice",
    ] {
        let found = complaints.iter().filter(|c| c.contains(part)).count();
        assert_eq!(found, 1, "{part}: {complaints:#?}");
    }
    assert_eq!(complaints.len(), 12, "{complaints:#?}");
    assert!(complaints.iter().all(|c| c.contains("must") || c.contains(';')), "{complaints:#?}");
}

#[test]
fn the_builder_reports_them_with_all_others() {
    let builder = Client::builder().batch_size(0).requests(Requests::default().sample(2.0));
    let error = capture_with(builder).unwrap_err();
    assert_eq!(error.complaints().len(), 2, "{error}");
}

#[test]
fn the_bounds_themselves_are_fine() {
    let requests = Requests::default()
        .skip_path("/")
        .sample(0.0)
        .sample_at_end(1.0)
        .slow(Duration::MAX)
        .level(100..=999, Level::Info)
        .route("/a", RouteRules::default().sample(1.0).sample_at_end(0.0));
    requests.build().unwrap();
}
