use std::collections::HashMap;

use super::*;

const LIMITS: BatchLimits = BatchLimits { entries: 10, bytes: 1_000 };

fn build(otlp: &Otlp, variables: &[(&str, &str)]) -> Result<RemoteConfig, Vec<String>> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let mut complaints = Vec::new();
    let read = |name: &str| variables.get(name).map(|value| (*value).to_owned());
    let config = otlp.build(&read, LIMITS, &mut complaints);
    if complaints.is_empty() { config.ok_or(complaints) } else { Err(complaints) }
}

fn url(otlp: &Otlp, variables: &[(&str, &str)]) -> String {
    build(otlp, variables).unwrap().http.url.into()
}

#[test]
fn the_endpoint_for_all_signals_gets_a_path_and_the_one_for_logs_stays_as_it_is() {
    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const LOGS: &str = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT";
    let none = Otlp::new();
    assert_eq!(url(&none, &[]), "http://localhost:4318/v1/logs");
    assert_eq!(url(&none, &[(ALL, "")]), "http://localhost:4318/v1/logs", "empty is unset");
    assert_eq!(url(&none, &[(ALL, "http://h:1")]), "http://h:1/v1/logs");
    assert_eq!(url(&none, &[(ALL, "http://h:1/otlp/")]), "http://h:1/otlp/v1/logs");
    assert_eq!(url(&none, &[(ALL, "http://h:1"), (LOGS, "http://l:2/x?y=1")]), "http://l:2/x?y=1");
    assert_eq!(url(&none, &[(ALL, "http://h:1"), (LOGS, " ")]), "http://h:1/v1/logs");
    assert_eq!(url(&none, &[(LOGS, "http://l:2")]), "http://l:2/");
    assert_eq!(url(&none.clone().endpoint("http://c:3"), &[(LOGS, "http://l:2")]), "http://c:3/v1/logs");
    assert_eq!(url(&none.clone().endpoint("http://c:3").logs_endpoint("http://c:4/x"), &[]), "http://c:4/x");
}

#[test]
fn the_variables_of_the_specification_are_read_and_code_goes_before_them() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-all=1"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", " api-key = a%20b%2Cc ,x-tenant=t,"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "none"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=shop,k=%C3%A4"),
    ];
    let config = build(&Otlp::new(), &variables).unwrap();
    let header = |config: &RemoteConfig, name: &str| {
        config.http.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(header(&config, "api-key").unwrap(), "a b,c");
    assert_eq!(header(&config, "x-tenant").unwrap(), "t");
    assert_eq!(header(&config, "x-all"), None, "the one for logs counts alone");
    assert_eq!(header(&config, "content-type").unwrap(), "application/x-protobuf");
    assert_eq!(config.http.timeout, Duration::from_millis(250));
    assert_eq!(config.compression, Compression::None);
    let DialectConfig::Otlp { resource } = config.dialect else { panic!("another dialect") };
    let pair = |name: &str, value: &str| (String::from(name), String::from(value));
    assert_eq!(*resource, [pair("service.namespace", "shop"), pair("k", "ä")]);

    let code = Otlp::new()
        .header("x-code", "1")
        .timeout(Duration::from_secs(2))
        .compression(Compression::Gzip)
        .resource("k", "code");
    let config = build(&code, &variables).unwrap();
    assert_eq!((header(&config, "x-code").unwrap(), header(&config, "api-key")), ("1".into(), None));
    assert_eq!((config.http.timeout, config.compression), (Duration::from_secs(2), Compression::Gzip));
    let DialectConfig::Otlp { resource } = config.dialect else { panic!("another dialect") };
    assert_eq!(resource.last(), Some(&pair("k", "code")));

    let config = build(&Otlp::new(), &[]).unwrap();
    assert_eq!((config.http.timeout, config.compression), (DEFAULT_TIMEOUT, Compression::Gzip));
}

#[test]
fn each_wrong_variable_is_named_and_no_value_of_a_header_is_shown() {
    let wrong = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
        ("OTEL_RESOURCE_ATTRIBUTES", "=x"),
    ];
    let complaints = build(&Otlp::new(), &wrong).unwrap_err();
    for (name, _) in wrong {
        assert!(complaints.iter().any(|c| c.starts_with(name)), "{name}: {complaints:?}");
    }
    assert_eq!(complaints.len(), wrong.len(), "{complaints:?}");
    assert!(!complaints.iter().any(|c| c.contains("secret")), "{complaints:?}");
    // An exporter for gRPC elsewhere in the application is no concern of an endpoint set in code.
    assert!(build(&Otlp::new().endpoint("http://h:1"), &wrong[1..2]).is_ok());
}

#[test]
fn headers_do_not_go_in_the_clear_to_another_machine_unless_it_is_allowed() {
    let otlp = Otlp::new().endpoint("http://logs.example").header("api-key", "secret");
    let complaints = build(&otlp, &[]).unwrap_err();
    assert!(complaints[0].contains("allow_insecure_http"), "{complaints:?}");
    assert!(build(&otlp.clone().allow_insecure_http(), &[]).is_ok());
    assert!(build(&otlp.clone().endpoint("http://127.0.0.1:4318"), &[]).is_ok());
    assert!(!format!("{otlp:?}").contains("secret"));
}
