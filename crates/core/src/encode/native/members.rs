//! The members of an entry, in two ways. A record is written as it is read where each field comes once, and the headers of a
//! side and the application's own fields stand next to each other: all that come from a request. What else a record may hold
//! is gathered first.

use std::ops::Range;

use hoplog_entry::{Field, Items, Kind, KnownHeader, Malformed, RawItem, RawName, Record, Value};

use super::super::entry::{Entry, Summary};
use super::{fragments, json};

/// What is known of an entry while its members are written.
#[derive(Default)]
struct Members {
    /// A bit for each field that was written.
    seen: u64,
    /// Where parts of the message stand.
    summary: Summary<Range<usize>>,
    /// Where the values of headers stand that are members of their own too, where the entry has no such field.
    beside: [Option<Range<usize>>; BESIDE.len()],
}

const BESIDE: [(Field, KnownHeader, Field); 4] = [
    (Field::RequestHeader, KnownHeader::UserAgent, Field::UserAgent),
    (Field::RequestHeader, KnownHeader::Referer, Field::Referer),
    (Field::RequestHeader, KnownHeader::ContentType, Field::ContentType),
    (Field::ResponseHeader, KnownHeader::ContentType, Field::ResponseContentType),
];

/// The headers of `BESIDE`, a bit for each: few are.
const IS_BESIDE: u64 = {
    let (mut bits, mut i) = (0, 0);
    while i < BESIDE.len() {
        bits |= 1 << BESIDE[i].1.code();
        i += 1;
    }
    bits
};

const fn bit(field: Field) -> u64 {
    const { assert!(Field::ALL[Field::ALL.len() - 1].id() < u64::BITS as u8, "a bit for each") };
    1 << field.id()
}

/// Writes each member as it comes. False where the record has to be gathered: what is written is of no use then.
pub(super) fn in_order(out: &mut Vec<u8>, record: &Record<'_>) -> Result<bool, Malformed> {
    // Once for all that most entries take.
    out.reserve(3 * record.bytes().len());
    head(out, record);
    let mut members = Members::default();
    let mut items = record.items();
    loop {
        let here = items.clone();
        let Some(item) = items.next_raw()? else { break };
        if members.seen & bit(item.field) != 0 {
            return Ok(false);
        }
        match item.field {
            side @ (Field::RequestHeader | Field::ResponseHeader) => {
                items = members.run_of_headers(out, side, here)?;
            }
            Field::Custom => {
                let Some(behind) = run_of_custom(out, here)? else { return Ok(false) };
                items = behind;
                members.seen |= bit(Field::Custom);
            }
            _ => members.field(out, &item)?,
        }
    }
    members.end(out, record);
    Ok(true)
}

/// Writes the members of any record, the last one of each field.
pub(super) fn gathered(out: &mut Vec<u8>, entry: &Entry<'_>) {
    head(out, &entry.record);
    let mut members = Members::default();
    for (field, value) in entry.fields() {
        match value {
            Value::Text(text) => members.text(out, field, text.as_bytes()).unwrap_or(()),
            value => members.value(out, field, value),
        }
    }
    members.all_headers(out, Field::RequestHeader, entry.request_headers());
    members.all_headers(out, Field::ResponseHeader, entry.response_headers());
    let mut first = true;
    for (name, value) in entry.custom() {
        custom(out, first, name, value);
        first = false;
    }
    if !first {
        out.push(b'}');
    }
    members.end(out, &entry.record);
}

fn head(out: &mut Vec<u8>, record: &Record<'_>) {
    out.extend_from_slice(b"\"id\":");
    json::quoted(out, &record.id().to_ascii());
    fragments::kind(record.kind()).write(out);
    fragments::level(record.level()).write(out);
    out.extend_from_slice(b",\"created_at\":");
    json::seconds(out, record.created_unix_ns());
    if let Some(outcome) = record.outcome() {
        fragments::outcome(outcome).write(out);
    }
}

