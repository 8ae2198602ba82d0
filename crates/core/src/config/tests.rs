use super::*;

fn build(builder: ClientBuilder, variables: &[(&str, &str)]) -> Result<Client, Error> {
    let variables: Vec<(String, String)> =
        variables.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    builder.build_from(move |name| variables.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()), None)
}

#[test]
fn all_complaints_come_at_once_and_name_the_setting_and_the_fix() {
    let builder = Client::builder()
        .endpoint("ftp://example.com")
        .batch_size(0)
        .flush_interval(Duration::ZERO)
        .queue_bytes(1)
        .min_level_of("a b", Level::Info)
        .service("x".repeat(101))
        .file("/nowhere/at/all.log");
    let error =
        build(builder, &[("HOPLOG_ENABLED", "maybe"), ("HOPLOG_CONSOLE", "loud"), ("LOG_TYPE", "TOASTER")])
            .unwrap_err();
    assert!(error.is_config());
    for word in [
        "endpoint",
        "batch_size",
        "flush_interval",
        "queue_bytes",
        "min_level_of",
        "service",
        "file",
        "HOPLOG_ENABLED",
        "HOPLOG_CONSOLE",
        "log_type",
    ] {
        assert_eq!(error.complaints().iter().filter(|c| c.contains(word)).count(), 1, "{word}: {error}");
    }
}

#[test]
fn a_key_that_was_mistyped_is_a_complaint_that_does_not_show_it() {
    let key = hoplog_entry::ApiKey::compose("live", [1; 9], &[2; 32]).unwrap();
    let complaints = |key: &str| {
        let built = build(Client::builder().endpoint("http://127.0.0.1:9").api_key(key), &[]);
        built.map(drop).map_err(|e| e.to_string())
    };
    assert_eq!(complaints(&key), Ok(()));
    assert_eq!(complaints("hl_key"), Ok(()), "a key that somebody chose");
    let cut = &key[..key.len() - 1];
    let error = complaints(cut).unwrap_err();
    assert!(error.contains("`api_key` is mistyped or cut off") && !error.contains(cut), "{error}");
}

#[test]
fn code_wins_over_variables_and_earlier_variables_over_later() {
    let mut settings = Settings { service: Some("code".into()), ..Settings::default() };
    let variables = |name: &str| {
        Some(
            match name {
                "HOPLOG_SERVICE" => "variable",
                "HOPLOG_ENVIRONMENT" => " ",
                "ENVIRONMENT" => "staging",
                "NODE_ENV" => "never",
                "LOG_SERVER_URL" => "http://10.0.0.1:9000/prefix/",
                _ => return None,
            }
            .to_owned(),
        )
    };
    assert!(settings.fill_from(variables).is_empty());
    let mut complaints = Vec::new();
    let source = settings.source(&mut complaints);
    assert_eq!((source.service.as_str(), source.environment.as_str()), ("code", "staging"));
    assert_eq!(settings.logs_url(&mut complaints).unwrap().as_str(), "http://10.0.0.1:9000/prefix/logs");
    assert!(complaints.is_empty());
}

