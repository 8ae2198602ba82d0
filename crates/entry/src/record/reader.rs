//! Reading: borrowed views into bytes that anyone may have written.

use std::fmt;
use std::net::IpAddr;

use super::{FLAG_CUT, HEAD_LEN, MAX_RECORD, NAMED_HEADER, NO_OUTCOME, Type, VERSION};
use crate::{EntryId, Field, Kind, KnownHeader, Level, Outcome, SpanId, TraceId};

/// The bytes are not a record, or not one of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(&'static str);

impl Malformed {
    /// For a reader that could make nothing of a record that is one.
    #[must_use]
    pub const fn because(why: &'static str) -> Self {
        Self(why)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a readable record: {}", self.0)
    }
}

impl std::error::Error for Malformed {}

/// A record in somebody's bytes. Its head has been checked; its fields are checked as they are read.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    kind: Kind,
    level: Level,
    outcome: Option<Outcome>,
    flags: u8,
    id: EntryId,
    created_unix_ns: u64,
    bytes: &'a [u8],
}

/// A field as it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Item<'a> {
    /// A field with a single value.
    Field(Field, Value<'a>),
    /// A request header, once per value; the name is lower-case where the writer kept to that.
    RequestHeader(&'a str, &'a [u8]),
    /// A response header, likewise.
    ResponseHeader(&'a str, &'a [u8]),
    /// A field of the application's own.
    Custom(&'a str, Value<'a>),
}

/// A field as it lies in a record: its value is read when asked for. For readers that can do with the bytes.
#[derive(Debug, Clone, Copy)]
pub struct RawItem<'a> {
    /// Which one.
    pub field: Field,
    ty: u8,
    bytes: &'a [u8],
}

/// The name of a header as it lies in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawName<'a> {
    /// One that has a code.
    Known(KnownHeader),
    /// Any other.
    Named(&'a str),
}

/// A value as it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs)] // the table of types in the module says what each is
pub enum Value<'a> {
    Text(&'a str),
    Uint(u64),
    Int(i64),
    Float(f64),
    Bool(bool),
    Nanos(u64),
    Uuid(EntryId),
    TraceId(TraceId),
    SpanId(SpanId),
    Ip(IpAddr),
    Json(&'a str),
}

impl<'a> Record<'a> {
    /// Reads the record at the start of `bytes`; the second part is what follows it.
    ///
    /// # Errors
    /// Too short, another version, a length that does not fit, an unknown kind, level or outcome.
    pub fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let head = bytes.first_chunk::<HEAD_LEN>().ok_or(Malformed("shorter than a head"))?;
        let [a, b, c, version, kind, level, outcome, flags, rest @ ..] = head;
        if *version != VERSION {
            return Err(Malformed("another version"));
        }
        let len = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        if !(HEAD_LEN..=MAX_RECORD).contains(&len) {
            return Err(Malformed("length out of range"));
        }
        let (record, after) =
            bytes.split_at_checked(len).ok_or(Malformed("longer than the bytes at hand"))?;
        let (id, created) = rest.split_first_chunk::<16>().ok_or(Malformed("shorter than a head"))?;
        let record = Self {
            kind: Kind::from_code(*kind).ok_or(Malformed("unknown kind"))?,
            level: Level::from_code(*level).ok_or(Malformed("unknown level"))?,
            outcome: match *outcome {
                NO_OUTCOME => None,
                code => Some(Outcome::from_code(code).ok_or(Malformed("unknown outcome"))?),
            },
            flags: *flags,
            id: EntryId::from_bytes(*id),
            created_unix_ns: u64::from_le_bytes(array(created)?),
            bytes: record,
        };
        Ok((record, after))
    }

    /// What the entry describes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// How serious it is.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// How it ended, for exchanges.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// When it began, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn created_unix_ns(&self) -> u64 {
        self.created_unix_ns
    }

    /// Whether something was cut or left out to stay within the limits.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.flags & FLAG_CUT != 0
    }

    /// The whole record.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The fields, in order; unknown ones are skipped.
    #[must_use]
    pub fn items(&self) -> Items<'a> {
        Items { rest: self.bytes.get(HEAD_LEN..).unwrap_or_default() }
    }

    /// The last value of one field; `None` if it is absent or unreadable.
    #[must_use]
    pub fn get(&self, field: Field) -> Option<Value<'a>> {
        self.items()
            .filter_map(|item| match item {
                Ok(Item::Field(f, value)) if f == field => Some(value),
                _ => None,
            })
            .last()
    }
}

