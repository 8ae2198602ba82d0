//! One test per sentence of the rules.

use super::*;
use crate::{SpanId, TraceId};

mod b3;
mod properties;
mod w3c;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn trace() -> TraceId {
    TraceId::parse_strict(TRACE.as_bytes()).unwrap()
}

fn span() -> SpanId {
    SpanId::parse_strict(SPAN.as_bytes()).unwrap()
}

fn resolve<'a>(lines: &[(&str, &'a str)]) -> Incoming<'a> {
    let mut headers = IncomingHeaders::default();
    for (name, value) in lines {
        headers.offer(name.as_bytes(), value.as_bytes());
    }
    Incoming::resolve(&headers)
}

mod traceparent {
    use super::*;

    #[test]
    fn the_usual_form_is_read_and_printed_back() {
        let parent = TraceParent::parse(PARENT.as_bytes()).unwrap();
        assert_eq!(parent, TraceParent { trace_id: trace(), parent: span(), flags: TraceFlags::SAMPLED });
        assert_eq!(parent.to_ascii(), PARENT.as_bytes());
        assert_eq!(parent.to_string(), PARENT);
    }

    #[test]
    fn flags_keep_the_sampled_and_the_random_bit_and_lose_the_rest() {
        let table = [
            ("00", 0),
            ("01", 1),
            ("02", 2),
            ("03", 3),
            ("04", 0),
            ("fc", 0),
            ("fd", 1),
            ("fe", 2),
            ("ff", 3),
        ];
        for (flags, bits) in table {
            let parent = TraceParent::parse(format!("00-{TRACE}-{SPAN}-{flags}").as_bytes()).unwrap();
            assert_eq!(parent.flags.bits(), bits, "{flags}");
            assert_eq!(parent.to_string(), format!("00-{TRACE}-{SPAN}-0{bits}"));
        }
        assert_eq!(TraceFlags::from_bits(3), TraceFlags::SAMPLED | TraceFlags::RANDOM);
        assert!(TraceFlags::from_bits(3).contains(TraceFlags::RANDOM));
        assert!(!TraceFlags::SAMPLED.contains(TraceFlags::RANDOM));
        assert_eq!(TraceFlags::default().bits(), 0);
    }

    #[test]
    fn a_higher_version_counts_up_to_its_55th_character_and_goes_on_as_version_00() {
        for version in ["01", "02", "cc", "fe"] {
            for rest in ["", "-", "-what-the-future-will-be-like", "-.!\u{fe}"] {
                let text = format!("{version}-{TRACE}-{SPAN}-01{rest}");
                let parent = TraceParent::parse(text.as_bytes()).expect(&text);
                assert_eq!(parent.to_string(), PARENT);
            }
            for rest in [".", "0", "what", " -"] {
                let text = format!("{version}-{TRACE}-{SPAN}-01{rest}");
                assert!(TraceParent::parse(text.as_bytes()).is_err(), "{text}");
            }
        }
    }

