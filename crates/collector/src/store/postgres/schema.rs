//! The tables, and how those of an older layout come to be these.
//!
//! | table | holds |
//! |---|---|
//! | `logs` | entries, in a partition per UTC day (`logs_20260131`) |
//! | `log_projects` | per project: how many entries came, whether `log_ids` or `log_open` hold some of it |
//! | `log_arrivals` | the latest of them, in the order in which they came |
//! | `log_ids` | ids by which copies are known beside the key: those of days that are gone, those ahead of their time |
//! | `log_open` | entries of kind `running` whose final one has not come |
//! | `log_tally` | counts per day, service and level |
//! | `log_senders`, `log_spans`, `log_losses` | what senders say of themselves, by the day on which they said it |
//! | `log_names`, `log_keys`, `log_key_book` | names of projects, keys, and how often either changed |
//! | `log_sent` | bytes per project and day, where those are limited |
//! | `log_layouts` | which of the steps below were taken |
//!
//! Closed lists are kept as their words and ids as people write them, so that `psql` shows what the API shows. What is
//! `NULL` takes no room. Columns of one width stand together: no byte is lost between them.

use crate::fields::{Field, MOST_WEIGHT, Shape};
use crate::time::Day;

/// The layout's number; a database of an older one is brought to it when it is opened.
pub(super) const VERSION: i32 = 4;

/// Holds back others that would bring a database to this layout, or make a day, at the same time: `hopl`.
pub(super) const LOCK: i64 = 0x686f_706c;

/// Which indexes a day's partition gets when it is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Indexes {
    /// For questions by time, trace, user and service, and for errors.
    #[default]
    Queries,
    /// The key, and summaries of time: quicker to write to, slower to search.
    Lean,
}

impl std::str::FromStr for Indexes {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "queries" => Ok(Self::Queries),
            "lean" => Ok(Self::Lean),
            _ => Err("pass `queries` or `lean`".to_owned()),
        }
    }
}

impl std::fmt::Display for Indexes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Queries => "queries",
            Self::Lean => "lean",
        })
    }
}

/// The step to a layout, from the one before it.
pub(super) fn step(version: i32) -> String {
    match version {
        1 => create(),
        2 => KEYS.to_owned(),
        3 => MARKS.replace("MOST_WEIGHT", &format!("{MOST_WEIGHT:.1}")),
        4 => ARRIVALS.to_owned(),
        _ => String::new(),
    }
}

/// The row of `log_key_book` is locked by whoever changes a key or a name, so that changes come one after the other.
const KEYS: &str = "
    CREATE TABLE log_key_book (one boolean PRIMARY KEY DEFAULT true CHECK (one), changes bigint NOT NULL, pepper bytea);
    INSERT INTO log_key_book (changes) VALUES (0);
    CREATE TABLE log_names (project_id bigint PRIMARY KEY, name text COLLATE \"C\" NOT NULL UNIQUE, bytes_per_day bigint);
    INSERT INTO log_names VALUES (0, 'default');
    CREATE TABLE log_keys (id text COLLATE \"C\" PRIMARY KEY, project_id bigint NOT NULL REFERENCES log_names,
      label text NOT NULL, hash bytea NOT NULL, scopes text[] NOT NULL, created_at timestamptz NOT NULL,
      expires_at timestamptz, revoked_at timestamptz, networks text[] NOT NULL, last_used timestamptz,
      requests_per_second bigint, bytes_per_second bigint);
    CREATE TABLE log_sent (project_id bigint, day date, bytes bigint NOT NULL, PRIMARY KEY (project_id, day))";

/// An entry that is marked as deleted, by whomever, is taken out of the counts, and comes back into them.
const MARKS: &str = "
    CREATE FUNCTION log_marked() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    DECLARE n integer := CASE WHEN NEW.deleted THEN -1 ELSE 1 END;
    BEGIN
      INSERT INTO log_tally AS t VALUES (NEW.project_id, NEW.id_day, NEW.service, NEW.level, n,
          n * (least(greatest(coalesce(NEW.weight, 1), 0), MOST_WEIGHT) - 1), NEW.created_at)
        ON CONFLICT (project_id, id_day, service, level) DO UPDATE SET entries = t.entries + excluded.entries,
          extra = t.extra + excluded.extra, last_at = greatest(t.last_at, excluded.last_at);
      RETURN NULL;
    END $$;
    CREATE TRIGGER log_marked AFTER UPDATE OF deleted ON logs FOR EACH ROW
      WHEN (OLD.deleted <> NEW.deleted AND NEW.kind <> 'running') EXECUTE FUNCTION log_marked()";

fn kind(field: Field) -> &'static str {
    match field.shape() {
        Shape::Integer => "bigint",
        Shape::Real | Shape::Weight => "double precision",
        Shape::Bool => "boolean",
        Shape::Id => "uuid",
        // Compared byte by byte, as everywhere else.
        _ => "text COLLATE \"C\"",
    }
}

