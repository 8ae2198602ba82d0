use hoplog::RequestHead;
use hoplog::testing::{capture, capture_with};
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn the_hook_tells_where_a_panic_happened_in_a_request_and_anywhere_else() {
    let capture = capture();
    let client = capture.client();
    client.install_panic_hook();
    let head = RequestHead { method: "GET", path: "/", http_version: "1.1", ..RequestHead::default() };
    let mut exchange = client.begin_request(&head, std::iter::empty::<(&str, &[u8])>).unwrap();
    let context = exchange.context();
    let (here, boom) = (line!(), "no tea");
    let caught = catch_unwind(AssertUnwindSafe(|| exchange.poll(|| panic!("{boom}"))));
    assert_eq!(caught.unwrap_err().downcast_ref::<String>().map(String::as_str), Some(boom));
    drop(exchange);
    // In a task that the request spawned, and in a thread of nobody's.
    let spawned = std::thread::spawn(move || {
        let _entered = context.enter();
        panic!("in a task");
    });
    assert!(spawned.join().is_err());
    assert!(std::thread::spawn(|| panic!("in a thread")).join().is_err());

    let entries = capture.entries();
    let of = |message: &str| entries.iter().find(|e| e["error_message"] == message).unwrap();
    let request = of(boom);
    assert_eq!((&request["kind"], &request["outcome"]), (&"request".into(), &"panicked".into()));
    assert_eq!(request["line"], here + 1);
    assert!(request["stack_trace"].as_str().unwrap().contains("panics"), "a backtrace");
    for message in ["in a task", "in a thread"] {
        let event = of(message);
        assert_eq!((&event["kind"], &event["level"]), (&"event".into(), &"ERROR".into()));
        assert_eq!((&event["error_type"], &event["message"]), (&"panic".into(), &message.into()));
        assert!(event["file_path"].as_str().unwrap().ends_with("panics.rs"));
        assert_eq!(event["trace_id"].is_string(), message == "in a task");
    }
    assert_eq!(of("in a task")["trace_id"], request["trace_id"]);
    // The hook is the process's: other tests' panics come by as well.
    let ours = |e: &&serde_json::Value| e["file_path"].as_str().is_some_and(|f| f.ends_with("panics.rs"));
    assert_eq!(entries.iter().filter(ours).count(), 3);
}

#[test]
fn what_panics_while_a_panic_is_told_does_not_end_the_process_and_is_asked_again_afterwards() {
    let judge = |_: hoplog::Place, name: &str, _: &str| match (name, std::thread::panicking()) {
        ("odd", true) => panic!("while a panic is told"),
        ("odd", false) => Some(hoplog::Treatment::Mask),
        _ => None,
    };
    let redaction = hoplog::Redaction::default().custom(judge);
    let capture = capture_with(hoplog::Client::builder().redaction(redaction)).unwrap();
    let client = capture.client();
    client.install_panic_hook();
    let task = std::thread::spawn(move || {
        let _scope = hoplog::scope().field("odd", 1).guard();
        assert!(catch_unwind(|| panic!("the task's own")).is_err());
        client.info("afterwards").send();
    });
    task.join().unwrap();
    let entries = capture.entries();
    let odd =
        |message: &str| entries.iter().find(|e| e["message"] == message).unwrap()["metadata"]["odd"].clone();
    assert_eq!(
        (odd("the task's own"), odd("afterwards")),
        ("[redaction failed]".into(), "[redacted]".into())
    );
}
