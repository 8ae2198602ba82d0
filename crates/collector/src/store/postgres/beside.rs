//! Where a copy of an entry may be known beside the key, and the statements that look there.

/// Days before the one of its arrival in which a copy of an entry is looked for whose id names no day: at least 48 h.
const ARRIVAL_DAYS: [i32; 2] = [1, 2];

/// Where copies may be known beside the key. Nothing is looked for in vain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Beside {
    /// In the two days before: some id names no day.
    pub(super) arrivals: bool,
    /// In `log_ids`.
    pub(super) kept: bool,
}

/// The project's turn to look there, or to delete, until the end of the transaction.
pub(super) const TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended('hoplog', $1))";

/// Takes over from the staging table what is known nowhere.
pub(super) fn insertion(columns: &str, beside: Beside) -> String {
    let common = "created_at, id_day, hash, id, level, service";
    let mut conditions = Vec::new();
    if beside.kept {
        conditions
            .push("NOT EXISTS (SELECT FROM log_ids k WHERE k.project_id = $2 AND k.id = s.id)".to_owned());
    }
    if beside.arrivals {
        for days in ARRIVAL_DAYS {
            conditions.push(format!(
                "NOT (arrival AND EXISTS (SELECT FROM logs l WHERE l.project_id = $2 AND l.id_day = s.id_day - {days}
                   AND l.id = s.id))"
            ));
        }
    }
    let conditions = match conditions.is_empty() {
        true => String::new(),
        false => " WHERE ".to_owned() + &conditions.join(" AND "),
    };
    format!(
        "INSERT INTO logs (seq, project_id, {common}{columns})
         SELECT $1::bigint + n, $2::bigint, {common}{columns} FROM log_staging s{conditions} ON CONFLICT DO NOTHING"
    )
}

/// The rows that were there before, or came twice: their place, and the hash of what is there. `OFFSET` keeps the planner
/// from turning a join round: for each row one looks into the key, however little the tables held when it was planned.
pub(super) fn copies(beside: Beside) -> String {
    let in_table = |table: &str, condition: &str| {
        format!(
            "SELECT s.n, l.hash FROM log_staging s CROSS JOIN LATERAL (SELECT hash FROM {table} l
               WHERE l.project_id = $1 AND l.id = s.id AND {condition} OFFSET 0) AS l"
        )
    };
    let mut all = vec![in_table("logs", "l.id_day = s.id_day AND l.seq <> $2 + s.n")];
    if beside.kept {
        all.push(in_table("log_ids", "true"));
    }
    if beside.arrivals {
        all.extend(
            ARRIVAL_DAYS.map(|days| in_table("logs", &format!("l.id_day = s.id_day - {days} AND s.arrival"))),
        );
    }
    all.join(" UNION ALL ")
}