#[test]
fn a_key_does_not_leave_for_another_host_in_the_clear() {
    let with_key = |endpoint: &str| Client::builder().endpoint(endpoint).api_key("hl_secret");
    for endpoint in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"] {
        build(with_key(endpoint), &[]).unwrap();
    }
    let error = build(with_key("http://collector.example:8000"), &[]).unwrap_err();
    assert!(error.to_string().contains("plain HTTP") && !error.to_string().contains("hl_secret"), "{error}");
    build(with_key("http://collector.example:8000").allow_insecure_http(), &[]).unwrap();
    let error = build(Client::builder().endpoint("http://user:hunter2@localhost:1"), &[]).unwrap_err();
    assert!(error.to_string().contains("api_key") && !error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn disabled_by_code_or_variable_does_nothing() {
    for client in [
        Client::disabled(),
        build(Client::builder().enabled(false), &[]).unwrap(),
        build(Client::builder(), &[("HOPLOG_ENABLED", "false")]).unwrap(),
    ] {
        assert!(!client.is_enabled());
        client.error("nobody hears this").field("a", 1).send();
        assert_eq!(client.stats().accepted, 0);
        client.flush_blocking(Duration::from_secs(1)).unwrap();
    }
    assert!(build(Client::builder(), &[("HOPLOG_ENABLED", "true")]).unwrap().is_enabled());
}

#[test]
fn a_client_without_any_destination_is_refused() {
    let error = build(Client::builder().without_collector(), &[]).unwrap_err();
    assert!(error.to_string().contains("console"), "{error}");
}

#[test]
fn the_key_of_hashes_may_come_from_a_variable_and_a_hash_without_one_is_refused() {
    let hashes = || {
        let redaction = crate::Redaction::default().client_ip(crate::ClientIp::Hash);
        Client::builder().without_collector().file("/dev/null").redaction(redaction)
    };
    let error = build(hashes(), &[]).unwrap_err();
    assert!(error.complaints().iter().any(|c| c.contains("HOPLOG_HASH_KEY")), "{error}");
    let error = build(hashes(), &[("HOPLOG_HASH_KEY", "geheim")]).unwrap_err();
    assert!(error.to_string().contains("hash_key: has 6 bytes") && !error.to_string().contains("geheim"));
    assert!(build(hashes(), &[("HOPLOG_HASH_KEY", "0123456789abcdef")]).is_ok());
}

#[test]
fn levels_by_variable_go_before_what_code_says_and_wrong_ones_are_named() {
    let quiet = || Client::builder().without_collector().file("/dev/null").min_level(Level::Warn);
    let client = build(quiet(), &[]).unwrap();
    assert!(!client.takes(Level::Info, "shop") && client.takes(Level::Warn, "shop"));
    let client = build(quiet(), &[("HOPLOG_LOG", "info, shop::db=trace")]).unwrap();
    assert!(client.takes(Level::Info, "") && !client.takes(Level::Debug, "shop"));
    assert!(client.takes(Level::Trace, "shop::db::pool"));
    let error = build(quiet(), &[("HOPLOG_LOG", "loud,shop=info,db=verbose")]).unwrap_err();
    let complaints: Vec<_> = error.complaints().iter().filter(|c| c.starts_with("HOPLOG_LOG: ")).collect();
    assert_eq!(complaints.len(), 2, "{error}");
    assert!(complaints[0].contains("`loud`") && complaints[1].contains("`db=verbose`"), "{error}");
}

#[test]
fn backtraces_go_by_the_variables_that_rust_itself_reads() {
    let mut settings = Settings::default();
    let fill = |settings: &mut Settings, variables: &'static [(&str, &str)]| {
        let found = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        assert!(settings.fill_from(found).is_empty());
        settings.backtraces.take()
    };
    assert_eq!(fill(&mut settings, &[]), None);
    assert_eq!(fill(&mut settings, &[("RUST_BACKTRACE", "1")]), Some(true));
    assert_eq!(fill(&mut settings, &[("RUST_BACKTRACE", "full"), ("RUST_LIB_BACKTRACE", "0")]), Some(false));
}

#[test]
fn the_debug_output_of_a_builder_shows_no_secret() {
    let mut builder = Client::builder()
        .api_key("hl_s3cret")
        .endpoint("http://user:s3cret@collector.example/s3cret")
        .redaction(crate::Redaction::default().hash_key("s3cret"));
    let variable = |name: &str| (name == "HOPLOG_HASH_KEY").then(|| "s3cret of the environment".to_owned());
    builder.settings.fill_from(variable);
    let shown = format!("{builder:?}");
    assert!(shown.contains("api_key: Some([redacted])") && !shown.contains("s3cret"), "{shown}");
}

#[cfg(feature = "otlp")]
#[test]
fn the_key_of_one_otlp_server_is_not_sent_to_another() {
    use crate::Otlp;
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret"),
    ];
    let build = |others: &[Otlp]| {
        let none = Client::builder().without_collector();
        build(others.iter().cloned().fold(none.otlp(Otlp::new()), ClientBuilder::otlp), &variables)
    };
    let other = Otlp::new().endpoint("http://127.0.0.1:2/otlp");
    let error = build(std::slice::from_ref(&other)).unwrap_err();
    assert_eq!(error.complaints().len(), 1, "{error}");
    assert!(error.to_string().contains("OTEL_EXPORTER_OTLP_HEADERS would go to several servers"), "{error}");
    for other in [
        other.clone().header("api-key", "other"),
        other.clone().without_variables(),
        Otlp::new().endpoint("http://127.0.0.1:1/other"),
    ] {
        assert!(build(&[other]).is_ok());
    }
}