/// Iterates over a record's fields. After an error it ends.
#[derive(Debug, Clone, Default)]
pub struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let read = match self.next_raw() {
                Ok(None) => return None,
                Ok(Some(raw)) => raw.read(),
                Err(error) => Err(error),
            };
            match read {
                Ok(None) => {}
                Ok(Some(item)) => return Some(Ok(item)),
                Err(error) => {
                    self.rest = &[];
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<'a> Items<'a> {
    /// The next field that this version knows, its value unread.
    ///
    /// # Errors
    /// The bytes end within a field.
    #[inline]
    pub fn next_raw(&mut self) -> Result<Option<RawItem<'a>>, Malformed> {
        while !self.rest.is_empty() {
            let (tag, rest) = self.rest.split_first_chunk::<4>().ok_or(Malformed("a field's tag is cut"))?;
            let tag = u32::from_le_bytes(*tag);
            let (bytes, rest) =
                rest.split_at_checked((tag >> 12) as usize).ok_or(Malformed("a field is cut"))?;
            self.rest = rest;
            if let Some(field) = Field::from_id(tag as u8) {
                return Ok(Some(RawItem { field, ty: (tag >> 8) as u8 & 0xf, bytes }));
            }
        }
        Ok(None)
    }
}

impl<'a> RawItem<'a> {
    /// The bytes of a text, not looked at: whether they are UTF-8 is for the caller to find out. `None` for other types.
    #[inline]
    #[must_use]
    pub fn text(&self) -> Option<&'a [u8]> {
        (self.ty == Type::Text as u8).then_some(self.bytes)
    }

    /// The value of a field that has one and no name; `None` where this version does not know its type.
    ///
    /// # Errors
    /// The bytes are no value of their type.
    #[inline(always)] // see value_of
    pub fn value(&self) -> Result<Option<Value<'a>>, Malformed> {
        value_of(self.ty, self.bytes)
    }

    /// Name and value of a header; `None` where this version does not know the name's code.
    ///
    /// # Errors
    /// The bytes are no header.
    #[inline]
    pub fn header(&self) -> Result<Option<(RawName<'a>, &'a [u8])>, Malformed> {
        let (&code, rest) = self.bytes.split_first().ok_or(Malformed("a header is cut"))?;
        if code != NAMED_HEADER {
            return Ok(KnownHeader::from_code(code).map(|known| (RawName::Known(known), rest)));
        }
        let (&len, rest) = rest.split_first().ok_or(Malformed("a header is cut"))?;
        let (name, value) = rest.split_at_checked(usize::from(len)).ok_or(Malformed("a header is cut"))?;
        Ok(Some((RawName::Named(text(name)?), value)))
    }

    /// Name and value of a field of the application's own; `None` where this version does not know the value's type.
    ///
    /// # Errors
    /// The bytes are no such field.
    #[inline]
    pub fn custom(&self) -> Result<Option<(&'a str, Value<'a>)>, Malformed> {
        let ([ty, len], rest) =
            self.bytes.split_first_chunk::<2>().ok_or(Malformed("a custom field is cut"))?;
        let (name, value) =
            rest.split_at_checked(usize::from(*len)).ok_or(Malformed("a custom field is cut"))?;
        let name = text(name)?;
        Ok(value_of(*ty, value)?.map(|value| (name, value)))
    }

    /// The field with its value.
    #[inline]
    fn read(&self) -> Result<Option<Item<'a>>, Malformed> {
        Ok(match self.field {
            Field::RequestHeader => {
                self.header()?.map(|(name, value)| Item::RequestHeader(name.as_str(), value))
            }
            Field::ResponseHeader => {
                self.header()?.map(|(name, value)| Item::ResponseHeader(name.as_str(), value))
            }
            Field::Custom => self.custom()?.map(|(name, value)| Item::Custom(name, value)),
            field => self.value()?.map(|value| Item::Field(field, value)),
        })
    }
}

impl<'a> RawName<'a> {
    /// The name.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Known(known) => known.as_str(),
            Self::Named(name) => name,
        }
    }
}

/// The value, `None` where this version does not know the type.
#[inline(always)] // who matches on the value does so once
fn value_of(ty: u8, bytes: &[u8]) -> Result<Option<Value<'_>>, Malformed> {
    const TEXT: u8 = Type::Text as u8;
    const UINT: u8 = Type::Uint as u8;
    const INT: u8 = Type::Int as u8;
    const FLOAT: u8 = Type::Float as u8;
    const BOOL: u8 = Type::Bool as u8;
    const NANOS: u8 = Type::Nanos as u8;
    const UUID: u8 = Type::Uuid as u8;
    const TRACE: u8 = Type::TraceId as u8;
    const SPAN: u8 = Type::SpanId as u8;
    const IP: u8 = Type::Ip as u8;
    const JSON: u8 = Type::Json as u8;
    Ok(Some(match ty {
        TEXT => Value::Text(text(bytes)?),
        UINT => Value::Uint(match *bytes {
            [a] => u64::from(a),
            [a, b] => u64::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
            _ => u64::from_le_bytes(array(bytes)?),
        }),
        INT => Value::Int(i64::from_le_bytes(array(bytes)?)),
        FLOAT => Value::Float(f64::from_le_bytes(array(bytes)?)),
        BOOL => match bytes {
            [0] => Value::Bool(false),
            [1] => Value::Bool(true),
            _ => return Err(Malformed("a bool is neither 0 nor 1")),
        },
        NANOS => Value::Nanos(u64::from_le_bytes(array(bytes)?)),
        UUID => Value::Uuid(EntryId::from_bytes(array(bytes)?)),
        TRACE => Value::TraceId(TraceId::from_bytes(array(bytes)?).ok_or(Malformed("an all-zero trace id"))?),
        SPAN => Value::SpanId(SpanId::from_bytes(array(bytes)?).ok_or(Malformed("an all-zero span id"))?),
        IP if bytes.len() == 4 => Value::Ip(IpAddr::from(array::<4>(bytes)?)),
        IP => Value::Ip(IpAddr::from(array::<16>(bytes)?)),
        JSON => Value::Json(text(bytes)?),
        _ => return Ok(None),
    }))
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed("a text is not UTF-8"))
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed("a value of another length than its type"))
}
