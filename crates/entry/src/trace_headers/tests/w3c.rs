//! The cases of the W3C's validation suite for trace context, by rule: headers in, what goes on out.

use super::*;

const T: &str = "12345678901234567890123456789012";
const P: &str = "1234567890123456";

/// What a hop passes on: the trace id, if it is the caller's, and the tracestate.
fn passed_on(lines: &[(&str, &str)]) -> (Option<String>, Option<String>) {
    let Incoming::Continued { trace_id, keep_tracestate, .. } = resolve(lines) else { return (None, None) };
    let states = lines.iter().filter(|(name, _)| *name == "tracestate").map(|(_, value)| value.as_bytes());
    let state = TraceState::combine(states).filter(|_| keep_tracestate).map(|s| s.as_str().to_owned());
    (Some(trace_id.to_string()), state)
}

fn continues(traceparent: &str) -> bool {
    let (trace, _) = passed_on(&[("traceparent", traceparent), ("tracestate", "foo=1")]);
    assert!(trace.as_deref().is_none_or(|trace| trace == T), "a trace of neither side: {traceparent}");
    trace.is_some()
}

/// What becomes of these lines of tracestate beside a valid traceparent, which none of them may harm.
fn tracestate(states: &[&str]) -> Option<String> {
    let parent = format!("00-{T}-{P}-00");
    let lines = [("traceparent", parent.as_str())].into_iter();
    let lines: Vec<_> = lines.chain(states.iter().map(|state| ("tracestate", *state))).collect();
    let (trace, state) = passed_on(&lines);
    assert_eq!(trace.as_deref(), Some(T), "{states:?}");
    state
}

#[test]
fn names_with_a_separator_in_them_are_other_headers() {
    let parent = format!("00-{T}-{P}-01");
    assert_eq!(passed_on(&[("trace-parent", &parent), ("trace.parent", &parent)]), (None, None));
    let lines = [("traceparent", parent.as_str()), ("trace-state", "foo=1"), ("trace.state", "foo=1")];
    assert_eq!(passed_on(&lines), (Some(T.into()), None));
}

#[test]
fn two_traceparents_start_a_trace() {
    let (a, b) = (format!("00-{T}-{P}-01"), format!("00-{}1-{P}-01", &T[..31]));
    assert_eq!(passed_on(&[("traceparent", &a), ("traceparent", &b), ("tracestate", "foo=1")]), (None, None));
}

#[test]
fn a_version_is_known_or_higher_and_never_ff() {
    for (text, goes_on) in [
        (format!("00-{T}-{P}-01"), true),
        (format!("00-{T}-{P}-01."), false),
        (format!("00-{T}-{P}-01-what-the-future-will-be-like"), false),
        (format!("cc-{T}-{P}-01"), true),
        (format!("cc-{T}-{P}-01-what-the-future-will-be-like"), true),
        (format!("cc-{T}-{P}-01.what-the-future-will-be-like"), false),
        (format!("ff-{T}-{P}-01"), false),
        (format!(".0-{T}-{P}-01"), false),
        (format!("0.-{T}-{P}-01"), false),
        (format!("000-{T}-{P}-01"), false),
        (format!("0000-{T}-{P}-01"), false),
        (format!("0-{T}-{P}-01"), false),
    ] {
        assert_eq!(continues(&text), goes_on, "{text}");
    }
}

#[test]
fn ids_and_flags_have_their_length_their_digits_and_are_not_zero() {
    for (trace, parent, flags) in [
        ("0".repeat(32).as_str(), P, "01"),
        (&format!(".{}", &T[1..]), P, "01"),
        (&format!("{}.", &T[..31]), P, "01"),
        (&format!("{T}3"), P, "01"),
        (&T[..31], P, "01"),
        (T, &"0".repeat(16), "01"),
        (T, &format!(".{}", &P[1..]), "01"),
        (T, &format!("{}.", &P[..15]), "01"),
        (T, &format!("{P}7"), "01"),
        (T, &P[..15], "01"),
        (T, P, ".0"),
        (T, P, "0."),
        (T, P, "001"),
        (T, P, "1"),
    ] {
        assert!(!continues(&format!("00-{trace}-{parent}-{flags}")), "00-{trace}-{parent}-{flags}");
    }
}

