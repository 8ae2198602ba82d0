use super::*;

#[test]
fn a_url_keeps_everything_but_secrets_and_its_fragment() {
    let table = [
        ("https://example.com/a/b?x=1&y=2", "https://example.com/a/b?x=1&y=2"),
        ("https://example.com/cb?token=abc&x=1", "https://example.com/cb?token=[redacted]&x=1"),
        ("/cb?token=abc", "/cb?token=[redacted]"),
        ("?token=abc", "?token=[redacted]"),
        ("cb?token=abc", "cb?token=[redacted]"),
        ("//example.com/?sig=abc", "//example.com/?sig=[redacted]"),
        ("https://example.com/#access_token=abc", "https://example.com/"),
        ("https://example.com/?a=1#part", "https://example.com/?a=1"),
        ("https://example.com?token=abc#x", "https://example.com?token=[redacted]"),
        ("#token=abc", ""),
        ("", ""),
        ("null", "null"),
        ("about:blank", "about:blank"),
        ("android-app://com.example.shop/", "android-app://com.example.shop/"),
        ("http://127.0.0.1:8000/x", "http://127.0.0.1:8000/x"),
        ("http://[::1]:8000/x?otp=1", "http://[::1]:8000/x?otp=[redacted]"),
        ("http://[fe80::1%25eth0]/", "http://[fe80::1%25eth0]/"),
        ("https://bücher.example/", "https://bücher.example/"),
        ("https://example.com/@bob/p", "https://example.com/@bob/p"),
    ];
    for (raw, expected) in table {
        assert_eq!(url(raw), expected, "{raw}");
    }
}

#[test]
fn userinfo_is_replaced() {
    let table = [
        ("https://bob:hunter2@example.com/x", "https://[redacted]@example.com/x"),
        ("https://ghp_abc@example.com:443/", "https://[redacted]@example.com:443/"),
        ("https://a@b:c@example.com", "https://[redacted]@example.com"),
        ("//bob:hunter2@[::1]/", "//[redacted]@[::1]/"),
        ("https://bob:hunter2@example.com/?token=1", "https://[redacted]@example.com/?token=[redacted]"),
    ];
    for (raw, expected) in table {
        assert_eq!(url(raw), expected, "{raw}");
    }
}

#[test]
fn what_cannot_be_read_is_replaced_whole() {
    for raw in [
        "https://bob:hun/ter2@example.com/",
        "https://bob:hun#ter2@example.com/",
        "https://bob:hun?ter2@example.com/",
        "https://bob:hun\\ter2/x",
        "https:\\\\bob:hunter2@example.com",
        "bob:hunter2@example.com/x",
        "example.com:8000/x",
        "data:text/plain,hunter2",
        "mailto:bob@example.com",
        "javascript:alert(1)",
        "about:hunter2",
        "https://exa mple.com/",
        "https://example.com/\r\nx",
        "<https://example.com/?token=1>; rel=next",
        ":x",
        "1:x",
    ] {
        assert_eq!(url(raw), "[redacted]", "{raw}");
    }
}

#[test]
fn paths_lose_the_parameters_in_their_segments_that_are_secret() {
    let table = [
        ("/", "/"),
        ("*", "*"),
        ("/password/reset", "/password/reset"),
        ("/auth/token", "/auth/token"),
        ("/v1/tokens:revoke", "/v1/tokens:revoke"),
        ("/users/42;v=1/orders", "/users/42;v=1/orders"),
        ("/cart;jsessionid=ABC", "/cart;jsessionid=[redacted]"),
        ("/cart;a=1;jsessionid=ABC;b=2/items", "/cart;a=1;jsessionid=[redacted]/items"),
        ("/token=abc/reset", "/token=[redacted]/reset"),
        ("/x/token%3Dabc/y", "/x/[redacted]/y"),
        ("/files/a%20b%2Fc", "/files/a%20b%2Fc"),
        ("/fetch/https://bob:hunter2@example.com/x", "/fetch/https://[redacted]@example.com/x"),
        ("/fetch/https://ghp_abc@example.com/x", "/fetch/https://[redacted]@example.com/x"),
        ("/fetch/https:/bob:hunter2@example.com/x", "/fetch/https:/[redacted]@example.com/x"),
        ("/fetch/https%3A%2F%2Fbob%3Ahunter2%40x%2F/y", "/fetch/[redacted]/y"),
        ("/@bob/status", "/@bob/status"),
        ("/npm/@scope/pkg@1.0", "/npm/@scope/pkg@1.0"),
    ];
    for (raw, expected) in table {
        assert_eq!(path(raw), expected, "{raw}");
        assert_eq!(url(raw), expected, "{raw} as a URL");
    }
}
