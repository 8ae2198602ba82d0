//! Masks JSON that was made from an application's own values.

use serde_json::Value;

use super::REDACTED;
use super::names::NameRules;

/// `None` where nothing is masked. What cannot be read (deeper than 128 levels) is masked whole.
pub(super) fn mask(rules: &NameRules, text: &str) -> Option<String> {
    // Only what has members has names.
    if !text.contains('{') {
        return None;
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return Some(format!("\"{REDACTED}\"")) };
    walk(rules, &mut value).then(|| value.to_string())
}

/// Whether anything was masked. The parser bounds the depth.
fn walk(rules: &NameRules, value: &mut Value) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |any, item| walk(rules, item) | any),
        Value::Object(members) => members.iter_mut().fold(false, |any, (name, member)| {
            if rules.is_secret(name.as_bytes()) {
                *member = Value::from(REDACTED);
                return true;
            }
            walk(rules, member) | any
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> Option<String> {
        mask(&NameRules::new(&[] as &[&str], &[] as &[&str]), text)
    }

    #[test]
    fn values_under_secret_names_go_whole_at_any_depth_and_of_any_type() {
        let text = r#"{"a":[{"password":{"x":1}},{"pin":1234}],"author":"me","nested":{"api_key":["k"]}}"#;
        let expected = r#"{"a":[{"password":"[redacted]"},{"pin":"[redacted]"}],"author":"me","nested":{"api_key":"[redacted]"}}"#;
        assert_eq!(masked(text).as_deref(), Some(expected));
    }

    #[test]
    fn what_has_nothing_to_mask_stays_as_it_is() {
        for text in ["42", "\"password\"", "[1,2]", r#"{"author":"me","n":1.50}"#] {
            assert_eq!(masked(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_too_deep_to_be_read_is_masked_whole() {
        let deep = format!("{}{{}}{}", "[".repeat(200), "]".repeat(200));
        assert_eq!(masked(&deep).as_deref(), Some("\"[redacted]\""));
    }
}