impl Members {
    /// A field that has one value and no name.
    #[inline]
    fn field(&mut self, out: &mut Vec<u8>, item: &RawItem<'_>) -> Result<(), Malformed> {
        match item.text() {
            Some(text) => self.text(out, item.field, text)?,
            None => {
                if let Some(value) = item.value()? {
                    self.value(out, item.field, value);
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn text(&mut self, out: &mut Vec<u8>, field: Field, text: &[u8]) -> Result<(), Malformed> {
        fragments::key(field).write(out);
        let from = out.len() + 1;
        if !json::utf8(out, text) {
            return Err(Malformed::because("a text is not UTF-8"));
        }
        self.seen |= bit(field);
        let place = Some(from..out.len() - 1);
        match field {
            Field::Method => self.summary.method = place,
            Field::Path => self.summary.path = place,
            Field::Route => self.summary.route = place,
            _ => {}
        }
        Ok(())
    }

    #[inline]
    fn value(&mut self, out: &mut Vec<u8>, field: Field, value: Value<'_>) {
        fragments::key(field).write(out);
        json::value(out, value);
        self.seen |= bit(field);
        if let (Field::StatusCode, Value::Uint(n)) = (field, value) {
            self.summary.status = Some(n);
        }
    }

    /// The headers that stand next to each other from here on; returns what is behind them.
    fn run_of_headers<'a>(
        &mut self,
        out: &mut Vec<u8>,
        side: Field,
        mut items: Items<'a>,
    ) -> Result<Items<'a>, Malformed> {
        let mut last = None;
        loop {
            let here = items.clone();
            match items.next_raw()? {
                Some(item) if item.field == side => {
                    if let Some((name, value)) = item.header()? {
                        self.header(out, side, last, name, value);
                        last = Some(name);
                    }
                }
                _ => {
                    end_of_headers(out, last);
                    self.seen |= bit(side);
                    return Ok(here);
                }
            }
        }
    }

    fn all_headers<'a>(
        &mut self,
        out: &mut Vec<u8>,
        side: Field,
        all: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) {
        let mut last = None;
        for (name, value) in all {
            let name = KnownHeader::from_name(name).map_or(RawName::Named(name), RawName::Known);
            self.header(out, side, last, name, value);
            last = Some(name);
        }
        end_of_headers(out, last);
    }

    /// `,"request_headers":{"name":["value",…],…`; values of one name come next to each other.
    #[inline]
    fn header(
        &mut self,
        out: &mut Vec<u8>,
        side: Field,
        last: Option<RawName<'_>>,
        name: RawName<'_>,
        value: &[u8],
    ) {
        if last == Some(name) {
            out.push(b',');
        } else {
            match last {
                Some(_) => out.extend_from_slice(b"],"),
                None => {
                    fragments::key(side).write(out);
                    out.push(b'{');
                }
            }
            match name {
                RawName::Known(known) => fragments::header(known).write(out),
                RawName::Named(name) => {
                    json::string(out, name);
                    out.extend_from_slice(b":[");
                }
            }
        }
        let from = out.len();
        json::lossy(out, value);
        if let RawName::Known(known) = name
            && IS_BESIDE & 1 << known.code() != 0
        {
            self.said_again(side, known, from..out.len());
        }
    }

    /// Of a request the last value counts, of a response the first.
    fn said_again(&mut self, side: Field, name: KnownHeader, place: Range<usize>) {
        for (beside, (of, header, _)) in self.beside.iter_mut().zip(BESIDE) {
            if (of, header) == (side, name) && (side == Field::RequestHeader || beside.is_none()) {
                *beside = Some(place.clone());
            }
        }
    }

    /// What is said of an entry's other members, where it has no word of its own for it.
    fn end(self, out: &mut Vec<u8>, record: &Record<'_>) {
        let has = |field| self.seen & bit(field) != 0;
        if !has(Field::Message) && matches!(record.kind(), Kind::Request | Kind::Outgoing | Kind::Running) {
            fragments::key(Field::Message).write(out);
            out.push(b'"');
            self.summary.write(out, record.outcome(), |out, place| out.extend_from_within(place));
            out.push(b'"');
        }
        for (place, (_, _, field)) in self.beside.into_iter().zip(BESIDE) {
            if let Some(place) = place.filter(|_| !has(field)) {
                fragments::key(field).write(out);
                out.extend_from_within(place);
            }
        }
    }
}

fn end_of_headers(out: &mut Vec<u8>, last: Option<RawName<'_>>) {
    if last.is_some() {
        out.extend_from_slice(b"]}");
    }
}

/// The application's own fields that stand next to each other from here on; returns what is behind them, or nothing
/// where a name comes again.
fn run_of_custom<'a>(out: &mut Vec<u8>, mut items: Items<'a>) -> Result<Option<Items<'a>>, Malformed> {
    let mut names = Names::default();
    loop {
        let here = items.clone();
        let Some(item) = items.next_raw()?.filter(|item| item.field == Field::Custom) else {
            if names.count > 0 {
                out.push(b'}');
            }
            return Ok(Some(here));
        };
        let Some((name, value)) = item.custom()? else { continue };
        if !names.is_new(name) {
            return Ok(None);
        }
        custom(out, names.count == 1, name, value);
    }
}

/// The hashes of names, each in the first free place from its own on. Two names that have one are taken for the same:
/// then the record is gathered, where names themselves are compared.
struct Names {
    hashes: [u32; Self::PLACES],
    count: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self { hashes: [0; Self::PLACES], count: 0 }
    }
}

impl Names {
    /// Twice as many as an entry of the logger has fields.
    const PLACES: usize = 512;

    /// False too where there is no place for more.
    fn is_new(&mut self, name: &str) -> bool {
        // FNV-1a; 0 is a free place.
        let hash =
            name.bytes().fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193)) | 1;
        let mut place = (hash >> 1) as usize % Self::PLACES;
        while self.hashes[place] != 0 {
            if self.hashes[place] == hash {
                return false;
            }
            place = (place + 1) % Self::PLACES;
        }
        self.hashes[place] = hash;
        self.count += 1;
        self.count <= Self::PLACES / 2
    }
}

/// `,"metadata":{"name":value`
#[inline]
fn custom(out: &mut Vec<u8>, first: bool, name: &str, value: Value<'_>) {
    out.extend_from_slice(if first { b",\"metadata\":{" } else { b"," });
    json::string(out, name);
    out.push(b':');
    json::value(out, value);
}
