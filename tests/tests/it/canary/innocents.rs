//! What must stay as it is: names that only look like secret ones, and values that only look like secrets.

use super::FRAMEWORKS;
use super::run::Step;
use super::table::{FORM, JSON, Place, TEXT};

/// Names in which a secret word lies hidden, or none at all.
const NAMES: &[&str] = &[
    "author",
    "authority",
    "authored_by",
    "co_author",
    "authorName",
    "tokenizer",
    "tokenize",
    "tokenized_text",
    "token_count",
    "max_tokens",
    "prompt_tokens",
    "token_type",
    "passenger",
    "passengers",
    "passage",
    "passport_country",
    "passive",
    "compass",
    "bypass",
    "surpass",
    "encompass",
    "trespass",
    "keyboard",
    "keyboardLayout",
    "keynote",
    "keyword",
    "keywords",
    "hotkey",
    "monkey",
    "turkey",
    "donkey",
    "jockey",
    "hockey",
    "whiskey",
    "keyframe",
    "primary_key_name",
    "pinned",
    "pinterest",
    "pineapple",
    "spinner",
    "shipping",
    "shopping",
    "opinion",
    "pingback",
    "typing",
    "mapping",
    "sidebar",
    "side",
    "inside",
    "outside",
    "president",
    "resident",
    "consider",
    "beside",
    "residence",
    "aside",
    "secretary",
    "secretariat",
    "cookery",
    "cookiecutter",
    "cooking",
    "bookie",
    "rookie",
    "design",
    "designer",
    "sign",
    "signage",
    "signal",
    "assigned_to",
    "campaign",
    "insight",
    "sigma",
    "obsession",
    "possession",
    "sessions_total",
    "discussion",
    "option",
    "laptop",
    "desktop",
    "stopover",
    "topic",
    "pinot",
    "cardinal",
    "cardboard",
    "card_type",
    "cardholder_country",
    "discard",
    "postcard",
    "dashboard",
    "cvs_revision",
    "ibanez",
    "urban",
    "accountant",
    "account_type",
    "accounts",
    "discount",
    "amount",
    "country",
    "counter",
    "hashtag",
    "bearing",
    "bears",
    "forbearance",
    "credit_limit",
    "credits",
    "accreditation",
    "incredible",
    "dns",
    "dsname",
    "rnn_layers",
    "rrna",
    "assn_name",
    "classname",
    "lesson",
    "mission",
    "permission",
    "passing_grade",
    "csrankings",
    "description",
    "name",
    "email_verified",
    "page",
    "limit",
    "sort",
    "order_id",
    "status",
    "format",
    "lang",
    "width",
];

/// Values that are numbers, ids and prose.
const VALUES: &[&str] = &[
    "018f4e3a-7b1c-7def-8a90-123456789abc",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "d41d8cd98f00b204e9800998ecf8427e",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "4bf92f3577b34da6a3ce929d0e0e4736",
    "2025-03-17T14:55:02.123456789Z",
    "20250317145502",
    "1742223302123",
    "1742223302123456789",
    "+49-89-32168-0000",
    "+821012345678",
    "030-1234-5678",
    "ORD-2025-000123456",
    "4111111111111112",
    "1234567890123456",
    "4006381333931",
    "978-3-16-148410-0",
    "1Z999AA10123456784",
    "192.0.2.17",
    "2001:db8::8a2e:370:7334",
    "v1.22.333-rc.4",
    "1.7976931348623157",
    "48.137154",
    "https://example.org/orders/17?page=2",
    "ada@example.org",
    "Basic plan",
    "Bearer of bad news",
    "bearer bonds",
    "the author's keyboard",
    "skating",
    "pk_live_publishable",
    "eyJ-is-how-they-begin",
    "AKIA",
    "application/vnd.api+json",
    "W/etag-0815",
    "550e8400e29b41d4a716446655440000",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "cus_NffrFeUfNV2Hib",
    "RGllcyBpc3QgZWluIFRleHQ=",
];

/// Sentences. In parameters a name with `:` behind it is taken for a pair: there they are not tried.
const PROSE: &[&str] = &[
    "token: expired",
    "the password: none was given",
    "secret: not found in vault",
    "session: 17 seats, 3 speakers",
    "no bearer of that name",
    "basic authentication failed",
    "the key of C major",
    "call +49 89 32168 0000 or 030-1234-5678",
    "ratio 4:3, at 12:30:45",
    "std::pin::Pin<Box<dyn Future>>",
    "if token == expected && pin != 0",
    "https://example.org/a?page=2, see above",
    "ada@example.org wrote at 10:15",
];

/// No header, query or field is longer than servers take.
const AT_ONCE: usize = 40;

/// Every name and every value, in every place where entries have names and values; and for each step the entry's
/// field in which they have to be found again, as they were written.
pub(crate) fn steps() -> (Vec<Step>, Vec<(&'static str, Vec<String>)>) {
    let (mut steps, mut expected) = (Vec::new(), Vec::new());
    let pairs: Vec<(&str, &str)> = NAMES.iter().copied().zip(VALUES.iter().copied().cycle()).collect();
    for framework in FRAMEWORKS {
        let mut step = |place, text: String, field, words: Vec<String>| {
            steps.push(Step { framework, place, name: format!("{framework}, {place:?}"), text });
            expected.push((field, words));
        };
        for pairs in pairs.chunks(AT_ONCE) {
            let all =
                |write: fn(&str, &str) -> String| pairs.iter().map(|(n, v)| write(n, v)).collect::<Vec<_>>();
            let line = all(|name, value| format!("{name}: {value}"));
            let shown = all(|name, value| format!("{:?}:[{value:?}]", name.to_lowercase()));
            let member = all(|name, value| format!("{name:?}:{value:?}"));
            let parameter = all(|name, value| format!("{name}={}", value.replace(' ', "%20")));
            let object = format!("{{{}}}", member.join(","));
            step(Place::Query, parameter.join("&"), "query", parameter.clone());
            step(Place::Body(FORM), parameter.join("&"), "request_body", parameter);
            step(Place::Body(JSON), object.clone(), "request_body", member.clone());
            step(Place::Answer(JSON), object.clone(), "response_body", member.clone());
            step(Place::Act("log_fields", 1), object, "metadata", member);
            step(Place::Header, line.join("\r\n"), "request_headers", shown.clone());
            step(Place::AnswerHeader, line.join("\n"), "response_headers", shown);
        }
        let texts: Vec<String> = VALUES.iter().chain(PROSE).map(|&text| text.into()).collect();
        step(Place::Body(TEXT), texts.join("\n"), "request_body", texts.clone());
        step(Place::Answer(TEXT), texts.join(" | "), "response_body", texts.clone());
        step(Place::Act("log_message", 1), texts.join(", "), "message", texts.clone());
        step(Place::Act("set_error", 0), texts.join(", "), "error_message", texts);
        let segments = VALUES.iter().filter(|value| !value.contains([' ', '/', '?', '\'']));
        let segments: Vec<String> = segments.map(|&segment| segment.into()).collect();
        step(Place::Path, segments.join("/"), "path", segments);
    }
    (steps, expected)
}
