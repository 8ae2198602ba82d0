//! What only PostgreSQL has: its psql, its errors, its migrations.

use crate::process::Process;
use crate::support::{NOON, Postgres, ServerOn, TempDir, id_of, request};
use hoplog_collector::PostgresIndexes;
use hoplog_testdb::{Cluster, Sync};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

type Server = ServerOn<Postgres>;

/// A collector on a database of its own, and that database; nothing where there is no PostgreSQL.
fn start() -> Option<(Server, &'static Cluster, String)> {
    let cluster = hoplog_testdb::shared()?;
    let server = Server::start();
    let url = std::fs::read_to_string(server.directory.path().join("database")).unwrap();
    Some((server, cluster, url))
}

#[test]
fn the_queries_of_an_existing_log_collector_run_as_they_are() {
    let Some((server, cluster, url)) = start() else { return };
    let now: f64 = cluster.sql(&url, "SELECT extract(epoch FROM now())").parse().unwrap();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let entry = |n: u32, level: &str, ms: Value| {
        json!({"created_at": now - f64::from(n), "service": format!("s{n}"), "function_name": "pay", "level": level,
            "message": format!("m{n}"), "duration_ms": ms, "trace_id": trace, "method": "GET", "path": "/a",
            "metadata": {"zone": "a"}, "tenant_id": "t1", "status_code": 200 + n, "ip": "203.0.113.7"})
    };
    server.send(json!([
        entry(1, "INFO", json!(2.5)),
        entry(2, "ERROR", json!(7.5)),
        entry(3, "INFO", Value::Null),
        {"message": "elsewhere", "created_at": now - 7_200.0},
    ]));
    for (query, said) in [
        (
            "SELECT created_at, service, function_name, message, duration_ms FROM logs WHERE trace_id = $1 ORDER BY created_at",
            "s3|pay|m3|\ns2|pay|m2|7.5\ns1|pay|m1|2.5",
        ),
        (
            "SELECT path, method, COUNT(*), COUNT(CASE WHEN level = 'ERROR' THEN 1 END) FROM logs WHERE created_at > NOW() - INTERVAL '1 hour' GROUP BY path, method",
            "/a|GET|3|1",
        ),
        (
            "SELECT function_name, COUNT(*), AVG(duration_ms), MAX(duration_ms) FROM logs WHERE duration_ms IS NOT NULL GROUP BY function_name",
            "pay|2|5|7.5",
        ),
    ] {
        let statement = match query.contains("$1") {
            true => format!("PREPARE q AS {query}; EXECUTE q('{trace}')"),
            false => query.to_owned(),
        };
        let found = cluster.sql(&url, &statement);
        let found = match query.contains("$1") {
            true => found.lines().map(|line| line.split_once('|').unwrap().1).collect::<Vec<_>>().join("\n"),
            false => found,
        };
        assert_eq!(found, said, "{query}");
    }
    let old = "id created_at level log_type service environment service_version trace_id user_id session_id error_type \
               message stack_trace path method action_type function_name file_path duration_ms deleted metadata";
    let columns = old.split_whitespace().collect::<Vec<_>>().join(", ");
    let one = cluster.sql(&url, &format!("SELECT {columns} FROM logs WHERE message = 'm2'"));
    assert!(one.contains("|ERROR|BACKEND|s2|development|v0.0.0-dev|"), "{one}");
    let other = "SELECT metadata ->> 'zone', metadata @> '{\"zone\": \"a\"}', status_code, ip, tenant_id FROM logs WHERE message = 'm2'";
    assert_eq!(cluster.sql(&url, other), "a|t|202|203.0.113.7|t1");
    let plan = cluster.sql(
        &url,
        &format!("EXPLAIN SELECT message FROM logs WHERE trace_id = '{trace}' ORDER BY created_at"),
    );
    assert!(plan.contains("trace_id_idx"), "a trace is found by its index: {plan}");
}

#[test]
fn an_entry_that_postgresql_does_not_take_as_it_is_keeps_its_json_as_text_and_spares_the_others() {
    let Some((server, _, _)) = start() else { return };
    // A number that is one, and beyond what its type of JSON holds.
    let odd = r#"{"id":"ID","message":"odd","metadata":{"least":1e-99999}}"#;
    let whole = 999;
    for (round, place) in [0, whole / 2, whole].into_iter().enumerate() {
        let id = id_of(NOON - round as u64);
        let mut logs: Vec<String> =
            (0..whole).map(|n| json!({"message": format!("{round}.{n}")}).to_string()).collect();
        logs.insert(place, odd.replace("ID", &id));
        let answer = server.post("/logs", &[], format!("{{\"logs\":[{}]}}", logs.join(",")).as_bytes());
        assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(1_000)), "{answer:?}");
        let kept = server.get(&format!("/api/v1/logs/{id}")).json();
        assert_eq!(
            (&kept["message"], &kept["metadata"]),
            (
                &json!("odd"),
                &json!({"metadata": "{\"least\":1e-99999}", "hoplog_flags": ["replaced_values"]})
            )
        );
    }
    assert!(server.get("/metrics").body.contains("hoplog_store_kept_as_text_total 3\n"));
    assert_eq!(server.get("/stats").json()["stored"], 3_000);
}

