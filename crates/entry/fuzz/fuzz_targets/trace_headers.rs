//! Any header values resolve without a panic, and what a `traceparent` says is printed as it can be read again.
#![no_main]

use hoplog_entry::trace_headers::{Incoming, IncomingHeaders, TraceParent, TraceState, request_id};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|values: (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>)| {
    let (traceparent, tracestate, x_trace_id, parent) = &values;
    let mut headers = IncomingHeaders::default();
    headers.offer(b"traceparent", traceparent);
    headers.offer(b"x-trace-id", x_trace_id);
    headers.offer(b"x-parent-span-id", parent);
    headers.offer(b"b3", tracestate);
    headers.offer(b"x-b3-traceid", x_trace_id);
    headers.offer(b"x-b3-spanid", parent);
    headers.offer(b"x-b3-sampled", tracestate);
    let _ = Incoming::resolve(&headers);
    let _ = request_id(x_trace_id);
    if let Some(state) = TraceState::combine([tracestate.as_slice(), x_trace_id.as_slice()]) {
        assert!(TraceState::is_valid(state.as_str().as_bytes()));
    }
    if let Ok(read) = TraceParent::parse(traceparent) {
        assert_eq!(TraceParent::parse(&read.to_ascii()), Ok(read));
    }
});
