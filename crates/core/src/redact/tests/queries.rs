use super::*;

/// Each row: what comes, what is left.
fn check(table: &[(&str, &str)]) {
    for (raw, expected) in table {
        assert_eq!(query(raw).as_deref(), Some(*expected), "{raw}");
    }
}

#[test]
fn the_value_of_a_secret_key_goes_whole_and_everything_else_stays_byte_for_byte() {
    check(&[
        ("", ""),
        ("status=open&limit=20&sort=created_at", "status=open&limit=20&sort=created_at"),
        ("token=abc", "token=[redacted]"),
        ("a=1&access_token=abc&b=2", "a=1&access_token=[redacted]&b=2"),
        ("password=a=b=c", "password=[redacted]"),
        ("a=%e4%f6+x&pin=0000&b=%zz&&=&c", "a=%e4%f6+x&pin=[redacted]&b=%zz&&=&c"),
        ("user[password]=x&user[name]=y", "user[password]=[redacted]&user[name]=y"),
        ("filter.password=x&filter.page=2", "filter.password=[redacted]&filter.page=2"),
        ("a=1;token=abc", "a=1;token=[redacted]"),
        ("이름=홍길동&비밀번호=가나다", "이름=홍길동&비밀번호=[redacted]"),
        ("token=", "token="),
        ("token=&a=1", "token=&a=1"),
        ("token=1&token=2&token=3", "token=[redacted]&token=[redacted]&token=[redacted]"),
    ]);
}

#[test]
fn names_of_signed_urls_are_masked() {
    check(&[
        (
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=a&X-Amz-Credential=b&X-Amz-Security-Token=c",
            "X-Amz-Algorithm=[redacted]&X-Amz-Signature=[redacted]&X-Amz-Credential=[redacted]\
             &X-Amz-Security-Token=[redacted]",
        ),
        (
            "AWSAccessKeyId=a&Signature=b&Expires=1",
            "AWSAccessKeyId=[redacted]&Signature=[redacted]&Expires=1",
        ),
        ("sv=2022&sig=abc%3D&se=1", "sv=2022&sig=[redacted]&se=1"),
        ("X-Goog-Signature=a", "X-Goog-Signature=[redacted]"),
    ]);
}

#[test]
fn keys_are_judged_as_the_server_reads_them() {
    check(&[
        ("pass%77ord=x", "pass%77ord=[redacted]"),
        ("%70%61%73%73%77%6F%72%64=x", "%70%61%73%73%77%6F%72%64=[redacted]"),
        ("user%5Bpassword%5D=x", "user%5Bpassword%5D=[redacted]"),
        ("api+key=x", "api+key=[redacted]"),
        ("api%20key=x", "api%20key=[redacted]"),
        ("pass%2577ord=x", "pass%2577ord=[redacted]"),
        ("user%255Bpassword%255D=x", "user%255Bpassword%255D=[redacted]"),
        ("user%5Bname%5D=x", "user%5Bname%5D=x"),
        ("discount%25=x", "discount%25=x"),
    ]);
}

#[test]
fn a_key_that_cannot_be_read_is_taken_for_secret() {
    check(&[
        ("na%me=x", "na%me=[redacted]"),
        ("n%4=x&a=1", "n%4=[redacted]&a=1"),
        ("%=x", "%=[redacted]"),
        ("n%2525255Bx=1", "n%2525255Bx=[redacted]"),
        ("50%", "[redacted]"),
        ("a=50%", "a=50%"),
    ]);
    let long = "x".repeat(200);
    assert_eq!(
        query(&format!("{long}=1&a=1")).unwrap(),
        "[redacted]&a=1",
        "such a key may be a value itself"
    );
}

#[test]
fn a_secret_value_ends_at_the_ampersand_whatever_separates_parameters_elsewhere() {
    check(&[
        ("password=ab;cd&x=1", "password=[redacted]&x=1"),
        ("password=;cd", "password=[redacted]"),
        ("x=1;y=2;password=a;b=c;d", "x=1;y=2;password=[redacted]"),
        ("url=/a?token=1;2&b=1", "url=[redacted]&b=1"),
    ]);
}

#[test]
fn a_parameter_without_a_value_stays_unless_it_may_be_one() {
    check(&[
        ("debug", "debug"),
        ("a=1&verbose&b", "a=1&verbose&b"),
        ("password", "[redacted]"),
        ("token:abc", "[redacted]"),
        ("token%3Dabc&a=1", "[redacted]&a=1"),
        ("https://bob:hunter2@example.com/", "[redacted]"),
        ("2024-01-01T12:30:00", "2024-01-01T12:30:00"),
    ]);
}

#[test]
fn a_key_that_holds_a_value_goes_with_it() {
    check(&[
        ("token:abc=1", "[redacted]"),
        ("token%3Dabc=1&b=2", "[redacted]&b=2"),
        ("x%3Ftoken%3Dabc=1", "[redacted]"),
        ("token,abc=1", "[redacted]"),
    ]);
}

#[test]
fn secrets_inside_of_an_innocent_value_take_it_along() {
    check(&[
        ("next=%2Fcb%3Ftoken%3Dabc%26a%3D1&b=2", "next=[redacted]&b=2"),
        ("next=%252Fcb%253Ftoken%253Dabc", "next=[redacted]"),
        ("url=https://x/?access_token=abc&y=1", "url=[redacted]&y=1"),
        ("url=https://x/?%74oken=abc", "url=[redacted]"),
        ("url=https://bob:hunter2@x/", "url=[redacted]"),
        ("url=https%3A%2F%2Fbob%3Ahunter2%40x%2F", "url=[redacted]"),
        ("filter={\"password\":\"x\"}", "filter=[redacted]"),
        ("filter=%7B%22user%22%3A%7B%22pin%22%20%3A%201234%7D%7D", "filter=[redacted]"),
        ("filter={\"api key\":\"x\"}", "filter=[redacted]"),
        ("filter={'user.password' : 'x'}", "filter=[redacted]"),
        ("filter=\"{\\\"token\\\":1}\"", "filter=[redacted]"),
        ("filter={\"name\":\"x\"}", "filter={\"name\":\"x\"}"),
        ("q=password:abc", "q=[redacted]"),
        ("a=b=c&next=/list?page=2", "a=b=c&next=/list?page=2"),
        ("next=https%3A%2F%2Fauth.example.com%3A8443%2F", "next=https%3A%2F%2Fauth.example.com%3A8443%2F"),
        ("mail=bob%40example.com&at=12:30", "mail=bob%40example.com&at=12:30"),
    ]);
}

#[test]
fn a_query_that_cannot_be_one_is_dropped() {
    for raw in ["a=1\r\nx=2", "a=\0", "\u{7f}"] {
        assert_eq!(query(raw), None, "{raw:?}");
    }
    assert_eq!(query(&"a".repeat(64 * 1024 + 1)), None);
    assert!(query(&"a=1&".repeat(16 * 1024)).is_some());
}
