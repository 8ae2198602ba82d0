//! B3, single and multiple: one test per sentence of its rules.

use super::*;

const SHORT: &str = "a3ce929d0e0e4736";
const PADDED: &str = "0000000000000000a3ce929d0e0e4736";
const OTHER: &str = "11111111111111111111111111111111";

fn continued(trace_id: &str, flags: TraceFlags) -> Incoming<'static> {
    Incoming::Continued {
        trace_id: TraceId::parse_strict(trace_id.as_bytes()).unwrap(),
        parent_span: Some(span()),
        flags,
        keep_tracestate: false,
        opaque: None,
    }
}

fn unsampled() -> Incoming<'static> {
    Incoming::New { flags: TraceFlags::RANDOM, opaque: None }
}

#[test]
fn the_single_header_carries_trace_span_and_sampling_state() {
    let (yes, no) = (TraceFlags::SAMPLED, TraceFlags::default());
    let upper = format!("{}-{SPAN}", TRACE.to_uppercase());
    let table = [
        (format!("{TRACE}-{SPAN}"), continued(TRACE, yes)), // nobody decided yet
        (format!("{TRACE}-{SPAN}-1"), continued(TRACE, yes)),
        (format!("{TRACE}-{SPAN}-d"), continued(TRACE, yes)),
        (format!("{TRACE}-{SPAN}-0"), continued(TRACE, no)),
        (format!("{TRACE}-{SPAN}-0-{SHORT}"), continued(TRACE, no)),
        (format!("{SHORT}-{SPAN}-1"), continued(PADDED, yes)),
        (upper, continued(TRACE, yes)),
        ("0".into(), unsampled()),
        ("1".into(), Incoming::NONE),
        ("d".into(), Incoming::NONE),
    ];
    for (text, expected) in table {
        assert_eq!(resolve(&[("b3", &text)]), expected, "{text}");
    }
}

#[test]
fn a_single_header_that_breaks_the_form_says_nothing() {
    let zeros = "0".repeat(32);
    for text in [
        String::new(),
        "2".into(),
        "-".into(),
        TRACE.into(),
        format!("{TRACE}-"),
        format!("-{SPAN}-1"),
        format!("{TRACE}-{SPAN}-"),
        format!("{TRACE}-{SPAN}-2"),
        format!("{TRACE}-{SPAN}-1-"),
        format!("{TRACE}-{SPAN}-1-xyz"),
        format!("{TRACE}-{SPAN}-1-{SHORT}-1"),
        format!("{TRACE}-{}-1", &SPAN[1..]),
        format!("{}-{SPAN}-1", &TRACE[1..]),
        format!("{zeros}-{SPAN}-1"),
        format!("{}-{SPAN}-1", &zeros[..16]),
        format!("{TRACE}-{}-1", &zeros[..16]),
        format!("{}-{SPAN}-1", TRACE.replacen('4', "g", 1)),
        format!(" {TRACE}-{SPAN}"),
    ] {
        assert_eq!(resolve(&[("b3", &text)]), Incoming::NONE, "{text:?}");
    }
    let twice = format!("{TRACE}-{SPAN}-1");
    assert_eq!(resolve(&[("b3", &twice), ("b3", &twice)]), Incoming::NONE);
}

#[test]
fn the_multiple_headers_say_the_same_in_parts() {
    let (trace, span_id) = (("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN));
    let (yes, no) = (continued(TRACE, TraceFlags::SAMPLED), continued(TRACE, TraceFlags::default()));
    assert_eq!(resolve(&[trace, span_id]), yes);
    assert_eq!(resolve(&[trace, span_id, ("x-b3-sampled", "1")]), yes);
    assert_eq!(resolve(&[trace, span_id, ("x-b3-sampled", "true")]), yes);
    assert_eq!(resolve(&[trace, span_id, ("x-b3-sampled", "0")]), no);
    assert_eq!(resolve(&[trace, span_id, ("x-b3-sampled", "false")]), no);
    assert_eq!(resolve(&[trace, span_id, ("x-b3-sampled", "maybe")]), yes, "that decides nothing");
    let debug = [trace, span_id, ("x-b3-flags", "1"), ("x-b3-sampled", "0")];
    assert_eq!(resolve(&debug), yes, "debug implies sampled");
    assert_eq!(
        resolve(&[("x-b3-traceid", SHORT), span_id, ("x-b3-parentspanid", SHORT)]),
        continued(PADDED, TraceFlags::SAMPLED)
    );
}

#[test]
fn without_both_ids_only_the_decision_counts() {
    assert_eq!(resolve(&[("x-b3-sampled", "0")]), unsampled());
    assert_eq!(resolve(&[("x-b3-sampled", "0"), ("x-b3-traceid", TRACE)]), unsampled());
    assert_eq!(resolve(&[("x-b3-sampled", "0"), ("x-b3-spanid", SPAN)]), unsampled());
    assert_eq!(resolve(&[("x-b3-traceid", TRACE), ("x-b3-spanid", "short")]), Incoming::NONE);
    let lines = [("b3", "0"), ("x-trace-id", OTHER)];
    let Incoming::Continued { trace_id, flags, .. } = resolve(&lines) else { panic!("a trace id is there") };
    assert_eq!((trace_id.to_string().as_str(), flags), (OTHER, TraceFlags::default()));
}

#[test]
fn traceparent_goes_before_b3_and_b3_single_before_multiple_and_both_before_x_trace_id() {
    let single = format!("{OTHER}-{SPAN}-0");
    let (b3, trace_id) = (("b3", single.as_str()), ("x-trace-id", "22222222222222222222222222222222"));
    let multiple = [("x-b3-traceid", PADDED), ("x-b3-spanid", SPAN)];
    let all = [trace_id, multiple[0], multiple[1], b3, ("traceparent", PARENT)];
    let trace_of = |lines: &[(&str, &str)]| match resolve(lines) {
        Incoming::Continued { trace_id, .. } => trace_id.to_string(),
        Incoming::New { .. } => panic!("a trace is there"),
    };
    assert_eq!(trace_of(&all), TRACE);
    assert_eq!(trace_of(&all[..4]), OTHER);
    assert_eq!(trace_of(&all[..3]), PADDED);
    assert_eq!(trace_of(&all[..1]), trace_id.1);
    let invalid = [trace_id, multiple[0], multiple[1], ("b3", "x"), ("traceparent", "x")];
    assert_eq!(trace_of(&invalid), PADDED, "what is invalid counts as missing");
}

#[test]
fn an_opaque_x_trace_id_travels_beside_a_b3_trace() {
    let single = format!("{TRACE}-{SPAN}-1");
    let Incoming::Continued { opaque, keep_tracestate, .. } =
        resolve(&[("b3", &single), ("x-trace-id", "order-1"), ("tracestate", "a=1")])
    else {
        panic!("a trace is there")
    };
    assert_eq!((opaque, keep_tracestate), (Some("order-1"), false));
}