#[test]
fn a_tracestate_without_a_traceparent_is_dropped() {
    assert_eq!(passed_on(&[("tracestate", "foo=1,bar=2")]), (None, None));
}

#[test]
fn an_empty_tracestate_is_no_member_and_no_fault() {
    assert_eq!(tracestate(&[""]), None);
    assert_eq!(tracestate(&["foo=1", ""]).as_deref(), Some("foo=1"));
    assert_eq!(tracestate(&["", "foo=1"]).as_deref(), Some("foo=1"));
}

#[test]
fn lines_are_joined_in_their_order() {
    let joined = tracestate(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"]);
    assert_eq!(joined.as_deref(), Some("foo=1,bar=2,rojo=1,congo=2,baz=3"));
}

#[test]
fn a_key_that_stands_twice_goes_on_as_it_came() {
    for states in [&["foo=1,foo=1"][..], &["foo=1,foo=2"], &["foo=1", "foo=1"], &["foo=1", "foo=2"]] {
        assert_eq!(tracestate(states), Some(states.join(",")));
    }
}

#[test]
fn every_allowed_character_goes_on() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (b' '..=b'~').filter(|b| !b",=".contains(b)).map(char::from).collect();
    for key in [key.to_owned(), format!("{key}@a-z0-9_-*/")] {
        let list = format!("{key}={value}");
        assert_eq!(tracestate(&[&list]).as_deref(), Some(list.as_str()));
    }
}

#[test]
fn blanks_around_members_are_no_part_of_them() {
    for list in
        ["foo=1 \t , \t bar=2, \t baz=3", "foo=1\t \t,\t \tbar=2,\t \tbaz=3", " foo=1", "\tfoo=1", "foo=1 \t"]
    {
        assert_eq!(tracestate(&[list]).as_deref(), Some(list));
    }
}

#[test]
fn an_illegal_key_or_value_drops_the_list() {
    for list in ["foo =1", "FOO=1", "foo.bar=1", "@foo=1,bar=2", "foo=bar=baz", "foo=,bar=3"] {
        assert_eq!(tracestate(&[list]), None, "{list}");
    }
}

#[test]
fn a_tenant_is_a_part_of_the_key_and_of_its_length() {
    let longest = format!("{}@{}=1", "t".repeat(241), "v".repeat(14));
    for list in ["foo@=1,bar=2", "foo@@bar=1,bar=2", "foo@bar@baz=1,bar=2", &longest] {
        assert_eq!(
            tracestate(&[list]).as_deref(),
            Some(list),
            "level 2 has no rule for the part behind the @"
        );
    }
    assert!(tracestate(&["foo=1", &format!("{}=1", "z".repeat(256))]).is_some());
    assert_eq!(tracestate(&["foo=1", &format!("{}=1", "z".repeat(257))]), None);
    assert_eq!(tracestate(&["foo=1", &format!("{}@{}=1", "t".repeat(241), "v".repeat(15))]), None);
}

#[test]
fn thirty_two_members_go_on_and_thirty_three_do_not() {
    let lines: Vec<String> = [1..=10, 11..=20, 21..=30]
        .into_iter()
        .map(|range| range.map(|i| format!("bar{i:02}={i:02}")).collect::<Vec<_>>().join(","))
        .collect();
    let with = |last: &str| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).chain([last]).collect();
        tracestate(&lines).map(|state| state.split(',').count())
    };
    assert_eq!(with("bar31=31,bar32=32"), Some(32));
    assert_eq!(with("bar31=31,bar32=32,bar33=33"), None);
}
