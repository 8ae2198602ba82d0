//! How values are read from texts, and shown.

type Read<T> = Result<T, String>;

fn one(values: &[String]) -> Read<&str> {
    match values {
        [value] => Ok(value.trim()),
        _ => Err("must be one value, and no list".to_owned()),
    }
}

fn quoted(text: &str) -> String {
    // JSON's escapes are TOML's as well.
    serde_json::Value::from(text).to_string()
}

/// A whole number.
pub(super) mod number {
    use super::{Read, one};

    pub(in crate::settings) fn read<T: std::str::FromStr>(values: &[String]) -> Read<T> {
        let wrong = || "must be a whole number, not negative and not too large".to_owned();
        one(values)?.parse().map_err(|_| wrong())
    }

    #[expect(clippy::unnecessary_wraps, reason = "as every form shows")]
    pub(in crate::settings) fn show(value: &impl ToString) -> Option<String> {
        Some(value.to_string())
    }
}

/// One of a few words.
pub(super) mod word {
    use super::{Read, one, quoted};

    pub(in crate::settings) fn read<T: std::str::FromStr<Err: ToString>>(values: &[String]) -> Read<T> {
        one(values)?.parse().map_err(|e: T::Err| e.to_string())
    }

    #[expect(clippy::unnecessary_wraps, reason = "as every form shows")]
    pub(in crate::settings) fn show(value: &impl ToString) -> Option<String> {
        Some(quoted(&value.to_string()))
    }
}

/// The same, or none.
pub(super) mod maybe {
    use super::{Read, number};

    pub(in crate::settings) fn read<T: std::str::FromStr>(values: &[String]) -> Read<Option<T>> {
        number::read(values).map(Some)
    }

    pub(in crate::settings) fn show(value: &Option<impl ToString>) -> Option<String> {
        value.as_ref().map(ToString::to_string)
    }
}

/// `65536`, `"64KiB"`, `"16MiB"`, `"10GiB"`.
pub(super) mod bytes {
    use super::{Read, one};

    const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

    pub(in crate::settings) fn read<T: TryFrom<u64>>(values: &[String]) -> Read<T> {
        let text = one(values)?;
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits);
        let factor = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor);
        let factor = factor.or(unit.is_empty().then_some(1));
        let number = factor.zip(digits.parse::<u64>().ok()).and_then(|(factor, n)| n.checked_mul(factor));
        let wrong = || "must be a number of bytes: 65536, \"64KiB\", \"16MiB\" or \"10GiB\"".to_owned();
        number.and_then(|n| T::try_from(n).ok()).ok_or_else(wrong)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as every form shows")]
    pub(in crate::settings) fn show<T: Copy + TryInto<u64>>(value: &T) -> Option<String> {
        let number: u64 = (*value).try_into().unwrap_or(u64::MAX);
        let unit =
            UNITS.iter().find(|(_, factor)| *factor > 1 && number > 0 && number.is_multiple_of(*factor));
        Some(unit.map_or(number.to_string(), |(name, factor)| format!("\"{}{name}\"", number / factor)))
    }
}

/// `"500ms"`, `"30s"`, `"5m"`, `"12h"`.
pub(super) mod time {
    use super::{Read, one};
    use std::time::Duration;

    const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

    pub(in crate::settings) fn read(values: &[String]) -> Read<Duration> {
        let text = one(values)?;
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits);
        let factor = UNITS.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor);
        let millis = factor.zip(digits.parse::<u64>().ok()).and_then(|(factor, n)| n.checked_mul(factor));
        let wrong = || "must be a time: \"500ms\", \"30s\", \"5m\" or \"12h\"".to_owned();
        millis.map(Duration::from_millis).ok_or_else(wrong)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as every form shows")]
    pub(in crate::settings) fn show(value: &Duration) -> Option<String> {
        let millis = value.as_millis();
        Some(match millis % 1_000 {
            0 => format!("\"{}s\"", millis / 1_000),
            _ => format!("\"{millis}ms\""),
        })
    }
}

