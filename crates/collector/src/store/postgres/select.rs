//! Filters as SQL. Every value is a parameter; the text is put together from fixed pieces only.

use super::wire::{Param, Time};
use crate::fields::Words;
use crate::store::search::{Filter, Status, TraceKey};
use hoplog_entry::Level;
use std::net::IpAddr;

/// Conditions and their parameters, in order.
pub(super) struct Conditions {
    pub(super) sql: String,
    pub(super) values: Vec<Param>,
}

impl Conditions {
    /// What is shown of a project: not what was deleted, and no running entry whose final one is there.
    pub(super) fn new(project: i64) -> Self {
        let mut all = Self::hidden_ones_too(project);
        all.and("ended IS NULL AND NOT deleted", []);
        all
    }

    fn hidden_ones_too(project: i64) -> Self {
        Self { sql: "project_id = $1".to_owned(), values: vec![project.into()] }
    }

    /// Adds a condition; each `?` in it is one of the values.
    pub(super) fn and<const N: usize>(&mut self, sql: &str, values: [Param; N]) {
        self.sql.push_str(" AND ");
        let mut pieces = sql.split('?');
        self.sql.push_str(pieces.next().unwrap_or_default());
        for (piece, value) in pieces.zip(values) {
            self.values.push(value);
            self.sql.push('$');
            self.sql.push_str(&self.values.len().to_string());
            self.sql.push_str(piece);
        }
    }

    /// Keeps to the entries of a trace: a W3C id as we write it, an opaque one as it is, in either column.
    pub(super) fn in_trace(&mut self, key: &TraceKey) {
        let id = key.id.map_or_else(|| key.text.clone(), |id| id.to_string());
        self.and("(trace_id = ? OR x_trace_id = ?)", [id.into(), key.text.as_str().into()]);
    }

    fn equal(&mut self, column: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.and(&format!("{column} = ?"), [value.into()]);
        }
    }
}

pub(super) fn conditions(project: i64, filter: &Filter) -> Conditions {
    add(Conditions::new(project), filter)
}

/// The same, for rows as they lie: also those that are in no answer.
pub(super) fn every_row(project: i64, filter: &Filter) -> Conditions {
    add(Conditions::hidden_ones_too(project), filter)
}

fn add(mut all: Conditions, filter: &Filter) -> Conditions {
    let Filter { period, service, level, path, route, method, .. } = filter;
    period.from.into_iter().for_each(|from| all.and("created_at >= ?", [Time(from).into()]));
    period.to.into_iter().for_each(|to| all.and("created_at < ?", [Time(to).into()]));
    for (column, text) in [
        ("service", service),
        ("path", path),
        ("route", route),
        ("method", method),
        ("request_id", &filter.request_id),
        ("user_id", &filter.user_id),
        ("session_id", &filter.session_id),
        ("tenant_id", &filter.tenant_id),
        ("client_type", &filter.client_type),
    ] {
        all.equal(column, text.as_deref());
    }
    all.equal("level", level.map(|level| level.as_str()));
    if let Some(least) = filter.min_level {
        let levels = Level::ALL.iter().filter(|level| **level >= least);
        let levels = levels.map(|level| format!("'{level}'")).collect::<Vec<_>>().join(", ");
        // Spelled out, as the index of the errors is known by it.
        all.and(&format!("level IN ({levels})"), []);
    }
    if let Some(ms) = filter.min_duration_ms {
        all.and("duration_ms >= ?", [ms.into()]);
    }
    all.equal("outcome", filter.outcome.and_then(|code| Words::Outcome.word(code)));
    match filter.slow {
        Some(true) => all.and("slow", []),
        Some(false) => all.and("slow IS NOT TRUE", []),
        None => {}
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<&str> = filter.kinds.iter().filter_map(|code| Words::Kind.word(*code)).collect();
        match kinds.as_slice() {
            [kind] => all.equal("kind", Some(kind)),
            _ => all.and("kind = ANY(?)", [kinds.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>().into()]),
        }
    }
    if let Some(ip) = &filter.ip {
        // As given, and as an address is commonly written.
        let usual = ip.parse::<IpAddr>().map_or_else(|_| ip.clone(), |ip| ip.to_string());
        all.and("ip IN (?, ?)", [ip.as_str().into(), usual.into()]);
    }
    match filter.status {
        Some(Status::Code(code)) => all.and("status_code = ?", [i64::from(code).into()]),
        Some(Status::Class(class)) => {
            let first = i64::from(class) * 100;
            all.and("status_code BETWEEN ? AND ?", [first.into(), (first + 99).into()]);
        }
        None => {}
    }
    if let Some(key) = &filter.trace {
        all.in_trace(key);
    }
    for text in &filter.texts {
        // The columns are compared byte by byte: `lower` knows ASCII alone there.
        let text = || Param::from(text.to_ascii_lowercase());
        let has = |column: &str| format!("strpos(lower({column}), ?) > 0");
        let any = ["message", "path", "error_type", "error_message"].map(has).join(" OR ");
        all.and(&format!("({any})"), [text(), text(), text(), text()]);
    }
    for (name, value) in &filter.metadata {
        let param = |text: &String| Param::from(text.as_str());
        match value.as_str() {
            "null" => {
                all.and("(metadata -> ? = 'null' OR metadata ->> ? = 'null')", [param(name), param(name)])
            }
            _ => all.and("metadata ->> ? = ?", [param(name), param(value)]),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_a_parameter_in_its_turn() {
        let filter = Filter {
            service: Some("shop'; DROP TABLE logs".into()),
            status: Some(Status::Class(5)),
            metadata: vec![("a?b".into(), "c".into())],
            ..Filter::default()
        };
        let Conditions { sql, values } = conditions(7, &filter);
        assert_eq!(
            sql,
            "project_id = $1 AND ended IS NULL AND NOT deleted AND service = $2 AND status_code BETWEEN $3 AND $4 \
             AND metadata ->> $5 = $6"
        );
        assert_eq!(values.len(), 6);
    }
}
