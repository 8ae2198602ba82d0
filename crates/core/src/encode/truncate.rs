//! Shortening an entry that its server finds too large.

/// What is left of a longer string, in bytes as JSON.
const LEFT: usize = 1024;

/// A JSON text with each of its longer strings cut short, and what each lost said in it: `…[truncated 9000 bytes]`. Names
/// of members are left as they are. `None` where nothing is long enough to be cut, or the text is no JSON.
pub(crate) fn truncate_json(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len().min(64 << 10));
    let (mut rest, mut cut_any) = (text, false);
    while let Some(at) = rest.iter().position(|&byte| byte == b'"') {
        let (before, from) = rest.split_at(at + 1);
        out.extend_from_slice(before);
        let Scanned { len, cut } = scan(from)?;
        let (string, after) = from.split_at(len);
        let is_name = after[1..].iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
        match cut.filter(|_| !is_name) {
            Some(cut) => {
                out.extend_from_slice(&string[..cut]);
                out.extend_from_slice(format!("…[truncated {} bytes]", len - cut).as_bytes());
                cut_any = true;
            }
            None => out.extend_from_slice(string),
        }
        out.push(b'"');
        rest = &after[1..];
    }
    out.extend_from_slice(rest);
    cut_any.then_some(out)
}

/// A string behind its first quotation mark.
struct Scanned {
    /// Bytes before its last quotation mark.
    len: usize,
    /// Where it may be cut, if it is too long: between two characters, and not within an escape or a pair of them.
    cut: Option<usize>,
}

/// `None` where it has no end.
fn scan(from: &[u8]) -> Option<Scanned> {
    let (mut at, mut cut) = (0, 0);
    loop {
        let pair = from.get(at..)?.starts_with(b"\\u") && is_high_surrogate(from, at);
        let step = match *from.get(at)? {
            b'"' => break,
            b'\\' if pair => 12,
            b'\\' if from.get(at + 1) == Some(&b'u') => 6,
            b'\\' => 2,
            0xf0.. => 4,
            0xe0.. => 3,
            0xc0.. => 2,
            _ => 1,
        };
        at += step;
        if at <= LEFT {
            cut = at;
        }
    }
    Some(Scanned { len: at, cut: (at > LEFT).then_some(cut) })
}

/// `\ud800` to `\udbff`, which is half a character.
fn is_high_surrogate(from: &[u8], at: usize) -> bool {
    let digits = from.get(at + 2..at + 4).unwrap_or_default();
    matches!(digits, [b'd' | b'D', b'8' | b'9' | b'a' | b'b' | b'A' | b'B'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn long_texts_are_cut_and_say_so_and_the_rest_is_as_it_was() {
        let name = "n".repeat(2_000);
        let value = json!({
            "id": "0197", "n": 1.5, "message": "x".repeat(5_000), name.as_str(): ["short", "y".repeat(1_025)],
        });
        let cut: Value =
            serde_json::from_slice(&truncate_json(value.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!((&cut["id"], &cut["n"], &cut[&name][0]), (&value["id"], &value["n"], &value[&name][0]));
        assert_eq!(cut["message"], format!("{}…[truncated 3976 bytes]", "x".repeat(1_024)));
        assert_eq!(cut[&name][1], format!("{}…[truncated 1 bytes]", "y".repeat(1_024)));
        assert!(truncate_json(json!({"message": "x".repeat(1_024)}).to_string().as_bytes()).is_none());
    }

    #[test]
    fn a_cut_leaves_no_half_of_a_character_or_an_escape() {
        for unit in ["é", "…", "😀", "\\n", "\\\\", "\\\"", "\\u00e9", "\\ud83d\\ude00", "a\\\\😀\\u0000"]
        {
            for shift in 0..12 {
                let text = format!("{{\"m\":\"{}{}\"}}", "x".repeat(shift), unit.repeat(1_000));
                let cut = truncate_json(text.as_bytes()).unwrap();
                let cut: Value =
                    serde_json::from_slice(&cut).unwrap_or_else(|e| panic!("{unit} {shift}: {e}"));
                let cut = cut["m"].as_str().unwrap();
                let whole: Value = serde_json::from_str(&text).unwrap();
                assert!(
                    whole["m"].as_str().unwrap().starts_with(cut.split_once('…').unwrap().0) || unit == "…"
                );
            }
        }
    }

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in ["", "\"", "{\"m\":\"abc", "\"abc\\", "\"\\ud83d"] {
            assert!(truncate_json(text.as_bytes()).is_none(), "{text}");
        }
    }
}
