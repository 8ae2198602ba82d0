//! The values of `x-trace-id` and `x-request-id` on a response, without an allocation each: slices of a block that serves
//! many responses, and that is used again when the last of them is written.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use hoplog_entry::KnownHeader;

/// Fits sixty responses' ids.
const BLOCK: usize = 4096;

thread_local! {
    static BLOCK_IN_USE: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Two texts that stand one behind the other, the second from `split` on; at most 256 bytes.
#[inline(always)] // at its one place
pub(super) fn slices(text: &[u8], split: usize) -> [Bytes; 2] {
    let shared = BLOCK_IN_USE.try_with(|block| {
        let mut block = block.borrow_mut();
        if block.capacity() < text.len() {
            block.reserve(BLOCK);
        }
        block.extend_from_slice(text);
        block.split().freeze()
    });
    let mut second = shared.unwrap_or_else(|_| Bytes::copy_from_slice(text));
    let first = second.split_to(split);
    [first, second]
}

/// Takes note of a header that is one of the two.
#[inline(always)] // asked of every header of a response
pub(super) fn note([trace_id, request_id]: &mut [bool; 2], name: Option<KnownHeader>) {
    match name {
        Some(KnownHeader::XTraceId) => *trace_id = true,
        Some(KnownHeader::XRequestId) => *request_id = true,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_used_again_when_nobody_holds_a_slice_of_it() {
        let place = |held: &[Bytes; 2]| held[0].as_ptr() as usize;
        let kept = slices(b"trace-request", 5);
        assert_eq!(kept, [&b"trace"[..], b"-request"]);
        let of_block = |ptr: usize| (place(&kept)..place(&kept) + BLOCK).contains(&ptr);
        // One slice of the first block is held until it is full: the next block is another one.
        let filling: Vec<_> = (0..BLOCK / 13).map(|_| slices(b"trace-request", 5)).collect();
        assert!(of_block(place(&filling[0])));
        let next = place(filling.last().unwrap());
        assert!(!of_block(next), "a slice of it is held");
        assert_eq!(kept, [&b"trace"[..], b"-request"], "what is held stays as it is");
        drop(filling);
        // Nothing of that one is held: it begins anew.
        let places: Vec<usize> = (0..2 * BLOCK / 13).map(|_| place(&slices(b"trace-request", 5))).collect();
        assert!(places.iter().all(|&at| at.abs_diff(next) < BLOCK), "one block is enough");
    }
}
