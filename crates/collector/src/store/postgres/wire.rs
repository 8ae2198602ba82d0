//! Values between our types and PostgreSQL's binary form.

use crate::time::{DAY, Day};
use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// PostgreSQL counts from 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH: i64 = EPOCH_DAYS as i64 * DAY;
/// The first moment that PostgreSQL knows, in 4714 BC; no number that we take for a time lies beyond its last one.
const FIRST: i64 = -211_813_488_000_000_000;

type Fault = Box<dyn Error + Sync + Send>;

/// A `date`.
pub(super) fn date(day: Day) -> i32 {
    day.0.saturating_sub(EPOCH_DAYS)
}

/// A `timestamptz`. What lies before the first one becomes that.
pub(super) fn timestamp(micros: i64) -> i64 {
    micros.saturating_sub(EPOCH).max(FIRST)
}

/// A `date`, as a parameter and as a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Date(pub(super) Day);

/// A `timestamptz`: microseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) i64);

/// A `uuid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Uuid(pub(super) [u8; 16]);

/// A value as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl ToSql for Date {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        out.extend_from_slice(&date(self.0).to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Date {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(Day(i32::from_be_bytes(raw.try_into()?).saturating_add(EPOCH_DAYS))))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }
}

impl ToSql for Time {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        out.extend_from_slice(&timestamp(self.0).to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Time {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(i64::from_be_bytes(raw.try_into()?).saturating_add(EPOCH)))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }
}

impl ToSql for Uuid {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Uuid {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::UUID
    }
}

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A parameter of a statement that is put together, with its type, so that the server need not be asked.
pub(super) struct Param {
    value: Box<dyn ToSql + Sync + Send>,
    kind: Type,
}

impl Param {
    fn new(value: impl ToSql + Sync + Send + 'static, kind: Type) -> Self {
        Self { value: Box::new(value), kind }
    }

    pub(super) fn as_sql(&self) -> &(dyn ToSql + Sync) {
        &*self.value
    }

    pub(super) fn kind(&self) -> Type {
        self.kind.clone()
    }
}

impl From<i64> for Param {
    fn from(n: i64) -> Self {
        Self::new(n, Type::INT8)
    }
}

impl From<f64> for Param {
    fn from(n: f64) -> Self {
        Self::new(n, Type::FLOAT8)
    }
}

impl From<String> for Param {
    fn from(text: String) -> Self {
        Self::new(text, Type::TEXT)
    }
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Vec<String>> for Param {
    fn from(texts: Vec<String>) -> Self {
        Self::new(texts, Type::TEXT_ARRAY)
    }
}

impl From<Time> for Param {
    fn from(time: Time) -> Self {
        Self::new(time, Type::TIMESTAMPTZ)
    }
}

impl From<Date> for Param {
    fn from(date: Date) -> Self {
        Self::new(date, Type::DATE)
    }
}

impl From<Vec<Date>> for Param {
    fn from(dates: Vec<Date>) -> Self {
        Self::new(dates, Type::DATE_ARRAY)
    }
}

impl From<Vec<Uuid>> for Param {
    fn from(ids: Vec<Uuid>) -> Self {
        Self::new(ids, Type::UUID_ARRAY)
    }
}

impl From<Uuid> for Param {
    fn from(id: Uuid) -> Self {
        Self::new(id, Type::UUID)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_come_back_and_what_is_before_all_times_becomes_the_first() {
        let mut out = BytesMut::new();
        for day in [Day(-800_000), Day(0), Day(EPOCH_DAYS), Day(2_932_896)] {
            out.clear();
            Date(day).to_sql(&Type::DATE, &mut out).unwrap();
            assert_eq!(Date::from_sql(&Type::DATE, &out).unwrap(), Date(day));
        }
        for (micros, back) in [
            (0, 0),
            (-62_135_596_800_000_000, -62_135_596_800_000_000),
            (8_999_999_999_999_999_999, 8_999_999_999_999_999_999),
            (-8_999_999_999_999_999_999, FIRST + EPOCH),
        ] {
            out.clear();
            Time(micros).to_sql(&Type::TIMESTAMPTZ, &mut out).unwrap();
            assert_eq!(Time::from_sql(&Type::TIMESTAMPTZ, &out).unwrap(), Time(back));
        }
    }
}
