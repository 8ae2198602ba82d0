//! A record as encoders look at it that write its fields in an order of their own.

use std::collections::HashSet;

use crate::failpoint;
use hoplog_entry::{Field, Item, Items, Kind, Malformed, Outcome, Record, Value};

/// One more than the largest id of a field.
const FIELDS: usize = {
    let mut most = 0;
    let mut i = 0;
    while i < Field::ALL.len() {
        if Field::ALL[i].id() as usize > most {
            most = Field::ALL[i].id() as usize;
        }
        i += 1;
    }
    most + 1
};

/// Every field by its id, the last value of each; headers and the application's own fields stay in the record.
pub(crate) struct Entry<'a> {
    pub(crate) record: Record<'a>,
    fields: [Option<Value<'a>>; FIELDS],
    request_headers: Run<'a>,
    response_headers: Run<'a>,
    custom: Run<'a>,
}

/// Where items of a kind begin, and how many there are.
#[derive(Clone, Default)]
struct Run<'a> {
    from: Option<Items<'a>>,
    count: usize,
}

impl<'a> Run<'a> {
    fn found(&mut self, here: Items<'a>) {
        self.from.get_or_insert(here);
        self.count += 1;
    }

    fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        // Read once already, and then they were good.
        self.from.clone().into_iter().flatten().filter_map(Result::ok)
    }
}

impl<'a> Entry<'a> {
    pub(crate) fn read(record: &Record<'a>) -> Result<Self, Malformed> {
        failpoint::encode(record);
        let mut entry = Self {
            record: *record,
            fields: [None; FIELDS],
            request_headers: Run::default(),
            response_headers: Run::default(),
            custom: Run::default(),
        };
        let mut items = record.items();
        loop {
            let here = items.clone();
            match items.next().transpose()? {
                None => return Ok(entry),
                Some(Item::Field(field, value)) => entry.fields[usize::from(field.id())] = Some(value),
                Some(Item::RequestHeader(..)) => entry.request_headers.found(here),
                Some(Item::ResponseHeader(..)) => entry.response_headers.found(here),
                Some(Item::Custom(..)) => entry.custom.found(here),
            }
        }
    }

    pub(crate) fn get(&self, field: Field) -> Option<Value<'a>> {
        self.fields[usize::from(field.id())]
    }

    pub(crate) fn text(&self, field: Field) -> Option<&'a str> {
        match self.get(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn uint(&self, field: Field) -> Option<u64> {
        match self.get(field) {
            Some(Value::Uint(n)) => Some(n),
            _ => None,
        }
    }

    /// The fields that it has, in the order of their ids.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (Field, Value<'a>)> + '_ {
        Field::ALL.iter().filter_map(|&field| Some((field, self.get(field)?)))
    }

    /// Names and values; those of one name are next to each other.
    pub(crate) fn request_headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let pairs = self.request_headers.items().filter_map(|item| match item {
            Item::RequestHeader(name, value) => Some((name, value)),
            _ => None,
        });
        pairs.take(self.request_headers.count)
    }

    /// Likewise, of the response.
    pub(crate) fn response_headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let pairs = self.response_headers.items().filter_map(|item| match item {
            Item::ResponseHeader(name, value) => Some((name, value)),
            _ => None,
        });
        pairs.take(self.response_headers.count)
    }

    /// The application's own fields; the last of one name.
    pub(crate) fn custom(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> + use<'a> {
        let mut rest = self.custom.items();
        let mut named = Vec::with_capacity(self.custom.count);
        while named.len() < self.custom.count {
            match rest.next() {
                Some(Item::Custom(name, value)) => named.push((name, value)),
                Some(_) => {}
                None => break,
            }
        }
        let mut seen = HashSet::with_capacity(named.len());
        let last: Vec<bool> = named.iter().rev().map(|(name, _)| seen.insert(*name)).collect();
        named.into_iter().zip(last.into_iter().rev()).filter_map(|(own, last)| last.then_some(own))
    }

    /// Its message, made up where a request has none.
    pub(crate) fn message(&self) -> Option<String> {
        if let Some(text) = self.text(Field::Message) {
            return Some(text.to_owned());
        }
        let kinds = [Kind::Request, Kind::Outgoing, Kind::Running];
        kinds.contains(&self.record.kind()).then(|| {
            let summary = Summary {
                method: self.text(Field::Method),
                path: self.text(Field::Path),
                route: self.text(Field::Route),
                status: self.uint(Field::StatusCode),
            };
            let mut out = Vec::new();
            summary.write(&mut out, self.record.outcome(), |out, part: &str| {
                out.extend_from_slice(part.as_bytes());
            });
            String::from_utf8(out).unwrap_or_default()
        })
    }
}

/// What an entry's message is made of where it has none; texts, or where they stand.
#[derive(Default)]
pub(crate) struct Summary<T> {
    pub(crate) method: Option<T>,
    pub(crate) path: Option<T>,
    pub(crate) route: Option<T>,
    pub(crate) status: Option<u64>,
}

impl<T> Summary<T> {
    /// `GET /users/{id} 200`; the path where no route is known, the outcome where there is no status. `put` writes a
    /// text of the entry's.
    pub(crate) fn write(self, out: &mut Vec<u8>, outcome: Option<Outcome>, put: impl Fn(&mut Vec<u8>, T)) {
        for part in [self.method, self.route.or(self.path)] {
            match part {
                Some(text) => put(out, text),
                None => out.push(b'-'),
            }
            out.push(b' ');
        }
        match (self.status, outcome) {
            (Some(status), _) => super::json::uint(out, status),
            (None, Some(outcome)) => out.extend_from_slice(outcome.as_str().as_bytes()),
            (None, None) => out.push(b'-'),
        }
    }
}