    #[test]
    fn everything_else_is_refused_and_the_reason_names_the_part() {
        let zeros = "0".repeat(32);
        let table = [
            (String::new(), "shorter"),
            ("00".into(), "shorter"),
            (PARENT[..54].into(), "shorter"),
            (format!("{PARENT}-"), "longer"),
            (format!("{PARENT}0"), "longer"),
            (format!("{PARENT}-what"), "longer"),
            (format!("{PARENT} "), "longer"),
            (format!(" {PARENT}"), "hyphen"),
            (format!("ff-{TRACE}-{SPAN}-01"), "version ff"),
            (format!("ff-{TRACE}-{SPAN}-01-x"), "version ff"),
            (format!("FF-{TRACE}-{SPAN}-01"), "hex digits"),
            (format!("0x-{TRACE}-{SPAN}-01"), "hex digits"),
            (format!("00-{TRACE}-{SPAN}-0A"), "hex digits"),
            (format!("00-{TRACE}-{SPAN}-.0"), "hex digits"),
            (format!("00-{}-{SPAN}-01", TRACE.to_uppercase()), "hex digits"),
            (format!("00-{}-{SPAN}-01", TRACE.replacen('4', "g", 1)), "hex digits"),
            (format!("00-{zeros}-{SPAN}-01"), "trace id"),
            (format!("00-{TRACE}-{}-01", SPAN.to_uppercase()), "hex digits"),
            (format!("00-{TRACE}-{}-01", &zeros[..16]), "span id"),
            (PARENT.replace('-', "_"), "hyphen"),
            (format!("00-{TRACE}{SPAN}--01"), "hyphen"),
            ("é".repeat(28), "hyphen"),
        ];
        for (text, reason) in table {
            let error = TraceParent::parse(text.as_bytes()).expect_err(&text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}

mod tracestate {
    use super::*;

    fn combine(lines: &[&str]) -> Option<String> {
        TraceState::combine(lines.iter().map(|l| l.as_bytes())).map(|s| s.as_str().to_owned())
    }

    #[test]
    fn valid_lists_go_on_byte_for_byte() {
        let key_256 = format!("{}=1", "k".repeat(256));
        let value_256 = format!("k={}", "v".repeat(256));
        let full = (0..32).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        let table = [
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
            "fw529a3039@dt=FfffffffC000",
            "0tenant@system=1",
            "a@b@c=1",
            "z/*-_9=x",
            "foo=1 \t , \t bar=2",
            " foo=1\t",
            "foo=1,,bar=2,",
            ",foo=1",
            "foo= leading and inner blanks",
            "foo=!\"#$%&'()*+-./09:;<>?@AZ[\\]^_`az{|}~",
            &key_256,
            &value_256,
            &full,
        ];
        for text in table {
            assert!(TraceState::is_valid(text.as_bytes()), "{text}");
            assert_eq!(combine(&[text]).as_deref(), Some(text));
        }
    }

    #[test]
    fn one_fault_drops_the_list() {
        let key_257 = format!("{}=1", "k".repeat(257));
        let value_257 = format!("k={}", "v".repeat(257));
        let too_many = (0..33).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join(",");
        let too_long = (0..32).map(|i| format!("k{i}={}", "v".repeat(256))).collect::<Vec<_>>().join(",");
        let table = [
            "foo",
            "=1",
            "foo=",
            "foo=1,bar=",
            "foo=bar=baz",
            "Foo=1",
            "foo.bar=1",
            "foo =1",
            " foo bar=1",
            "_foo=1",
            "@foo=1",
            "-foo=1",
            "foo=1;bar=2", // the semicolon may stand in a value, the equals sign behind it may not
            "foo=a\tb",
            "foo=\u{7f}",
            "foo=é",
            "foo=1\nbar=2",
            &key_257,
            &value_257,
            &too_many,
            &too_long,
        ];
        for text in table {
            assert!(!TraceState::is_valid(text.as_bytes()), "{text}");
            assert_eq!(combine(&[text]), None, "{text}");
        }
    }

    #[test]
    fn several_lines_are_joined_in_their_order() {
        assert_eq!(combine(&["foo=1", "bar=2", "baz=3,q=4"]).unwrap(), "foo=1,bar=2,baz=3,q=4");
        assert_eq!(combine(&["foo=1", "", " \t", "bar=2"]).unwrap(), "foo=1,bar=2");
        assert_eq!(combine(&["foo=1", "foo=2"]).unwrap(), "foo=1,foo=2", "a key twice is not ours to judge");
        assert_eq!(combine(&["foo=1", "bar"]), None, "one line at fault");
        let half = (0..16).map(|i| format!("k{i}={}", "v".repeat(250))).collect::<Vec<_>>().join(",");
        assert!(combine(&[&half]).is_some());
        assert_eq!(combine(&[&half, &half.replace('k', "l"), "m=1"]), None, "past 8 KiB");
    }

    #[test]
    fn no_members_are_no_tracestate() {
        assert_eq!(combine(&[]), None);
        assert_eq!(combine(&[""]), None);
        assert_eq!(combine(&[" ", "\t"]), None);
    }

    #[test]
    fn a_single_line_is_borrowed_and_can_be_kept() {
        let line = "foo=1".to_owned();
        let state = TraceState::combine([line.as_bytes()]).unwrap();
        assert!(std::ptr::eq(state.as_str(), line.as_str()));
        let kept = state.into_owned();
        drop(line);
        assert_eq!(kept.as_str(), "foo=1");
    }
}

mod ids {
    use super::*;

    #[test]
    fn an_x_trace_id_is_a_trace_id_in_hex_or_as_a_uuid() {
        for text in [
            TRACE,
            "4BF92F3577B34DA6A3CE929D0E0E4736",
            "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
            "4BF92F35-77B3-4DA6-A3CE-929D0E0E4736",
        ] {
            assert_eq!(XTraceId::parse(text.as_bytes()), Some(XTraceId::Trace(trace())), "{text}");
        }
    }

    #[test]
    fn any_other_visible_id_is_opaque() {
        let longest = "x".repeat(128);
        for text in [
            "1",
            "order-4711/retry#2",
            "1-5759e988-bd862e3fe1be46a994272793",
            "4bf92f3577b34da6",
            "00000000000000000000000000000000",
            "00000000-0000-0000-0000-000000000000",
            "4bf92f3577b34da6a3ce929d0e0e473g",
            "4bf92f35-77b34da6-a3ce-929d0e0e47-36",
            &longest,
        ] {
            assert_eq!(XTraceId::parse(text.as_bytes()), Some(XTraceId::Opaque(text)), "{text}");
            assert_eq!(request_id(text.as_bytes()), Some(text));
        }
    }

    #[test]
    fn what_could_break_out_of_a_header_or_a_log_line_is_ignored() {
        let too_long = "x".repeat(129);
        for text in
            ["", "a b", "a,b", "\"a\"", "it's", "a\tb", "a\r\nb", "\u{1b}[31m", "é", "\u{7f}", &too_long]
        {
            assert_eq!(XTraceId::parse(text.as_bytes()), None, "{text:?}");
            assert_eq!(request_id(text.as_bytes()), None, "{text:?}");
        }
    }
}

mod precedence {
    use super::*;

    const OTHER: &str = "11111111111111111111111111111111";

    fn by_traceparent(opaque: Option<&str>) -> Incoming<'_> {
        Incoming::Continued {
            trace_id: trace(),
            parent_span: Some(span()),
            flags: TraceFlags::SAMPLED,
            keep_tracestate: true,
            opaque,
        }
    }

    fn by_x_trace_id(parent_span: Option<SpanId>) -> Incoming<'static> {
        Incoming::Continued {
            trace_id: TraceId::parse_strict(OTHER.as_bytes()).unwrap(),
            parent_span,
            flags: TraceFlags::SAMPLED,
            keep_tracestate: false,
            opaque: None,
        }
    }

    #[test]
    fn traceparent_goes_before_x_trace_id_and_its_parent_span() {
        let all = [("x-trace-id", OTHER), ("x-parent-span-id", "2222222222222222"), ("traceparent", PARENT)];
        assert_eq!(resolve(&all), by_traceparent(None));
    }

    #[test]
    fn an_opaque_id_travels_beside_the_trace_that_was_started_for_it() {
        assert_eq!(
            resolve(&[("traceparent", PARENT), ("x-trace-id", "order-1")]),
            by_traceparent(Some("order-1"))
        );
        assert_eq!(
            resolve(&[("x-trace-id", "order-1")]),
            Incoming::New { flags: TraceFlags::of_new_trace(), opaque: Some("order-1") }
        );
    }

    #[test]
    fn x_trace_id_and_x_parent_span_id_are_read_where_no_traceparent_is() {
        assert_eq!(resolve(&[("x-trace-id", OTHER)]), by_x_trace_id(None));
        assert_eq!(
            resolve(&[("x-trace-id", OTHER), ("x-parent-span-id", "00F067AA0BA902B7")]),
            by_x_trace_id(Some(span()))
        );
        for bad in ["", "00f067aa0ba902b", "00f067aa0ba902b77", "0000000000000000", "zzzzzzzzzzzzzzzz"] {
            assert_eq!(
                resolve(&[("x-trace-id", OTHER), ("x-parent-span-id", bad)]),
                by_x_trace_id(None),
                "{bad}"
            );
        }
    }

    #[test]
    fn nothing_usable_starts_a_trace() {
        let new = Incoming::NONE;
        assert_eq!(resolve(&[]), new);
        assert_eq!(resolve(&[("traceparent", ""), ("tracestate", "foo=1")]), new);
        assert_eq!(resolve(&[("x-parent-span-id", SPAN)]), new, "a parent span without a trace");
        assert_eq!(resolve(&[("x-trace-id", "two words")]), new);
        assert_eq!(resolve(&[("x-request-id", TRACE), ("accept", PARENT)]), new);
    }

    #[test]
    fn an_invalid_traceparent_counts_as_missing() {
        let bad = PARENT.to_uppercase();
        assert_eq!(resolve(&[("traceparent", &bad)]), Incoming::NONE);
        assert_eq!(resolve(&[("traceparent", &bad), ("x-trace-id", OTHER)]), by_x_trace_id(None));
    }

    #[test]
    fn a_header_that_came_twice_says_nothing() {
        assert_eq!(resolve(&[("traceparent", PARENT), ("traceparent", PARENT)]), Incoming::NONE);
        assert_eq!(
            resolve(&[("traceparent", PARENT), ("x-trace-id", OTHER), ("traceparent", PARENT)]),
            by_x_trace_id(None)
        );
        assert_eq!(resolve(&[("x-trace-id", OTHER), ("x-trace-id", "b")]), Incoming::NONE);
        let spans = [("x-trace-id", OTHER), ("x-parent-span-id", SPAN), ("x-parent-span-id", SPAN)];
        assert_eq!(resolve(&spans), by_x_trace_id(None));
    }
}
