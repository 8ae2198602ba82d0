//! Who wrote a segment: what all of its entries have in common.

use crate::EntryId;

/// The most bytes of it in a frame. What does not fit is left out, from the attributes' end.
pub(super) const MOST: usize = 16 * 1024;

const SERVICE: u8 = 1;
const ENVIRONMENT: u8 = 2;
const SERVICE_VERSION: u8 = 3;
const LOG_TYPE: u8 = 4;
const HOST: u8 = 5;
const PID: u8 = 6;
const SDK: u8 = 7;
const SDK_VERSION: u8 = 8;
const ATTRIBUTE: u8 = 9;
const ATTRIBUTE_VALUE: u8 = 10;
const BOOT: u8 = 11;
const SEQ: u8 = 12;
const CLOSED: u8 = 13;

/// Where entries stand among those that their process sealed into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The process's `boot_id`.
    pub boot: EntryId,
    /// The `seq` of the first entry; the others follow in their order.
    pub seq: u64,
    /// The process was shut down, and not killed.
    pub closed: bool,
}

/// A process as its entries name it. It stands once per batch, and once per segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The service.
    pub service: String,
    /// Where it runs: `production`.
    pub environment: String,
    /// Its version.
    pub service_version: String,
    /// What kind of program it is: `BACKEND`.
    pub log_type: Option<String>,
    /// The machine.
    pub host: String,
    /// The process id.
    pub pid: u32,
    /// Which SDK wrote the entries.
    pub sdk: String,
    /// Its version.
    pub sdk_version: String,
    /// What else its destination is told of the process: names and values.
    pub attributes: Vec<(String, String)>,
    /// Where the entries stand that were under way in a batch when their process ended; `None`: they had no place yet.
    pub place: Option<Place>,
}

impl Source {
    /// The payload of its frame.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let pid = self.pid.to_string();
        for (what, text) in [
            (SERVICE, &*self.service),
            (ENVIRONMENT, &self.environment),
            (SERVICE_VERSION, &self.service_version),
            (LOG_TYPE, self.log_type.as_deref().unwrap_or_default()),
            (HOST, &self.host),
            (PID, &pid),
            (SDK, &self.sdk),
            (SDK_VERSION, &self.sdk_version),
        ] {
            push(&mut out, what, text);
        }
        if let Some(place) = &self.place {
            push(&mut out, BOOT, &place.boot.to_string());
            push(&mut out, SEQ, &place.seq.to_string());
            push(&mut out, CLOSED, if place.closed { "true" } else { "" });
        }
        for (name, value) in &self.attributes {
            let fits = out.len() + name.len() + value.len() + 6 <= MOST;
            if fits && !name.is_empty() && !value.is_empty() {
                push(&mut out, ATTRIBUTE, name);
                push(&mut out, ATTRIBUTE_VALUE, value);
            }
        }
        out
    }

    /// Reads such a payload. Of a text that this version does not know nothing is kept; what is missing is empty.
    #[must_use]
    pub fn read(mut payload: &[u8]) -> Option<Self> {
        let mut source = Self::default();
        let (mut name, mut boot, mut seq, mut closed) = (None, None, None, false);
        while let Some((what, rest)) = payload.split_first() {
            let (len, rest) = rest.split_first_chunk()?;
            let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
            let text = std::str::from_utf8(text).ok()?.to_owned();
            payload = rest;
            match *what {
                SERVICE => source.service = text,
                ENVIRONMENT => source.environment = text,
                SERVICE_VERSION => source.service_version = text,
                LOG_TYPE => source.log_type = Some(text),
                HOST => source.host = text,
                PID => source.pid = text.parse().unwrap_or_default(),
                SDK => source.sdk = text,
                SDK_VERSION => source.sdk_version = text,
                ATTRIBUTE => name = Some(text),
                ATTRIBUTE_VALUE => source.attributes.extend(name.take().map(|name| (name, text))),
                BOOT => boot = text.parse().ok(),
                SEQ => seq = text.parse().ok(),
                CLOSED => closed = text == "true",
                _ => {}
            }
        }
        source.place = boot.zip(seq).map(|(boot, seq)| Place { boot, seq, closed });
        Some(source)
    }
}

/// An empty text is left out; one that is too long for any of these is cut.
fn push(out: &mut Vec<u8>, what: u8, text: &str) {
    const LONGEST: usize = 1024;
    // Attributes come as long as they are, or not at all.
    let most = if matches!(what, ATTRIBUTE | ATTRIBUTE_VALUE) { MOST } else { LONGEST };
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let text = &text[..end];
    if let Ok(len) = u16::try_from(text.len())
        && len > 0
    {
        out.push(what);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Source {
        Source {
            service: "shop".into(),
            environment: "production".into(),
            service_version: "v1.2.3".into(),
            log_type: Some("WORKER".into()),
            host: "tänk-7".into(),
            pid: 4_711,
            sdk: "hoplog-rust".into(),
            sdk_version: "0.1.0".into(),
            attributes: vec![("k8s.pod.name".into(), "shop-5f".into()), ("zone".into(), "a".into())],
            place: Some(Place { boot: EntryId::from_bytes([7; 16]), seq: 40, closed: true }),
        }
    }

    #[test]
    fn a_source_reads_back_and_every_cut_or_flip_is_another_or_none() {
        let bytes = source().to_bytes();
        assert_eq!(Source::read(&bytes), Some(source()));
        assert_eq!(Source::read(&[]), Some(Source::default()));
        for at in 0..bytes.len() {
            assert_ne!(Source::read(&bytes[..at]), Some(source()), "{at}");
            for flip in [1, 0x80, 0xff] {
                let mut flipped = bytes.clone();
                flipped[at] ^= flip;
                let _ = Source::read(&flipped);
            }
        }
        let mut later = bytes.clone();
        later.extend_from_slice(&[200, 2, 0, b'h', b'i']);
        assert_eq!(Source::read(&later), Some(source()), "what a later version adds is passed over");
    }

    #[test]
    fn a_source_is_bounded_whatever_it_is_made_of() {
        let long = "é".repeat(40_000);
        let attributes = (0..100).map(|i| (format!("name-{i}"), "v".repeat(1_000))).collect();
        let source = Source { service: long, pid: u32::MAX, attributes, ..Source::default() };
        let bytes = source.to_bytes();
        assert!(bytes.len() <= MOST, "{}", bytes.len());
        let read = Source::read(&bytes).unwrap();
        assert_eq!((read.service.len(), read.pid, read.attributes.len()), (1_024, u32::MAX, 15));
        assert!(read.attributes.iter().all(|pair| source.attributes.contains(pair)));
    }
}
