//! Filters as SQL. Every value is a parameter; the text is put together from fixed pieces only.

use super::grams::{self, BLOCK, Candidates};
use super::running;
use super::schema::STRETCH;
use crate::store::batch::DEFAULT_PROJECT;
use crate::store::search::{Filter, Status, TraceKey};
use hoplog_entry::Level;
use rusqlite::Connection;
use rusqlite::types::Value;
use std::borrow::Cow;
use std::net::IpAddr;

/// One block in so many is read by itself; of more, the rows are read in their order.
const FEW: usize = 4;

/// Conditions and their parameters, in order.
pub(super) struct Conditions {
    pub(super) from: Cow<'static, str>,
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// What stands in texts, for [`narrow`](Self::narrow).
    pub(super) words: Vec<String>,
}

impl Conditions {
    pub(super) fn new() -> Self {
        let mut all = Self::hidden_ones_too();
        all.and("ended IS NULL", []);
        all
    }

    fn hidden_ones_too() -> Self {
        Self {
            from: "entries".into(),
            sql: "project = ?".to_owned(),
            values: vec![DEFAULT_PROJECT.into()],
            words: Vec::new(),
        }
    }

    pub(super) fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    /// Keeps to the blocks of this file in which the words may stand.
    pub(super) fn narrow(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let words = std::mem::take(&mut self.words);
        let Some(Candidates { blocks, all }) = grams::candidates(connection, &words)? else { return Ok(()) };
        if blocks.len() == all {
            return Ok(());
        }
        let few = blocks.len() * FEW <= all;
        let blocks = blocks.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let blocks = Value::from(format!("[{blocks}]"));
        if few && self.from == "entries" {
            // Block by block, and sorted after.
            self.from = format!(
                "(SELECT value AS block FROM json_each(?)) CROSS JOIN entries NOT INDEXED
                   ON seq BETWEEN block << {BLOCK} AND (block + 1 << {BLOCK}) - 1"
            )
            .into();
            self.values.insert(0, blocks);
        } else {
            self.and(&format!("seq >> {BLOCK} IN (SELECT value FROM json_each(?))"), [blocks]);
        }
        Ok(())
    }

    /// Keeps to the entries of a trace.
    pub(super) fn in_trace(&mut self, key: &TraceKey) {
        let (sql, values) = of_trace(key);
        // Without this, SQLite would read the whole day in order and look each entry up among the trace's.
        self.from = "entries NOT INDEXED".into();
        self.and(&format!("seq IN ({sql})"), values);
    }

    /// Keeps to entries of these kinds.
    fn kinds(&mut self, codes: &[u8]) {
        if let [code] = codes {
            self.and(&format!("kind = {code}"), []);
            if i64::from(*code) == running::KIND {
                // They are few, and may lie far apart: sorting them is quicker than reading all in order.
                self.from = "entries INDEXED BY entries_running".into();
            }
        } else {
            let codes = codes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
            self.and(&format!("kind IN ({codes})"), []);
        }
    }

    fn equal(&mut self, column: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.and(&format!("{column} = ?"), [value.into()]);
        }
    }
}

/// Where an index holds only what is asked for, it is named: its condition then has to stand here word for word.
pub(super) fn conditions(filter: &Filter) -> Conditions {
    add(Conditions::new(), filter)
}

/// The same, for rows as they lie: also those that are in no answer.
pub(super) fn every_row(filter: &Filter) -> Conditions {
    let mut all = add(Conditions::hidden_ones_too(), filter);
    // Some of the indexes leave such rows out.
    all.from = "entries NOT INDEXED".into();
    all
}

