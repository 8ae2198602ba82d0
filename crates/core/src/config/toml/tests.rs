//! Files right and wrong: what is read out of them, and on which line what is wrong.

use hoplog_entry::{Kind, Level};
use proptest::prelude::*;

use super::*;
use crate::config::{Console, LineFormat, LogFile};

fn read(text: &str) -> (FileConfig, Vec<String>) {
    let mut complaints = Vec::new();
    (parse(text, "f", &mut complaints), complaints)
}

fn right(text: &str) -> FileConfig {
    let (config, complaints) = read(text);
    assert_eq!(complaints, Vec::<String>::new());
    config
}

#[test]
fn every_key_of_the_documentation_is_known() {
    let source = include_str!("../../config.rs");
    let example = source.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    let example: String = example
        .lines()
        .filter_map(|line| line.trim().strip_prefix("///"))
        .filter(|line| cfg!(feature = "otlp") || !line.contains("otlp"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (config, complaints) = read(&example);
    // The keys of the destination whose line is left out stand with the console then.
    assert!(complaints.is_empty() || !cfg!(feature = "otlp"), "{complaints:?}");
    assert_eq!(config.settings.service.as_deref(), Some("shop"));
    assert!(config.outputs.len() >= 3);
}

#[test]
fn every_key_of_the_network_is_what_its_setter_is() {
    let config = right(
        r#"
        [network]
        proxy = "off"
        root_certificates = "/ca.pem"
        client_certificate = "/client.pem"
        connect_timeout = "2s"
        timeout = "1m"
        "#,
    );
    let network = crate::Network::new()
        .without_proxy()
        .root_certificates("/ca.pem")
        .client_certificate("/client.pem")
        .connect_timeout(std::time::Duration::from_secs(2))
        .timeout(std::time::Duration::from_secs(60));
    assert!(config.network == network);
}

#[cfg(feature = "otlp")]
#[test]
fn every_key_of_an_otlp_destination_is_what_its_setter_is() {
    let config = right(
        r#"
        [[destination]]
        kind = "otlp"
        endpoint = "http://a:1"
        logs_endpoint = "http://b:2/x"
        headers = { x-key = "k" }
        timeout = "3s"
        compression = "none"
        resource = { "service.namespace" = "shop" }
        without_variables = true
        allow_insecure_http = true
        "#,
    );
    let server = crate::Otlp::new()
        .endpoint("http://a:1")
        .logs_endpoint("http://b:2/x")
        .header("x-key", "k")
        .timeout(std::time::Duration::from_secs(3))
        .compression(crate::Compression::None)
        .resource("service.namespace", "shop")
        .without_variables()
        .allow_insecure_http();
    assert!(config.outputs[0].what == crate::config::output::What::Otlp(server));
}

#[test]
fn values_are_read_and_nothing_else_is_set() {
    let config = right(
        r#"
        service = "shop"
        enabled = true
        trusted_proxies = ["10.0.0.0/8", "::1"]
        flush_interval = "250ms"
        queue_bytes = "32MiB"
        queue_entries = 70_000
        overflow = "250ms"
        batch_size = 0x10
        compression = "none"
        running_after = "5m"
        log = "warn,shop::cart=debug"
        [collector]
        endpoint = "http://127.0.0.1:9000"
        min_level = "Warning"
        kinds = "request"
        [[destination]]
        kind = "file"
        path = "/log/a"
        format = "ecs"
        max_bytes = 4096
        rotate = "hourly"
        keep = 3
        keep_for = "14d"
        gzip = true
        mode = "640"
        [[destination]]
        kind = "console"
        name = "screen"
        targets = ["shop", "db"]
        "#,
    );
    let settings = &config.settings;
    assert_eq!(settings.service.as_deref(), Some("shop"));
    assert_eq!((settings.enabled, settings.environment.as_deref()), (Some(true), None));
    assert_eq!(settings.trusted_proxies.as_deref(), Some("10.0.0.0/8,::1"));
    assert_eq!(settings.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
    assert_eq!(config.flush_interval, Some(Duration::from_millis(250)));
    assert_eq!((config.queue_bytes, config.queue_entries), (Some(32 << 20), Some(70_000)));
    assert_eq!(config.overflow, Some(Overflow::Block(Duration::from_millis(250))));
    assert_eq!(right("overflow = 'drop_oldest'").overflow, Some(Overflow::DropOldest));
    assert_eq!((config.batch_size, config.compression), (Some(16), Some(Compression::None)));
    assert_eq!(config.running_after, Some(Duration::from_secs(300)));
    assert_eq!(config.max_events_per_request, None);
    let [collector, file, console] = &config.outputs[..] else { panic!("{:?}", config.outputs) };
    assert_eq!(collector.filter.min_level, Some(Level::Warn));
    assert_eq!(collector.filter.kinds.as_deref(), Some(&[Kind::Request][..]));
    let expected = LogFile::new("/log/a")
        .format(LineFormat::Ecs)
        .max_bytes(4096)
        .hourly()
        .keep(3)
        .keep_for(Duration::from_secs(14 * 86_400))
        .gzip()
        .mode(0o640);
    assert_eq!(file.what, What::File(expected));
    assert_eq!((&console.what, console.name.as_deref()), (&What::Console(Console::Auto), Some("screen")));
    assert_eq!(console.filter.targets.as_deref(), Some(&["shop".to_owned(), "db".to_owned()][..]));
}

#[test]
fn everything_wrong_is_said_at_once_each_with_its_line() {
    let (config, complaints) = read(
        r#"service = 7
servce = "shop"
flush_interval = "soon"
queue_bytes = "16 monkeys"
batch_size = -1
log = "loud,shop=debug"
compression = "rar"
trusted_proxies = [1]
destination = "file"
[collector]
endpoint = true
key = "hl_secret"
kinds = ["request", "wish"]
min_level = "meh"
"#,
    );
    let expected = [
        "f:1: `service` is a whole number",
        "f:2: unknown key `servce`; known are backtraces,",
        "f:3: `flush_interval` must be a duration",
        "f:4: `queue_bytes` must be a number of bytes",
        "f:5: `batch_size` must be a whole number",
        "f:6: `log` `loud` has no level",
        "f:7: `compression` must be \"none\" or \"gzip\"",
        "f:8: `trusted_proxies` is a whole number",
        "f:9: `destination` is a text; it must be tables, `[[destination]]`",
        "f:11: `endpoint` is true or false",
        "f:12: unknown key `key` in `collector`; known are allow_insecure_http,",
        "f:13: `kinds` has `wish`",
        "f:14: `min_level` must be",
    ];
    assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
    for (complaint, begins) in complaints.iter().zip(expected) {
        assert!(complaint.starts_with(begins), "{complaint} does not begin with {begins}");
    }
    assert!(config.settings.service.is_none() && !format!("{complaints:?}").contains("hl_secret"));
}

#[test]
fn a_destination_that_is_none_is_named_by_its_line() {
    let (config, complaints) = read(
        "[[destination]]\nkind = \"pigeon\"\n\n[[destination]]\npath = \"/log/a\"\n\n[[destination]]\nkind = \"file\"\nlevel = 1\n",
    );
    assert!(config.outputs.is_empty());
    for (complaint, begins) in complaints.iter().zip([
        "f:1: `kind` is `pigeon`",
        "f:4: a `[[destination]]` needs `kind`",
        "f:7: a `[[destination]]` of kind `file` needs `path`",
        "f:9: unknown key `level`",
    ]) {
        assert!(complaint.starts_with(begins), "{complaint} does not begin with {begins}");
    }
    assert_eq!(complaints.len(), 4, "{complaints:#?}");
}

#[test]
fn what_is_no_toml_is_complained_about_by_line() {
    let (_, complaints) = read("service = \"shop\"\nenvironment = \n[collector\n");
    assert!(complaints.iter().any(|c| c.starts_with("f:2: ")), "{complaints:?}");
    let (_, complaints) = read("service = \"a\"\nservice = \"b\"\n");
    assert!(complaints[0].starts_with("f:2: "), "{complaints:?}");
}

#[test]
fn what_acts_at_the_start_only_is_told_from_what_does_not() {
    let config = right(
        "log = \"info\"\nservice = \"shop\"\n[collector]\nmin_level = \"warn\"\nendpoint = \"http://a\"\n[[destination]]\nkind = \"console\"\n",
    );
    let keys: Vec<(&str, &str)> = config.fixed.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(keys, [("collector.endpoint", "\"http://a\""), ("service", "\"shop\"")]);
}

proptest! {
    #[test]
    fn any_text_is_read_or_complained_about(text in "[a-z\\[\\]=\"0-9.\n {},#'-]{0,200}") {
        let _ = read(&text);
    }
}
