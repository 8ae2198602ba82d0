use super::*;

mod table;

fn verdict(status: u16, retry_after: Option<&str>, body: &str) -> Verdict {
    let answer = Answer {
        status,
        retry_after: retry_after.map(Into::into),
        #[cfg(feature = "zstd")]
        accept_encoding: None,
        body: body.as_bytes().to_vec(),
    };
    // 06 Nov 1994 08:49:07 GMT
    Verdict::of_native(&answer, 3, SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_747))
}

fn wait(text: &str) -> Option<u64> {
    match verdict(503, Some(text), "") {
        Verdict::Retry { after, .. } => after.map(|d| d.as_secs()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_counts_only_if_its_sums_are_right() {
    let delivered = |stored, duplicates, rejected| Verdict::Delivered { stored, duplicates, rejected };
    assert_eq!(verdict(200, None, r#"{"accepted":3,"duplicates":0,"rejected":[]}"#), delivered(3, 0, 0));
    assert_eq!(
        verdict(200, None, r#"{"accepted":1,"duplicates":1,"rejected":[{"index":2}]}"#),
        delivered(1, 1, 1)
    );
    assert_eq!(verdict(202, None, r#"{"status":"ok","count":3}"#), delivered(3, 0, 0));
    for bad in [
        "",
        "{}",
        "[]",
        r#"{"accepted":2}"#,
        r#"{"count":2}"#,
        r#"{"accepted":18446744073709551615,"duplicates":4}"#,
        "<html>",
    ] {
        assert!(matches!(verdict(200, None, bad), Verdict::Retry { .. }), "{bad}");
    }
}

#[test]
fn retry_after_is_read_in_seconds_and_as_a_date_and_capped() {
    assert_eq!(wait("7"), Some(7));
    assert_eq!(wait(" 0 "), Some(0));
    assert_eq!(wait("86400"), Some(900));
    assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
    assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0), "in the past");
    assert_eq!(wait("Thu, 29 Feb 2024 00:00:00 GMT"), Some(900));
    for nonsense in
        ["-1", "soon", "1.5", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", ""]
    {
        assert_eq!(wait(nonsense), None, "{nonsense}");
    }
}

#[test]
fn a_wait_until_a_date_is_counted_from_the_servers_own_time() {
    let until = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (retry_after, date, expected) in [
        (until, Some("Sun, 06 Nov 1994 08:49:27 GMT"), "10"),
        (until, Some("Sun, 06 Nov 1994 09:00:00 GMT"), "0"),
        (until, Some("yesterday"), until),
        (until, None, until),
        ("7", Some("Sun, 06 Nov 1994 08:49:27 GMT"), "7"),
        ("soon", Some("Sun, 06 Nov 1994 08:49:27 GMT"), "soon"),
    ] {
        assert_eq!(by_the_servers_clock(retry_after.into(), date), expected, "{retry_after} {date:?}");
    }
}

#[test]
fn http_dates_are_the_right_second() {
    let unix = |text| http_date(text).unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(unix("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    assert_eq!(unix("Thu, 29 Feb 2024 12:00:00 GMT"), 1_709_208_000);
    assert_eq!(unix("Sun, 06 Nov 1994 08:49:37 GMT"), 784_111_777);
}

#[cfg(feature = "zstd")]
#[test]
fn a_coding_is_accepted_where_it_is_named_and_not_forbidden() {
    for (list, accepted) in [
        ("zstd, gzip", true),
        ("gzip;q=0.5 , ZSTD ; q=0.2", true),
        ("gzip", false),
        ("", false),
        ("*", false),
        ("zstd;q=0", false),
        ("zstd;q=0.000", false),
        ("xzstd", false),
        ("zstd;q=nonsense", true),
    ] {
        assert_eq!(accepts(list, "zstd"), accepted, "{list}");
    }
}