/// `true` or `false`.
pub(super) mod flag {
    use super::{Read, one};

    pub(in crate::settings) fn read(values: &[String]) -> Read<bool> {
        one(values)?.parse().map_err(|_| "must be true or false".to_owned())
    }

    #[expect(clippy::unnecessary_wraps, reason = "as every form shows")]
    pub(in crate::settings) fn show(value: &bool) -> Option<String> {
        Some(value.to_string())
    }
}

/// An address with a port.
pub(super) mod address {
    use super::{Read, one, quoted};
    use std::net::SocketAddr;

    pub(in crate::settings) fn read(values: &[String]) -> Read<SocketAddr> {
        one(values)?
            .parse()
            .map_err(|_| "must be an address with a port, such as \"127.0.0.1:8000\"".to_owned())
    }

    #[expect(clippy::unnecessary_wraps, reason = "as every form shows")]
    pub(in crate::settings) fn show(value: &SocketAddr) -> Option<String> {
        Some(quoted(&value.to_string()))
    }
}

/// A path that must be given.
pub(super) mod path {
    use super::{Read, one, quoted};
    use std::path::PathBuf;

    pub(in crate::settings) fn read(values: &[String]) -> Read<PathBuf> {
        match one(values)? {
            "" => Err("is empty; it must be a path".to_owned()),
            path => Ok(path.into()),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "as every form shows")]
    pub(in crate::settings) fn show(value: &std::path::Path) -> Option<String> {
        Some(quoted(&value.to_string_lossy()))
    }
}

/// A path, or none.
pub(super) mod file {
    use super::{Read, path};
    use std::path::PathBuf;

    pub(in crate::settings) fn read(values: &[String]) -> Read<Option<PathBuf>> {
        path::read(values).map(Some)
    }

    pub(in crate::settings) fn show(value: &Option<PathBuf>) -> Option<String> {
        value.as_deref().and_then(path::show)
    }
}

/// A place to store in, shown without user and password.
pub(super) mod store {
    use super::{Read, one, quoted};
    use crate::config::StoreUrl;

    pub(in crate::settings) fn read(values: &[String]) -> Read<Option<StoreUrl>> {
        one(values).map(|store| Some(StoreUrl(store.to_owned())))
    }

    pub(in crate::settings) fn show(value: &Option<StoreUrl>) -> Option<String> {
        value.as_deref().map(|store| {
            let (scheme, rest) = store.split_once("://").unwrap_or(("", store));
            if scheme.is_empty() {
                return quoted(store);
            }
            let rest = rest.split(['?', '#']).next().unwrap_or_default();
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            quoted(&format!("{scheme}://{host}"))
        })
    }
}

/// What is shown to nobody.
pub(super) mod secret {
    use super::{Read, one};
    use crate::config::Secret;

    pub(in crate::settings) fn read(values: &[String]) -> Read<Option<Secret>> {
        match one(values)? {
            "" => Err("is empty".to_owned()),
            secret => Ok(Some(Secret(secret.to_owned()))),
        }
    }

    pub(in crate::settings) fn show(value: &Option<Secret>) -> Option<String> {
        value.as_ref().map(|_| "\"[redacted]\"".to_owned())
    }
}

/// Texts.
pub(super) mod list {
    use super::{Read, quoted};

    #[expect(clippy::unnecessary_wraps, reason = "as every form reads")]
    pub(in crate::settings) fn read(values: &[String]) -> Read<Vec<String>> {
        Ok(values.to_vec())
    }

    pub(in crate::settings) fn show(value: &[String]) -> Option<String> {
        let texts: Vec<String> = value.iter().map(|text| quoted(text)).collect();
        (!texts.is_empty()).then(|| format!("[{}]", texts.join(", ")))
    }
}