#[test]
fn each_class_of_error_has_its_answer() {
    let Some((server, cluster, url)) = start() else { return };
    server.send(json!([{"message": "first"}]));
    // Raises what it is told, so many times; a sequence forgets nothing when a transaction does.
    cluster.sql(
        &url,
        "CREATE SEQUENCE raised; CREATE TABLE fault (state text, times int);
         CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS $$
           DECLARE f record; BEGIN
             SELECT * INTO f FROM fault;
             IF f.times > 0 AND nextval('raised') <= f.times THEN RAISE EXCEPTION 'told to' USING ERRCODE = f.state; END IF;
             RETURN NULL;
           END $$;
         CREATE TRIGGER raise AFTER INSERT ON logs FOR EACH STATEMENT EXECUTE FUNCTION raise()",
    );
    for (state, times, status) in [
        ("40001", 2, 200), // a serialization failure
        ("40P01", 2, 200), // a deadlock
        ("57P01", 1, 200), // an administrator's command
        ("08006", 1, 200), // a failed connection
        ("40001", 9, 503),
        ("53100", 1, 507), // the disk is full
        ("53200", 1, 503), // out of memory
        ("53300", 1, 503), // too many connections
        ("55P03", 1, 503), // a lock that is not to be had
        ("57014", 1, 503), // a statement that took too long
        ("42501", 1, 503), // no right to do it
    ] {
        cluster.sql(&url, &format!("DELETE FROM fault; INSERT INTO fault VALUES ('{state}', {times}); ALTER SEQUENCE raised RESTART"));
        let id = id_of(NOON);
        let body = json!({"logs": [{"id": id, "message": state}]}).to_string();
        let answer = server.post("/logs", &[], body.as_bytes());
        assert_eq!(answer.status, status, "{state}: {answer:?}");
        assert_eq!(answer.header("retry-after").is_some(), status != 200, "{state}: {answer:?}");
        assert_eq!(
            server.get(&format!("/api/v1/logs/{id}")).status,
            if status == 200 { 200 } else { 404 },
            "{state}"
        );
        // Once the fault is gone, the same again is taken, and no more than once.
        cluster.sql(&url, "DELETE FROM fault");
        let again = server.post("/logs", &[], body.as_bytes()).json();
        assert_eq!(again["duplicates"], u64::from(status == 200), "{state}");
    }
}

#[test]
fn a_table_that_somebody_locked_is_503_until_it_is_free() {
    let Some((server, cluster, url)) = start() else { return };
    server.send(json!([{"message": "before"}]));
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| cluster.sql(&url, "BEGIN; LOCK TABLE logs; SELECT pg_sleep(7); COMMIT"));
        let locked = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'logs'::regclass";
        while cluster.sql(&url, locked) != "1" {}
        let refused = server.post("/logs", &[], br#"{"logs":[{"message":"meanwhile"}]}"#);
        assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true), "{refused:?}");
        holder.join().unwrap();
    });
    server.send(json!([{"message": "after"}]));
    assert_eq!(server.get("/stats").json()["stored"], 2);
}

/// What tells one layout from another.
fn layout(cluster: &Cluster, url: &str) -> String {
    cluster.sql(
        url,
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name NOT LIKE 'logs\\_%' ORDER BY 1, 2;
         SELECT tablename, regexp_replace(indexdef, '2026\\d+', 'DAY', 'g') FROM pg_indexes
           WHERE schemaname = 'public' AND tablename NOT LIKE 'logs\\_%' ORDER BY 1, 2;
         SELECT version FROM log_layouts",
    )
}

