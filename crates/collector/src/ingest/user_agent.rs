//! What a user agent tells of the client: kind of device, browser, system. Read when an entry comes in, so that it can
//! be asked for; what an entry says itself stays.
//!
//! The rules are those of [uap-core](https://github.com/ua-parser/uap-core) for browsers and systems (Apache-2.0).
//! Those for devices, twice as many, name makes and models and are left out; the kind of device follows from the rest.

use crate::fields::Field;
use crate::store::batch::{Batch, Cell, Mark, Value};
use hoplog_entry::Kind;
use std::collections::HashMap;
use std::sync::LazyLock;
use ua_parser::{Regexes, os, user_agent};

/// Longer ones are read up to here: no browser's is, and each byte costs time.
const MOST_BYTES: usize = 512;
/// A batch comes from few browsers; more than these are read each time.
const MOST_KEPT: usize = 1024;

/// Made by the first user agent: 0.1 s, 12 MB. `None` never comes, as a test shows.
static RULES: LazyLock<Option<Rules>> = LazyLock::new(Rules::new);

struct Rules {
    browsers: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
}

impl Rules {
    fn new() -> Option<Self> {
        let rules: Regexes<'static> = serde_json::from_str(include_str!("user_agent/rules.json")).ok()?;
        Some(Self {
            browsers: user_agent::Builder::new().push_all(rules.user_agent_parsers).ok()?.build().ok()?,
            systems: os::Builder::new().push_all(rules.os_parsers).ok()?.build().ok()?,
        })
    }
}

/// The user agents of a batch, each read once.
#[derive(Default)]
pub(super) struct UserAgents(HashMap<String, Vec<Cell>>);

impl UserAgents {
    /// Adds what the user agent of the row that began at `mark` tells and the row does not say. Of an outgoing call it
    /// is the service's own.
    pub(super) fn add_to(&mut self, batch: &mut Batch, mark: Mark) {
        let (mut text, mut said) = (None, 0_u128);
        for cell in batch.cells_since(mark) {
            said |= 1 << cell.field as u8;
            match (cell.field, cell.value) {
                (Field::UserAgent, Value::Text(slice)) => text = Some(slice),
                (Field::Kind, Value::Integer(kind)) if kind == i64::from(Kind::Outgoing.code()) => return,
                _ => {}
            }
        }
        let Some(text) = text.map(|slice| batch.text(slice)).filter(|text| !text.is_empty()) else { return };
        let unsaid = |cells: &[Cell]| -> Vec<Cell> {
            cells.iter().filter(|cell| said & (1 << cell.field as u8) == 0).copied().collect()
        };
        if let Some(cells) = self.0.get(text) {
            let cells = unsaid(cells);
            return batch.extend(cells);
        }
        let text = text.to_owned();
        let cells: Vec<Cell> = told(&text)
            .into_iter()
            .map(|(field, told)| {
                let slice = batch.write(|out| out.push_str(&told)).0;
                Cell { field, value: Value::Text(slice) }
            })
            .collect();
        batch.extend(unsaid(&cells));
        if self.0.len() < MOST_KEPT {
            self.0.insert(text, cells);
        }
    }
}

fn told(text: &str) -> Vec<(Field, String)> {
    let Some(rules) = &*RULES else { return Vec::new() };
    let end = (0..=MOST_BYTES.min(text.len())).rev().find(|&at| text.is_char_boundary(at));
    let text = text.get(..end.unwrap_or_default()).unwrap_or_default();
    let (browser, system) = (rules.browsers.extract(text), rules.systems.extract(text));
    let device = device(text, system.as_ref().map(|system| &*system.os));
    let mut told: Vec<_> = device.map(|device| (Field::DeviceType, device.to_owned())).into_iter().collect();
    if let Some(browser) = browser {
        let parts = [browser.major, browser.minor, browser.patch, browser.patch_minor];
        told.push((Field::BrowserVersion, version(parts)));
        told.push((Field::Browser, browser.family.into_owned()));
    }
    if let Some(system) = &system {
        let parts = [&system.major, &system.minor, &system.patch, &system.patch_minor];
        told.push((Field::OsVersion, version(parts.map(Option::as_deref))));
        told.push((Field::OsName, system.os.clone().into_owned()));
    }
    told.retain(|(_, text)| !text.is_empty());
    told
}

fn version(parts: [Option<&str>; 4]) -> String {
    parts.into_iter().map_while(|part| part.filter(|part| !part.is_empty())).collect::<Vec<_>>().join(".")
}

/// `bot`, `mobile`, `tablet`, `desktop`; none for programs. Android says `Mobile` on telephones only.
fn device(text: &str, system: Option<&str>) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    if ["bot", "spider", "crawl"].iter().any(|word| lower.contains(word)) {
        return Some("bot");
    }
    Some(match system? {
        "iOS" if text.contains("iPad") => "tablet",
        "iOS" | "Windows Phone" | "KaiOS" => "mobile",
        "Android" | "HarmonyOS" if lower.contains("mobile") => "mobile",
        "Android" | "HarmonyOS" => "tablet",
        "Windows" | "Mac OS X" | "Linux" | "Ubuntu" | "Fedora" | "Chrome OS" | "FreeBSD" => "desktop",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_agents_tell_device_browser_and_system() {
        assert!(RULES.is_some());
        let chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0";
        for (text, expected) in [
            (
                format!("Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome} Safari/537.36"),
                ["desktop", "Chrome", "126.0.0.0", "Windows", "10"],
            ),
            (
                format!("Mozilla/5.0 (Windows NT 10.0) {chrome} Safari/537.36 Edg/126.0.2592.68"),
                ["desktop", "Edge", "126.0.2592.68", "Windows", "10"],
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/17.5 Mobile/15E148 Safari/604.1"
                    .into(),
                ["mobile", "Mobile Safari", "17.5", "iOS", "17.5"],
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 14; SM-S918B) {chrome} Mobile Safari/537.36"),
                ["mobile", "Chrome Mobile", "126.0.0.0", "Android", "14"],
            ),
            (
                format!("Mozilla/5.0 (Linux; Android 13; SM-X700) {chrome} Safari/537.36"),
                ["tablet", "Chrome", "126.0.0.0", "Android", "13"],
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".into(),
                ["desktop", "Firefox", "128.0", "Linux", ""],
            ),
            (
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)".into(),
                ["bot", "Googlebot", "2.1", "", ""],
            ),
            ("curl/8.5.0".into(), ["", "curl", "8.5.0", "", ""]),
            ("ä".repeat(10_000), ["", "", "", "", ""]),
        ] {
            let told = told(&text);
            let fields =
                [Field::DeviceType, Field::Browser, Field::BrowserVersion, Field::OsName, Field::OsVersion];
            let found = fields.map(|field| told.iter().find(|(f, _)| *f == field).map_or("", |(_, text)| text));
            assert_eq!(found, expected, "{text}");
        }
    }
}
