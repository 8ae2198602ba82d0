//! Values of the application's own types as JSON. Their code is run where it may do as it likes: no lock is held, a panic
//! ends here, and so does what has no end.

use std::io;

use serde::Serialize;

use crate::error_chain::{error_text, harmless};
use crate::scan;

/// The most bytes of a value: an entry keeps fewer, but masking may make it shorter.
const MOST: usize = 256 * 1024;

/// A value as JSON; one that cannot be serialized, or that is far too long, is replaced by a note that says so.
pub(crate) fn json(value: impl Serialize) -> String {
    String::from_utf8(json_in(Vec::with_capacity(64), value)).unwrap_or_default()
}

/// Likewise, in the memory of an empty buffer, which is given back.
pub(crate) fn json_in(buffer: Vec<u8>, value: impl Serialize) -> Vec<u8> {
    let mut room = Room(Some(buffer));
    let done = harmless(|| serde_json::to_writer(&mut room, &value).map_err(|error| error_text(&error)));
    let note = match (done, room.0) {
        (_, None) => format!("[left out: more than {MOST} bytes]"),
        (Some(Ok(())), Some(json)) => return one_line(json),
        (Some(Err(reason)), _) => format!("[not serializable: {reason}]"),
        (None, _) => "[not serializable: it panicked]".into(),
    };
    serde_json::to_vec(&note).unwrap_or_default()
}

/// A raw value keeps its layout, and an entry may have to be one line. In strings line feeds are escaped.
fn one_line(mut json: Vec<u8>) -> Vec<u8> {
    if scan::any(&json, |b| (b == b'\n') | (b == b'\r')) {
        json.iter_mut().filter(|b| matches!(b, b'\n' | b'\r')).for_each(|b| *b = b' ');
    }
    json
}

/// What was written; `None` once that is too much.
struct Room(Option<Vec<u8>>);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Some(json) if json.len() + bytes.len() <= MOST => {
                json.extend_from_slice(bytes);
                Ok(())
            }
            room => {
                *room = None;
                Err(io::ErrorKind::StorageFull.into())
            }
        }
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