#[test]
fn a_start_that_is_killed_while_it_makes_the_tables_is_taken_up_by_the_next() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let directory = TempDir::new();
    let serve = |url: &str| Process::serve_with(directory.path(), &["--store", url]);
    let whole = cluster.database();
    drop(serve(&whole));
    let (mut kills, mut half_way) = (0, 0);
    for round in 0..20_u64 {
        let url = cluster.database();
        // Killed as soon as it is seen there, or a little later; one that is not seen has made its tables meanwhile.
        let there = "SELECT to_regclass('logs') IS NOT NULL OR EXISTS (SELECT FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'hoplog')";
        let mut process = Process::begin(directory.path(), &["--store", &url]);
        while cluster.sql(&url, there) == "f" {}
        std::thread::sleep(Duration::from_millis(round * 2));
        process.kill().unwrap();
        process.wait().unwrap();
        kills += 1;
        let before = cluster.sql(&url, "SELECT to_regclass('logs') IS NULL OR count(*) < 3 FROM pg_inherits");
        half_way += u32::from(before == "t");
        drop(serve(&url));
        assert_eq!(layout(cluster, &url), layout(cluster, &whole), "after the kill of round {round}");
    }
    println!("FIGURE postgresql_layout.kills {kills} count");
    println!("FIGURE postgresql_layout.kills_half_way {half_way} count");
    assert!(half_way > 0, "no kill met a start half way");
}

/// Makes of a database of the present layout one of the third, with what it holds.
fn back_to_layout_3(cluster: &Cluster, url: &str) {
    let days = "SELECT string_agg(inhrelid::regclass::text, ' ') FROM pg_inherits WHERE inhparent = 'logs'::regclass";
    for day in cluster.sql(url, days).split_whitespace() {
        cluster
            .sql(url, &format!("ALTER TABLE {day} DROP CONSTRAINT {day}_pkey; CREATE INDEX ON {day} (seq)"));
    }
    cluster.sql(
        url,
        "ALTER TABLE logs ADD PRIMARY KEY (project_id, id_day, id);
         UPDATE logs l SET seq = n.n FROM (SELECT id, row_number() OVER (ORDER BY seq) AS n FROM logs) n WHERE l.id = n.id;
         DROP TABLE log_arrivals; DROP SEQUENCE log_groups; DELETE FROM log_layouts WHERE version > 3",
    );
}

#[test]
fn a_database_of_an_older_layout_is_brought_to_this_one_with_what_it_holds() {
    let Some((server, cluster, url)) = start() else { return };
    let logs: Vec<Value> = (0..300).map(|n| json!({"id": id_of(NOON - n * 600), "message": n})).collect();
    assert_eq!(server.send(json!(logs))["accepted"], 300);
    let directory = server.stop();
    let before = cluster.sql(&url, "SELECT md5(string_agg(id::text || message, ',' ORDER BY id)) FROM logs");
    back_to_layout_3(cluster, &url);
    let server = Server::in_directory(directory, |config| config);
    assert_eq!(
        cluster.sql(&url, "SELECT md5(string_agg(id::text || message, ',' ORDER BY id)) FROM logs"),
        before
    );
    assert_eq!(server.send(json!(logs))["duplicates"], 300, "each is known by the key of its day");
    let newer: Vec<Value> = (0..300)
        .map(|n| json!({"id": id_of(NOON - 10 * 86_400 - n * 600), "message": "of days made since"}))
        .collect();
    assert_eq!(server.send(json!(newer))["accepted"], 300);
    assert_eq!(server.send(json!(newer))["duplicates"], 300);
    assert_eq!((total(&server), server.logs("?limit=1000").len()), (600, 600));
    let numbers = "SELECT count(*) - count(DISTINCT seq) FROM logs";
    assert_eq!(cluster.sql(&url, numbers), "0", "no place is given twice");
}

#[test]
fn a_database_that_is_not_ours_is_left_alone() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let directory = TempDir::new();
    let refused = |url: &str| {
        let output = Process::begin(directory.path(), &["--store", url]).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let url = cluster.database();
    cluster.sql(&url, "CREATE TABLE logs (id int)");
    assert!(refused(&url).contains("has a table `logs` that hoplog did not make"));
    assert_eq!(cluster.sql(&url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "1");
    let url = cluster.database();
    drop(Process::serve_with(directory.path(), &["--store", &url]));
    cluster.sql(&url, "INSERT INTO log_layouts VALUES (99)");
    assert!(refused(&url).contains("has layout 99, this hoplog knows"));
    let secret = "postgres://postgres:hidden@127.0.0.1:1/nothing";
    let said = refused(secret);
    assert!(said.contains("cannot be reached") && !said.contains("hidden"), "{said}");
}

#[test]
fn several_collectors_share_a_database_and_each_follows_what_the_others_take() {
    let Some((server, _, _)) = start() else { return };
    let other = Server::in_directory(std::sync::Arc::clone(&server.directory), |config| config);
    let batch: Vec<Value> = (0..500).map(|n| json!({"id": id_of(NOON - n)})).collect();
    let accepted: u64 = std::thread::scope(|scope| {
        let send = |server: &Server| server.send(json!(batch))["accepted"].as_u64().unwrap();
        let servers = [&server, &other];
        let sent: Vec<_> = (0..8).map(|n| scope.spawn(move || send(servers[n % 2]))).collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).sum()
    });
    assert_eq!(accepted, 500);
    for server in [&server, &other] {
        assert_eq!(request(server.address, "GET", "/stats", &[], b"").json()["stored"], 500);
    }
}

