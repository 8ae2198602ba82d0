use super::*;
use serde_json::{Value, json};

/// Rebuilds the value through the walk, to compare with serde_json's own reading.
fn read(raw: &str) -> Value {
    match Token::of(raw) {
        Token::Null => Value::Null,
        Token::Bool(b) => json!(b == "true"),
        Token::Number(n) => serde_json::from_str(n).unwrap(),
        Token::Text(t) => {
            let mut out = String::new();
            assert!(!unescape(t, &mut out));
            json!(out)
        }
        Token::Array(a) => {
            let mut walk = Walk::new(a);
            std::iter::from_fn(|| walk.value()).map(read).collect()
        }
        Token::Object(o) => {
            let mut walk = Walk::new(o);
            std::iter::from_fn(|| walk.member())
                .map(|(k, v)| {
                    let mut name = String::new();
                    unescape(k, &mut name);
                    (name, read(v))
                })
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
    }
}

#[test]
fn what_the_walk_reads_is_what_serde_json_reads() {
    for text in [
        r#"{}"#,
        r#"{ "a" : 1 , "b":[ ] , "c" : { } }"#,
        r#"{"a":"x\"}],{","b":[1,-2.5e3,"]",[[]],{"k":[null,true,false]}],"é":"\u00e9\ud83d\ude00\/"}"#,
        "{\n\t\"a\":\r\n[1 ,2\n,3 ]\n, \"\\\"\\\\\" : \"\\\\\" , \"\":\"\" }",
        r#"{"a":"\n\t\r\b\f\\u0000"}"#,
        r#"[[1],[2,[3]],"a,b",{"a":","}]"#,
    ] {
        assert_eq!(read(text), serde_json::from_str::<Value>(text).unwrap(), "{text}");
    }
}

#[test]
fn depth_counts_containers_within_containers() {
    for (text, depth) in [(r#"{"a":1}"#, 1), (r#"{"a":[],"b":"[[[["}"#, 2), (r#"{"a":[{"b":[]}]}"#, 4)] {
        let mut walk = Walk::new(text);
        while walk.member().is_some() {}
        assert_eq!(walk.deepest(), depth, "{text}");
    }
}

#[test]
fn nul_and_lone_surrogates_are_replaced_and_nothing_else_is() {
    for (inner, text, cleaned) in [
        (r"a\u0000b", "a\u{fffd}b", "a\u{fffd}b"),
        (r"\ud800", "\u{fffd}", "\u{fffd}"),
        (r"\udc00\ud83d\ude00", "\u{fffd}😀", r"�\ud83d\ude00"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀", r"�\ud83d\ude00"),
        (r"\ud83dx\n", "\u{fffd}x\n", r"�x\n"),
    ] {
        let (mut unescaped, mut kept) = (String::new(), String::new());
        assert!(unescape(inner, &mut unescaped), "{inner}");
        assert!(clean_text(inner, &mut kept), "{inner}");
        assert_eq!((unescaped.as_str(), kept.as_str()), (text, cleaned), "{inner}");
    }
    let mut kept = String::new();
    assert!(clean(r#"["\\","\ud800",1e999,-1e999,"1e999",1e308,1E-999]"#, &mut kept));
    assert_eq!(kept, r#"["\\","�","1e999","-1e999","1e999",1e308,1E-999]"#);
    let long = format!("[{}]", "9".repeat(400));
    kept.clear();
    assert!(clean(&long, &mut kept), "more digits than a float's range");
    kept.clear();
    assert!(!clean(r#"{"a":"\\u0000 \\ud800 \u00e9"}"#, &mut kept));
    assert_eq!(kept, r#"{"a":"\\u0000 \\ud800 \u00e9"}"#);
}

#[test]
fn quoted_text_reads_back() {
    let text: String = (0u8..128).map(char::from).chain("é😀\u{2028}".chars()).collect();
    let mut out = String::new();
    quote(&text, &mut out);
    assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
}

#[test]
fn text_that_is_not_json_is_walked_to_an_end() {
    for text in
        ["", "{", "[", "\"", "{\"", "{\"a", "{\"a\":", "{\"a\":[", "\\", "{\"\\", "}}", "[,,,", "é{\"é"]
    {
        let mut walk = Walk::new(text);
        let mut steps = 0;
        while walk.member().is_some() || walk.value().is_some() {
            steps += 1;
            assert!(steps < 100, "{text}");
        }
        for f in [unescape, clean, clean_text] {
            f(text, &mut String::new());
        }
        let _ = Token::of(text);
    }
}
