//! Values of keys: what they may be, and what is said where they are not.

use std::time::Duration;

use hoplog_entry::{Kind, Level};
use toml::de::DeValue;

use super::section::article;
use crate::config::{Compression, Console, Durability, LineFormat, Overflow};

type Read<T> = Result<T, String>;

pub(super) fn text(value: &DeValue<'_>) -> Read<String> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        other => Err(format!("is {}; it must be a text", article(other))),
    }
}

pub(super) fn flag(value: &DeValue<'_>) -> Read<bool> {
    match value {
        DeValue::Boolean(flag) => Ok(*flag),
        other => Err(format!("is {}; it must be `true` or `false`", article(other))),
    }
}

pub(super) fn whole<T: TryFrom<u64>>(value: &DeValue<'_>) -> Read<T> {
    let number = match value {
        DeValue::Integer(number) => {
            u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
        }
        _ => None,
    };
    number.and_then(|n| T::try_from(n).ok()).ok_or_else(|| "must be a whole number, not negative".into())
}

/// A list of texts, or one alone.
pub(super) fn texts(value: &DeValue<'_>) -> Read<Vec<String>> {
    match value {
        DeValue::Array(list) => list.iter().map(|item| text(item.get_ref())).collect(),
        _ => text(value).map(|one| vec![one]),
    }
}

/// A table of texts.
pub(super) fn pairs(value: &DeValue<'_>) -> Read<Vec<(String, String)>> {
    let DeValue::Table(table) = value else {
        return Err(format!("is {}; it must be a table of texts", article(value)));
    };
    let pair = |(key, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &toml::Spanned<DeValue<'_>>)| {
        Ok((key.get_ref().clone().into_owned(), text(value.get_ref())?))
    };
    table.iter().map(pair).collect()
}

/// `"500ms"`, `"30s"`, `"5m"`, `"12h"`, `"14d"`.
pub(super) fn duration(value: &DeValue<'_>) -> Read<Duration> {
    const FORM: &str = "must be a duration: \"500ms\", \"30s\", \"5m\", \"12h\" or \"14d\"";
    let text = text(value).map_err(|_| FORM.to_owned())?;
    let (number, unit) = number_and_unit(&text).ok_or(FORM)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(FORM.into()),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or_else(|| FORM.into())
}

/// `65536`, `"64KiB"`, `"16MiB"`, `"1GiB"`.
pub(super) fn bytes<T: TryFrom<u64>>(value: &DeValue<'_>) -> Read<T> {
    const FORM: &str = "must be a number of bytes: 65536, \"64KiB\", \"16MiB\" or \"1GiB\"";
    let DeValue::String(text) = value else { return whole(value).map_err(|_: String| FORM.into()) };
    let (number, unit) = number_and_unit(text).ok_or(FORM)?;
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(FORM.into()),
    };
    number.checked_mul(factor).and_then(|n| T::try_from(n).ok()).ok_or_else(|| FORM.into())
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim()))
}

/// Permissions in octal, as a text: `"640"`.
pub(super) fn mode(value: &DeValue<'_>) -> Read<u32> {
    let text = text(value).ok().and_then(|text| u32::from_str_radix(&text, 8).ok());
    text.ok_or_else(|| "must be permissions in octal, as a text: \"640\"".into())
}

pub(super) fn level(value: &DeValue<'_>) -> Read<Level> {
    let level = text(value).ok().and_then(|word| Level::parse_lenient(&word));
    level.ok_or_else(|| "must be `trace`, `debug`, `info`, `warn`, `error` or `fatal`".into())
}

pub(super) fn kinds(value: &DeValue<'_>) -> Read<Vec<Kind>> {
    let words = texts(value)?;
    let kinds = words.iter().map(|word| word.parse().map_err(|_| word));
    kinds.collect::<Result<_, _>>().map_err(|word| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("has `{word}`, which is no kind; kinds are {}", known.join(", "))
    })
}

/// One of a few words.
fn one_of<T: Copy>(value: &DeValue<'_>, words: &[(&str, T)]) -> Read<T> {
    let found = text(value).ok().and_then(|text| words.iter().find(|(word, _)| *word == text));
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        format!("must be {}", words.join(" or "))
    })
}

pub(super) fn compression(value: &DeValue<'_>) -> Read<Compression> {
    one_of(
        value,
        &[
            ("none", Compression::None),
            ("gzip", Compression::Gzip),
            #[cfg(feature = "zstd")]
            ("zstd", Compression::Zstd),
        ],
    )
}

pub(super) fn durability(value: &DeValue<'_>) -> Read<Durability> {
    let words = [
        ("memory", Durability::Memory),
        ("spool", Durability::Spool),
        ("write_through", Durability::WriteThrough),
    ];
    one_of(value, &words)
}

/// A word, or how long a call waits.
pub(super) fn overflow(value: &DeValue<'_>) -> Read<Overflow> {
    let words = [("drop_newest", Overflow::DropNewest), ("drop_oldest", Overflow::DropOldest)];
    let waits = || duration(value).map(Overflow::Block);
    one_of(value, &words)
        .or_else(|words| waits().map_err(|_| format!("{words}, or how long a call waits: \"50ms\"")))
}

pub(super) fn console(value: &DeValue<'_>) -> Read<Console> {
    let words =
        [("auto", Console::Auto), ("text", Console::Text), ("json", Console::Json), ("ecs", Console::Ecs)];
    one_of(value, &words)
}

pub(super) fn line_format(value: &DeValue<'_>) -> Read<LineFormat> {
    one_of(value, &[("json", LineFormat::Json), ("text", LineFormat::Text), ("ecs", LineFormat::Ecs)])
}

/// Whether it is every hour, else every day.
pub(super) fn hourly(value: &DeValue<'_>) -> Read<bool> {
    one_of(value, &[("daily", false), ("hourly", true)])
}
