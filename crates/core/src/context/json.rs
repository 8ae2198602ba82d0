//! Values of the application's own types as JSON. Their code is run where it may do as it likes: no lock is held, a panic
//! ends here, and so does what has no end.

use std::io;

use serde::Serialize;

use crate::encode::json;
use crate::error_chain::{error_text, of_values};
use crate::scan;

/// The most bytes of a value: an entry keeps fewer, but masking may make it shorter.
const MOST: usize = 256 * 1024;

/// A value as JSON; one that cannot be serialized, or that is far too long, is replaced by a note that says so.
pub(crate) fn json(value: impl Serialize) -> String {
    let mut json = Vec::with_capacity(64);
    append_json(&mut json, value);
    String::from_utf8(json).unwrap_or_default()
}

/// Likewise, behind what is there.
pub(crate) fn append_json(out: &mut Vec<u8>, value: impl Serialize) {
    let start = out.len();
    let mut room = Room { out, end: start + MOST, full: false };
    let done = of_values(|| serde_json::to_writer(&mut room, &value).map_err(|error| error_text(&error)));
    let note = match done {
        _ if room.full => format!("[left out: more than {MOST} bytes]"),
        Some(Ok(())) => return keep_to_one_line(&mut out[start..]),
        Some(Err(reason)) => format!("[not serializable: {reason}]"),
        None => "[not serializable: it panicked]".into(),
    };
    out.truncate(start);
    json::string(out, &note);
}

/// A raw value keeps its layout, and an entry may have to be one line. In strings line feeds are escaped.
fn keep_to_one_line(json: &mut [u8]) {
    if scan::any(json, |b| (b == b'\n') | (b == b'\r')) {
        json.iter_mut().filter(|b| matches!(b, b'\n' | b'\r')).for_each(|b| *b = b' ');
    }
}

/// Where a value is written, up to an end.
struct Room<'a> {
    out: &'a mut Vec<u8>,
    end: usize,
    full: bool,
}

impl io::Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.full || self.out.len() + bytes.len() > self.end {
            self.full = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_end_is_left_out_and_costs_no_more_than_its_bound() {
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(std::iter::repeat("and so on"))
            }
        }
        assert_eq!(json(Endless), "\"[left out: more than 262144 bytes]\"");
        assert_eq!(json("x".repeat(MOST - 2)).len(), MOST);
        assert!(json("x".repeat(MOST - 1)).contains("left out"));
    }
}