fn columns(wanted: impl Fn(&str) -> bool) -> String {
    let fields = Field::columns().filter(|field| wanted(kind(*field)));
    fields.fold(String::new(), |list, field| list + field.name() + " " + kind(field) + ", ")
}

fn create() -> String {
    let wide = columns(|kind| matches!(kind, "bigint" | "double precision"));
    let ids = columns(|kind| kind == "uuid");
    let small = columns(|kind| kind == "boolean");
    let texts = columns(|kind| kind.starts_with("text"));
    format!(
        "CREATE TABLE logs (seq bigint NOT NULL, created_at timestamptz NOT NULL, project_id bigint NOT NULL, {wide}
           id_day date NOT NULL, hash integer NOT NULL, id uuid NOT NULL, {ids}
           deleted boolean NOT NULL DEFAULT false, ended boolean, {small}
           level text COLLATE \"C\" NOT NULL, service text COLLATE \"C\" NOT NULL, {texts}
           metadata jsonb, detail json, PRIMARY KEY (project_id, id_day, id)) PARTITION BY RANGE (id_day);
         CREATE TABLE log_projects (project_id bigint PRIMARY KEY, seq bigint NOT NULL,
           kept boolean NOT NULL DEFAULT false, open boolean NOT NULL DEFAULT false) WITH (fillfactor = 10);
         CREATE TABLE log_ids (project_id bigint, id uuid, hash integer NOT NULL, id_day date NOT NULL,
           PRIMARY KEY (project_id, id));
         CREATE INDEX log_ids_day ON log_ids (id_day);
         CREATE TABLE log_open (project_id bigint, exchange_id uuid, id uuid, id_day date NOT NULL,
           PRIMARY KEY (project_id, exchange_id, id));
         CREATE TABLE log_tally (project_id bigint, id_day date, service text COLLATE \"C\", level text COLLATE \"C\",
           entries bigint NOT NULL, extra double precision NOT NULL, last_at timestamptz NOT NULL,
           PRIMARY KEY (project_id, id_day, service, level)) WITH (fillfactor = 50);
         CREATE TABLE log_senders (project_id bigint, day date, boot_id text COLLATE \"C\",
           first_at timestamptz NOT NULL, last_at timestamptz NOT NULL, batches bigint NOT NULL, last_seq bigint,
           service text COLLATE \"C\", source text, ledger text, closing boolean NOT NULL, stored bigint NOT NULL, duplicates bigint NOT NULL,
           id_conflicts bigint NOT NULL, rejected bigint NOT NULL, PRIMARY KEY (project_id, day, boot_id));
         CREATE TABLE log_spans (project_id bigint, day date, boot_id text COLLATE \"C\", first bigint,
           next bigint NOT NULL, PRIMARY KEY (project_id, day, boot_id, first));
         CREATE TABLE log_losses (project_id bigint, day date, boot_id text COLLATE \"C\", batch_id text COLLATE \"C\",
           received_at timestamptz NOT NULL, losses text NOT NULL, PRIMARY KEY (project_id, day, boot_id, batch_id));"
    )
}

