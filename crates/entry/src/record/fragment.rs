//! Fields by themselves: written once, copied into many records.

use super::{FLAG_CUT, HEAD_LEN, RecordWriter};
use crate::Field;

/// The fields of a record that was begun, without its head: what many records share, in as few bytes as it takes.
///
/// ```
/// use hoplog_entry::{EntryId, Kind, Level, Record, RecordWriter};
///
/// let mut record = RecordWriter::default();
/// record.begin(Kind::Event, EntryId::generate(0), 0);
/// record.custom_json("job", "7");
/// let shared = record.fragment();
/// record.begin(Kind::Event, EntryId::generate(0), 0);
/// record.append_fragment(&shared);
/// let (record, _) = Record::read(record.end(Level::Info, None))?;
/// assert_eq!(record.items().count(), 1);
/// # Ok::<(), hoplog_entry::Malformed>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    bytes: Box<[u8]>,
    /// Something was cut or left out.
    cut: bool,
}

impl Fragment {
    /// Whether there is no field in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes that it takes in a record.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many fields are in it.
    #[must_use]
    pub fn fields(&self) -> usize {
        items(&self.bytes).count()
    }

    /// What `later` says, and besides what this says of other fields.
    #[must_use]
    pub fn overlaid(&self, later: &Self) -> Self {
        let said_again = |item: &[u8]| items(&later.bytes).any(|other| name(other) == name(item));
        let kept = items(&self.bytes).filter(|item| !said_again(item));
        let bytes = kept.chain([&*later.bytes]).flatten().copied().collect();
        Self { bytes, cut: self.cut || later.cut }
    }
}

impl RecordWriter {
    /// The fields written so far.
    #[must_use]
    pub fn fragment(&self) -> Fragment {
        let bytes = self.buf.get(HEAD_LEN..self.len).unwrap_or_default().into();
        Fragment { bytes, cut: self.buf.get(7).is_some_and(|flags| flags & FLAG_CUT != 0) }
    }

    /// Appends every field of a fragment, or none where there is no room for all.
    pub fn append_fragment(&mut self, fragment: &Fragment) {
        self.append_fields(&fragment.bytes, fragment.cut);
    }
}

/// Each field with its tag.
fn items(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let len = 4 + (u32::from_le_bytes(*bytes.first_chunk::<4>()?) >> 12) as usize;
        let (item, rest) = bytes.split_at_checked(len)?;
        bytes = rest;
        Some(item)
    })
}

/// What tells a field from others: its id, and the name of one of the application's own.
fn name(item: &[u8]) -> (u8, &[u8]) {
    match item {
        [id, _, _, _, _, len, rest @ ..] if *id == Field::Custom.id() => {
            (*id, rest.get(..usize::from(*len)).unwrap_or_default())
        }
        [id, ..] => (*id, &[]),
        [] => (0, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EntryId, Item, Kind, Level, Record, Value};

    fn written(write: impl FnOnce(&mut RecordWriter)) -> Fragment {
        let mut record = RecordWriter::default();
        record.begin(Kind::Event, EntryId::from_bytes([0; 16]), 0);
        write(&mut record);
        record.fragment()
    }

    fn read(fragment: &Fragment) -> Vec<String> {
        let mut record = RecordWriter::default();
        record.begin(Kind::Event, EntryId::from_bytes([0; 16]), 0);
        record.append_fragment(fragment);
        let (record, _) = Record::read(record.end(Level::Info, None)).unwrap();
        let item = |item| match item {
            Item::Custom(name, Value::Json(json)) => format!("{name}={json}"),
            Item::Field(field, Value::Text(text)) => format!("{}: {text}", field.name()),
            other => panic!("{other:?}"),
        };
        record.items().map(|read| item(read.unwrap())).collect()
    }

    #[test]
    fn what_is_said_later_takes_the_place_of_what_was_said_of_the_same_name() {
        let first = written(|record| {
            record.custom_json("a", "1");
            record.text(Field::UserId, "bob");
            record.custom_json("ab", "2");
            record.custom_json("", "3");
        });
        let later = written(|record| {
            record.custom_json("a", "[10]");
            record.text(Field::UserId, "eve");
        });
        assert_eq!(read(&first.overlaid(&later)), ["ab=2", "=3", "a=[10]", "user_id: eve"]);
        assert_eq!(first.overlaid(&Fragment::default()), first);
        assert_eq!(Fragment::default().overlaid(&first), first);
        assert_eq!((first.fields(), later.fields(), Fragment::default().fields()), (4, 2, 0));
    }

    #[test]
    fn a_record_without_room_takes_none_of_it() {
        let large = written(|record| record.custom_json("text", &"1".repeat(60 * 1024)));
        let mut record = RecordWriter::default();
        record.begin(Kind::Event, EntryId::from_bytes([0; 16]), 0);
        (0..10).for_each(|_| record.append_fragment(&large));
        let (record, _) = Record::read(record.end(Level::Info, None)).unwrap();
        assert_eq!((record.items().count(), record.is_cut()), (4, true));
        assert!(written(|_| {}).is_empty() && large.len() > 60 * 1024);
    }
}