#[test]
fn writers_side_by_side_never_wait_for_each_other_in_a_circle() {
    if hoplog_testdb::shared().is_none() {
        return;
    }
    let server = Server::with(|config| config.postgres_writers(12));
    let ids: Vec<String> = (0..1_000).map(|n| id_of(NOON - n)).collect();
    let accepted: u64 = std::thread::scope(|scope| {
        let send = |sender: usize| -> u64 {
            // Each goes through all of them in an order and in steps of its own, with entries between that nobody else has.
            let rounds = (0..20_usize).map(|round| {
                let known = (0..50).map(|n| &ids[(n * (2 * sender + 1) * 7 + round * 50) % ids.len()]);
                let mut logs: Vec<Value> = known.map(|id| json!({"id": id, "message": "a"})).collect();
                logs.dedup();
                logs.push(json!({"id": id_of(NOON - 2_000 - (sender * 100 + round) as u64), "message": "b"}));
                server.send(json!(logs))["accepted"].as_u64().unwrap()
            });
            rounds.sum::<u64>()
        };
        let senders: Vec<_> = (0..8).map(|sender| scope.spawn(move || send(sender))).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    let stored = total(&server);
    assert_eq!(accepted, stored, "each is acknowledged as new one time");
    assert!(stored > 8 * 20, "{stored}");
    let retries = "hoplog_store_retries_total 0\n";
    assert!(
        server.get("/metrics").body.contains(retries),
        "a circle is broken by a transaction that is tried again"
    );
}

#[test]
fn tls_is_spoken_to_whoever_shows_the_right_certificate_and_to_nobody_else() {
    let Some(cluster) = Cluster::start(Sync::Off) else { return };
    let (key, certificate) = (cluster.data().join("server.key"), cluster.data().join("server.crt"));
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (path, content) in [(&key, signed.signing_key.serialize_pem()), (&certificate, signed.cert.pem())] {
        std::fs::write(path, content).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        cluster.programs().give(path);
    }
    cluster.set("ssl", "on");
    let directory = TempDir::new();
    let trusted = directory.path().join("ca.pem");
    std::fs::write(&trusted, signed.cert.pem()).unwrap();
    let url = cluster.database();
    let by_name = url.replace("127.0.0.1", "localhost");
    let tls = format!("{by_name}?sslmode=verify-full&sslrootcert={}", trusted.display());
    let process = Process::serve_with(directory.path(), &["--store", &tls]);
    assert_eq!(process.post(br#"{"logs":[{"message":"a"}]}"#).status, 200);
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'hoplog'";
    assert_eq!(cluster.sql(&url, encrypted), "t");
    drop(process);
    for (why, url) in [
        ("nobody trusts it", format!("{by_name}?sslmode=require")),
        ("another name", format!("{url}?sslmode=require&sslrootcert={}", trusted.display())),
    ] {
        let output = Process::begin(directory.path(), &["--store", &url]).wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains("certificate"), "{why}: {said}");
    }
}

#[test]
fn a_socket_of_this_machine_is_spoken_to_and_not_in_tls() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let url = cluster.database();
    let socket = cluster.data().parent().unwrap().to_str().unwrap().replace('/', "%2F");
    let url = url.replace("127.0.0.1", &socket);
    let directory = TempDir::new();
    let process = Process::serve_with(directory.path(), &["--store", &url]);
    assert_eq!(process.post(br#"{"logs":[{"message":"a"}]}"#).status, 200);
    drop(process);
    let output = Process::begin(directory.path(), &["--store", &format!("{url}?sslmode=require")])
        .wait_with_output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("TLS"), "{said}");
}

#[test]
fn days_are_made_ahead_and_dropped_by_age_and_by_bytes() {
    let Some((server, cluster, url)) = start() else { return };
    let days = || {
        cluster.sql(&url, "SELECT string_agg(substr(inhrelid::regclass::text, 6), ' ' ORDER BY inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'logs'::regclass")
    };
    assert_eq!(days(), "20260310 20260311 20260312");
    let text = "x".repeat(20_000);
    server.send(json!([{"id": id_of(NOON - 5 * 86_400), "message": text}, {"id": id_of(NOON - 86_400), "message": text}, {"message": "today"}]));
    assert_eq!(days(), "20260305 20260309 20260310 20260311 20260312");
    let server = Server::in_directory(server.stop(), |config| config.retention_days(3));
    assert_eq!((days().as_str(), total(&server)), ("20260309 20260310 20260311 20260312", 2));
    let server = Server::in_directory(server.stop(), |config| config.retention_bytes(0));
    assert_eq!((days().as_str(), total(&server)), ("20260310 20260311 20260312", 1));
    let counted = "SELECT string_agg(DISTINCT id_day::text, ' ') FROM log_tally";
    assert_eq!(cluster.sql(&url, counted), "2026-03-10", "what was counted of a day goes with it");
    let lean = Server::in_directory(server.stop(), |config| config.postgres_indexes(PostgresIndexes::Lean));
    lean.send(json!([{"id": id_of(NOON - 2 * 86_400), "message": "of a day with few indexes"}]));
    let indexes =
        "SELECT count(*) FROM pg_indexes WHERE tablename = 'logs_20260308' AND indexdef LIKE '%USING brin%'";
    assert_eq!(cluster.sql(&url, indexes), "1");
    assert_eq!((lean.logs("?q=few").len(), lean.logs("?limit=1")[0]["message"].as_str()), (1, Some("today")));
    // Page by page, over stretches of time in which there is little.
    let ages = [0, 1, 2, 700, 800, 30_000, 90_000, 500_000];
    lean.send(json!(
        ages.map(|age| json!({"message": format!("{age} ago"), "created_at": NOON - age, "user_id": "p"}))
    ));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = lean.get(&format!("/api/v1/logs?limit=3&user_id=p&cursor={cursor}")).json();
        seen.extend(
            page["logs"].as_array().unwrap().iter().map(|log| log["message"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ages.map(|age| format!("{age} ago")));
}

fn total(server: &Server) -> u64 {
    server.get("/stats").json()["stored"].as_u64().unwrap()
}

#[test]
fn what_is_marked_as_deleted_by_sql_is_in_no_answer_until_the_mark_is_taken_away() {
    let Some((server, cluster, url)) = start() else { return };
    server.send(json!([{"message": "a", "service": "one", "weight": 3}, {"message": "b", "service": "two"}]));
    let counts = || {
        let stats = server.get("/stats").json();
        (server.logs("").len(), stats["stored"].as_u64().unwrap(), stats["total_logs"].as_u64().unwrap())
    };
    assert_eq!(counts(), (2, 2, 4));
    cluster.sql(&url, "UPDATE logs SET deleted = true WHERE message = 'a'");
    assert_eq!(counts(), (1, 1, 1));
    assert_eq!(server.get("/api/v1/services").json()["services"].as_array().unwrap().len(), 1);
    // Twice is once.
    cluster.sql(&url, "UPDATE logs SET deleted = true");
    assert_eq!(counts(), (0, 0, 0));
    cluster.sql(&url, "UPDATE logs SET deleted = false WHERE message = 'a'");
    assert_eq!(counts(), (1, 1, 3));
}

#[test]
fn a_database_of_the_first_layout_keeps_its_entries_and_gets_what_later_ones_add() {
    let Some((server, cluster, url)) = start() else { return };
    server
        .send(json!((0..500).map(|n| json!({"message": format!("m{n}"), "weight": 2})).collect::<Vec<_>>()));
    let rows = "SELECT md5(string_agg((to_jsonb(l) - 'seq')::text, ',' ORDER BY id)) FROM logs l";
    let (before, layout_before) = (cluster.sql(&url, rows), layout(cluster, &url));
    let directory = server.stop();
    // As it was before keys and marks were there.
    back_to_layout_3(cluster, &url);
    cluster.sql(
        &url,
        "DROP TRIGGER log_marked ON logs; DROP FUNCTION log_marked; DROP TABLE log_keys, log_names, log_key_book, log_sent;
         DELETE FROM log_layouts WHERE version > 1",
    );
    assert_ne!(layout(cluster, &url), layout_before);
    let server = Server::in_directory(directory, |config| config);
    assert_eq!((cluster.sql(&url, rows), layout(cluster, &url)), (before, layout_before));
    assert_eq!(server.get("/stats").json()["total_logs"], 1_000);
    cluster.sql(&url, "UPDATE logs SET deleted = true WHERE message = 'm7'");
    assert_eq!(server.get("/stats").json()["total_logs"], 998);
}