fn add(mut all: Conditions, filter: &Filter) -> Conditions {
    let Filter { period, service, level, path, route, method, .. } = filter;
    period.from.into_iter().for_each(|from| all.and("created_at >= ?", [from.into()]));
    period.to.into_iter().for_each(|to| all.and("created_at < ?", [to.into()]));
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
        all.equal(column, text.clone());
    }
    if let Some(level) = *level {
        if level >= Level::Error {
            all.and("level >= 4", []);
            all.from = "entries INDEXED BY entries_errors".into();
        }
        all.equal("level", Some(i64::from(level.code())));
    }
    if let Some(level) = filter.min_level {
        if level >= Level::Error {
            all.and("level >= 4", []);
            all.from = "entries INDEXED BY entries_errors".into();
        }
        all.and("level >= ?", [i64::from(level.code()).into()]);
    }
    if let Some(ms) = filter.min_duration_ms {
        all.and("duration_ms >= ?", [ms.into()]);
    }
    all.equal("outcome", filter.outcome.map(i64::from));
    match filter.slow {
        Some(true) => {
            all.and("slow = 1", []);
            all.from = "entries INDEXED BY entries_slow".into();
        }
        Some(false) => all.and("slow IS NOT 1", []),
        None => {}
    }
    if !filter.kinds.is_empty() {
        all.kinds(&filter.kinds);
    }
    if let Some(ip) = &filter.ip {
        // As given, and as an address is commonly written.
        let usual = ip.parse::<IpAddr>().map_or_else(|_| ip.clone(), |ip| ip.to_string());
        all.and("ip IN (?, ?)", [ip.clone().into(), usual.into()]);
    }
    match filter.status {
        Some(Status::Code(code)) => all.equal("status_code", Some(i64::from(code))),
        Some(Status::Class(class)) => {
            let first = i64::from(class) * 100;
            all.and("status_code BETWEEN ? AND ?", [first.into(), (first + 99).into()]);
        }
        None => {}
    }
    if let Some(key) = &filter.trace {
        all.in_trace(key);
    }
    all.words.clone_from(&filter.texts);
    for text in &filter.texts {
        let pattern = Value::from(like(text));
        let any = grams::TEXTS.map(|field| format!("{} LIKE ? ESCAPE '\\'", field.name())).join(" OR ");
        all.and(&format!("({any})"), grams::TEXTS.map(|_| pattern.clone()));
    }
    for (name, value) in &filter.metadata {
        all.and(
            "EXISTS (SELECT 1 FROM json_each(entries.metadata) WHERE key = ? AND ? =
               CASE WHEN type IN ('true', 'false', 'null', 'integer', 'real') THEN entries.metadata -> fullkey
               ELSE CAST(value AS TEXT) END)",
            [name.clone().into(), value.clone().into()],
        );
    }
    all
}

/// The entries of a trace, each by its own index: a W3C id as bytes, an opaque one as text in either column.
fn of_trace(key: &TraceKey) -> (String, [Value; 4]) {
    let id = match key.id {
        Some(id) => Value::Blob(id.as_bytes().to_vec()),
        None => Value::Text(key.text.clone()),
    };
    let project = Value::Integer(DEFAULT_PROJECT);
    let sql = format!(
        "WITH RECURSIVE stretch (n) AS (
           SELECT 0 UNION ALL SELECT n + 1 FROM stretch WHERE n < (SELECT max(seq) >> 14 FROM entries))
         SELECT seq FROM stretch CROSS JOIN entries WHERE project = ? AND {STRETCH} = n AND trace_id = ?
         UNION
         SELECT seq FROM stretch CROSS JOIN entries WHERE project = ? AND {STRETCH} = n AND x_trace_id = ?"
    );
    (sql, [project.clone(), id, project, key.text.clone().into()])
}

/// A pattern for any text that contains this one.
fn like(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::schema;
    use hoplog_entry::Kind;
    use rusqlite::{Connection, params_from_iter};

    fn plan(sql: &str, values: &[Value]) -> String {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(&schema::create()).unwrap();
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_is_asked_often_reads_an_index_and_sorts_nothing() {
        let page = |filter: Filter| {
            let Conditions { from, sql, values, .. } = conditions(&filter);
            plan(
                &format!(
                    "SELECT created_at, seq, kind, exchange_id FROM {from} WHERE {sql} ORDER BY created_at DESC, seq DESC"
                ),
                &values,
            )
        };
        let newest = page(Filter::default());
        assert!(newest.contains("USING INDEX entries_created_at"), "{newest}");
        let errors = page(Filter { level: Some(Level::Error), ..Filter::default() });
        assert!(errors.contains("USING INDEX entries_errors"), "{errors}");
        let slow = page(Filter { slow: Some(true), ..Filter::default() });
        assert!(slow.contains("USING INDEX entries_slow"), "{slow}");
        let code = |kind: Kind| kind.code();
        let running = page(Filter { kinds: vec![code(Kind::Running)], ..Filter::default() });
        assert!(running.contains("USING INDEX entries_running"), "{running}");
        let both =
            page(Filter { kinds: vec![code(Kind::Request), code(Kind::Running)], ..Filter::default() });
        assert!(both.contains("USING INDEX entries_created_at"), "{both}");
        for plan in [newest, errors, slow, both] {
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        let key = TraceKey::new("4bf92f3577b34da6a3ce929d0e0e4736");
        let trace = page(Filter { trace: Some(key), ..Filter::default() });
        for part in [
            "SEARCH entries USING INTEGER PRIMARY KEY",
            "INDEX entries_trace_id (project=? AND <expr>=? AND trace_id=?)",
            "INDEX entries_x_trace_id (project=? AND <expr>=? AND x_trace_id=?)",
        ] {
            assert!(trace.contains(part), "{part} in {trace}");
        }
    }

    #[test]
    fn a_text_is_looked_for_as_it_is() {
        assert_eq!(like(r"50%_\x"), r"%50\%\_\\x%");
    }
}
