//! Server-sent events, read piece by piece (WHATWG HTML §9.2.6), as far as a collector writes them: lines end in LF.

/// More in one event is no collector's.
const MOST_BYTES: usize = 16 << 20;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// `message` where the sender does not say.
    pub(crate) name: String,
    pub(crate) data: String,
}

/// What has come of the event that is under way.
#[derive(Debug, Default)]
pub(crate) struct Events {
    rest: Vec<u8>,
    name: String,
    data: String,
    id: Option<String>,
    /// The id of the last event that came whole: where to go on after a break.
    pub(crate) last_id: Option<String>,
}

/// What came is no such stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoEvent;

impl Events {
    /// Begins a stream that goes on where this one broke.
    pub(crate) fn anew(&mut self) {
        *self = Self { last_id: self.last_id.take(), ..Self::default() };
    }

    /// The events that this piece completes.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Event>, NoEvent> {
        let mut whole = Vec::new();
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            if self.rest.len() + self.data.len() + part.len() > MOST_BYTES {
                return Err(NoEvent);
            }
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = String::from_utf8(std::mem::take(&mut self.rest)).map_err(|_| NoEvent)?;
                whole.extend(self.line(line.trim_end_matches('\n')));
            }
        }
        Ok(whole)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            self.last_id = self.id.take().or(self.last_id.take());
            let name = if name.is_empty() { "message".to_owned() } else { name };
            return (!data.is_empty()).then_some(Event { name, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "id" => self.id = Some(value.to_owned()),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {} // a comment, or a field that we do not need
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut() {
        let stream = ": hello\n\ndata: {\"a\":1}\n\n:\n\nevent: skipped\ndata: 7\nid: 3\n\nevent: empty\n\ndata: é\ndata:b\n\n";
        let event = |name: &str, data: &str| Event { name: name.to_owned(), data: data.to_owned() };
        let expected = [event("message", "{\"a\":1}"), event("skipped", "7"), event("message", "é\nb")];
        for size in 1..stream.len() {
            let mut events = Events::default();
            let read: Vec<_> =
                stream.as_bytes().chunks(size).flat_map(|piece| events.feed(piece).unwrap()).collect();
            assert_eq!(read, expected, "pieces of {size}");
            assert_eq!(events.last_id.as_deref(), Some("3"));
        }
    }

    #[test]
    fn a_stream_without_end_or_sense_is_refused() {
        let mut events = Events::default();
        let piece = vec![b'a'; 1 << 20];
        let taken = (0..100).take_while(|_| events.feed(&piece).is_ok()).count();
        assert_eq!(taken, 16);
        let mut events = Events::default();
        let taken = (0..100).take_while(|_| {
            events.feed(b"data:").is_ok() && events.feed(&piece[1..]).is_ok() && events.feed(b"\n").is_ok()
        });
        assert!(taken.count() <= 16);
        assert_eq!(Events::default().feed(b"data: \xff\n"), Err(NoEvent));
    }
}
