//! All settings: a line each. `docs/operations.md` lists them.

use super::forms::{address, bytes, file, flag, list, maybe, number, path, secret, store, time, word};
use crate::config::Config;

/// One setting.
pub(crate) struct Setting {
    /// As it stands in the file: `retention.days` is `days` in `[retention]`.
    pub(super) name: &'static str,
    /// It is shown to nobody, and may stand in a file of its own.
    pub(super) secret: bool,
    /// It may have several values.
    pub(super) list: bool,
    pub(super) apply: fn(&mut Config, &[String]) -> Result<(), String>,
    pub(super) show: fn(&Config) -> Option<String>,
}

macro_rules! settings {
    ($($name:literal $form:ident $($field:ident).+ $(, $trait:ident)*;)+) => {
        pub(crate) const SETTINGS: &[Setting] = &[$(
            #[allow(clippy::needless_update, reason = "most settings are neither secret nor lists")]
            Setting {
                $($trait: true,)*
                ..Setting {
                    name: $name,
                    secret: false,
                    list: false,
                    apply: |config, values| {
                        config.$($field).+ = $form::read(values)?;
                        Ok(())
                    },
                    show: |config| $form::show(&config.$($field).+),
                }
            },
        )+];
    };
}

settings! {
    "listen" address listen;
    "insecure_listen" flag insecure_listen;
    "data_dir" path data_dir;
    "store" store store, secret;
    "postgres_indexes" word postgres_indexes;
    "postgres_writers" number postgres_writers;
    "api_key" secret api_key, secret;
    "key_pepper" secret pepper, secret;
    "open_from" list open_from, list;
    "trusted_proxy" list trusted_proxies, list;
    "allow_host" list allowed_hosts, list;
    "allow_origin" list allowed_origins, list;
    "disk_floor" number disk_floor;
    "drain_lag" time drain_lag;
    "drain_time" time drain_time;
    "tls.cert" file tls_cert;
    "tls.key" file tls_key;
    "retention.days" number retention_days;
    "retention.bytes" bytes retention_bytes;
    "quotas.requests_per_second" maybe quotas.requests_per_second;
    "quotas.bytes_per_second" maybe quotas.bytes_per_second;
    "quotas.project_bytes_per_day" maybe quotas.project_bytes_per_day;
    "limits.connections" number limits.connections;
    "limits.connections_per_address" number limits.connections_per_address;
    "limits.handshake_time" time limits.handshake_time;
    "limits.header_bytes" bytes limits.header_bytes;
    "limits.header_count" number limits.header_count;
    "limits.header_time" time limits.header_time;
    "limits.keep_alive" time limits.keep_alive;
    "limits.write_idle" time limits.write_idle;
    "limits.body_idle" time limits.body_idle;
    "limits.body_total" time limits.body_total;
    "limits.body_bytes" bytes limits.body_bytes;
    "limits.compressed_bytes" bytes limits.compressed_bytes;
    "limits.inflate_ratio" number limits.inflate_ratio;
    "limits.batch_entries" number limits.batch_entries;
    "limits.entry_bytes" bytes limits.entry_bytes;
    "limits.json_depth" number limits.json_depth;
    "limits.memory_bytes" bytes limits.memory_bytes;
    "limits.memory_wait" time limits.memory_wait;
    "limits.store_time" time limits.store_time;
    "limits.query_time" time limits.query_time;
    "limits.queries" number limits.queries;
    "limits.scans" number limits.scans;
    "limits.query_nice" number limits.query_nice;
    "limits.followers" number limits.followers;
    "limits.follower_lag" number limits.follower_lag;
    "limits.answer_entries" number limits.answer_entries;
    "limits.answer_bytes" bytes limits.answer_bytes;
    "limits.wal_bytes" bytes limits.wal_bytes;
}
