//! Properties over arbitrary bytes and over valid headers with one byte changed.

use proptest::prelude::*;

use super::PARENT;
use crate::trace_headers::*;
use crate::{SpanId, TraceId};

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        a in prop::collection::vec(any::<u8>(), 0..200),
        b in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        if let Ok(parent) = TraceParent::parse(&a) {
            prop_assert_eq!(TraceParent::parse(&parent.to_ascii()), Ok(parent));
        }
        if let Some(state) = TraceState::combine([&a[..], &b[..]]) {
            prop_assert!(TraceState::is_valid(state.as_str().as_bytes()));
        }
        if let Some(id) = request_id(&a) {
            prop_assert_eq!(id.as_bytes(), &a[..]);
        }
        let mut headers = IncomingHeaders::default();
        for name in [TRACEPARENT, X_TRACE_ID, X_PARENT_SPAN_ID, "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"] {
            headers.offer(name.as_bytes(), &a);
            headers.offer(&b, &a);
        }
        if let Incoming::Continued { keep_tracestate: true, .. } = Incoming::resolve(&headers) {
            prop_assert!(TraceParent::parse(&a).is_ok());
        }
    }

    #[test]
    fn a_b3_header_says_what_is_in_it_or_nothing(
        t in any::<[u8; 16]>(), s in any::<[u8; 8]>(), short in any::<bool>(),
        state in prop::sample::select(vec!["", "-0", "-1", "-d", "-2", "-"]),
    ) {
        let (Some(trace_id), Some(parent)) = (TraceId::from_bytes(t), SpanId::from_bytes(s)) else { return Ok(()) };
        let hex = trace_id.to_string();
        let text = format!("{}-{parent}{state}", if short { &hex[16..] } else { &hex });
        let mut headers = IncomingHeaders::default();
        headers.offer(b"b3", text.as_bytes());
        match Incoming::resolve(&headers) {
            Incoming::Continued { trace_id, parent_span, flags, .. } => {
                prop_assert!(!matches!(state, "-2" | "-"));
                prop_assert_eq!(&trace_id.to_string()[16..], &hex[16..]);
                prop_assert_eq!(trace_id.to_string() == hex, !short || hex.starts_with("0000000000000000"));
                prop_assert_eq!(parent_span, Some(parent));
                prop_assert_eq!(flags.contains(TraceFlags::SAMPLED), state != "-0");
            }
            Incoming::New { .. } => prop_assert!(matches!(state, "-2" | "-") || t[8..] == [0; 8]),
        }
    }

    #[test]
    fn what_is_printed_reads_back(t in any::<[u8; 16]>(), s in any::<[u8; 8]>(), bits in any::<u8>()) {
        let (Some(trace_id), Some(parent)) = (TraceId::from_bytes(t), SpanId::from_bytes(s)) else { return Ok(()) };
        let printed = TraceParent { trace_id, parent, flags: TraceFlags::from_bits(bits) };
        prop_assert_eq!(TraceParent::parse(&printed.to_ascii()), Ok(printed));
    }

    #[test]
    fn changing_one_byte_gives_what_those_digits_say_or_a_refusal(place in 0usize..55, byte in any::<u8>()) {
        let mut text: [u8; 55] = PARENT.as_bytes().try_into().unwrap();
        text[place] = byte;
        let lower_hex = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let fits = if [2, 35, 52].contains(&place) { byte == b'-' } else { lower_hex };
        match TraceParent::parse(&text) {
            // 55 characters are right for every version, and one digit cannot make `ff` or zeros here.
            Ok(parent) => {
                prop_assert!(fits);
                prop_assert_eq!(&parent.to_ascii()[2..53], &text[2..53]);
            }
            Err(_) => prop_assert!(!fits),
        }
    }

    #[test]
    fn changing_one_byte_of_a_tracestate_leaves_it_as_sent_or_drops_it(place in 0usize..32, byte in any::<u8>()) {
        let mut text = *b"rojo=00f067aa0ba902b7,congo@t=61";
        text[place] = byte;
        match TraceState::combine([&text[..]]) {
            Some(state) => prop_assert_eq!(state.as_str().as_bytes(), &text[..]),
            None => prop_assert!(!TraceState::is_valid(&text)),
        }
    }
}