/// The fourth layout: entries are stored side by side, so their numbers are no longer those of their arrival; a day's key
/// is what tells its entries apart, without the day. Days that are there keep the keys that they have.
const ARRIVALS: &str = "CREATE TABLE log_arrivals (project_id bigint, first bigint NOT NULL, last bigint, days date[] NOT NULL,
       ids uuid[] NOT NULL, PRIMARY KEY (project_id, last));
     ALTER TABLE log_arrivals ALTER ids SET STORAGE EXTERNAL;
     CREATE SEQUENCE log_groups;
     SELECT setval('log_groups', (coalesce(max(seq), 0) >> 20) + 1) FROM log_projects;
     DO $$ DECLARE
       days text[] := (SELECT array_agg(inhrelid::regclass::text ORDER BY inhrelid) FROM pg_inherits
         WHERE inhparent = 'logs'::regclass);
       bounds text[] := (SELECT array_agg(pg_get_expr(c.relpartbound, c.oid) ORDER BY c.oid) FROM pg_inherits i
         JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'logs'::regclass);
     BEGIN
       FOR n IN 1 .. coalesce(cardinality(days), 0) LOOP
         EXECUTE format('ALTER TABLE logs DETACH PARTITION %s', days[n]);
       END LOOP;
       ALTER TABLE logs DROP CONSTRAINT logs_pkey;
       FOR n IN 1 .. coalesce(cardinality(days), 0) LOOP
         EXECUTE format('ALTER TABLE logs ATTACH PARTITION %s %s', days[n], bounds[n]);
       END LOOP;
     END $$";

/// Where a batch's rows are put before it is known which of them are new. Gone with its connection, never in the log.
pub(super) fn staging() -> String {
    let columns = columns(|_| true);
    format!(
        "CREATE TEMPORARY TABLE IF NOT EXISTS log_staging (n bigint, created_at timestamptz, id_day date, hash integer,
           arrival boolean, id uuid, level text COLLATE \"C\", service text COLLATE \"C\", {columns} metadata jsonb,
           detail json) ON COMMIT DELETE ROWS"
    )
}

/// A day's partition.
pub(super) fn partition(day: Day) -> String {
    format!("logs_{}", day.to_string().replace('-', ""))
}

/// Makes a day's partition. It is filled with its indexes before it is joined, which holds up nobody.
pub(super) fn create_day(day: Day, indexes: Indexes) -> String {
    let (name, next) = (partition(day), Day(day.0.saturating_add(1)));
    let own = match indexes {
        // By hash where values repeat little: its insertions walk through all that is there of the same value. A service of
        // many entries is found soon by walking through time, one of few by summaries.
        Indexes::Queries => format!(
            "CREATE INDEX ON {name} (created_at);
             CREATE INDEX ON {name} USING brin (service text_bloom_ops (n_distinct_per_range = 32))
               WITH (pages_per_range = 32, autosummarize = on);
             CREATE INDEX ON {name} USING hash (trace_id);
             CREATE INDEX ON {name} (x_trace_id) WHERE x_trace_id IS NOT NULL;
             CREATE INDEX ON {name} (user_id) WHERE user_id IS NOT NULL;
             CREATE INDEX ON {name} (created_at) WHERE level IN ('ERROR', 'FATAL');
             CREATE INDEX ON {name} (created_at) WHERE slow;"
        ),
        Indexes::Lean => format!(
            "CREATE INDEX ON {name} USING brin (created_at) WITH (pages_per_range = 32, autosummarize = on);"
        ),
    };
    // A running entry that ends is written once more, and few pages have room for that.
    format!(
        "CREATE TABLE {name} (LIKE logs INCLUDING DEFAULTS INCLUDING STORAGE, PRIMARY KEY (project_id, id));
         {own}
         CREATE INDEX ON {name} (created_at) WHERE kind = 'running' AND ended IS NULL;
         ALTER TABLE logs ATTACH PARTITION {name} FOR VALUES FROM ('{day}') TO ('{next}');"
    )
}

/// The columns of an answer: `id, created_at, level, service, detail, metadata`, then those of [`Field::columns`].
pub(super) fn shown() -> String {
    let fields = Field::columns().fold(String::new(), |list, field| list + ", " + field.name());
    format!("id, created_at, level, service, detail::text, metadata::text{fields}")
}
