//! PostgreSQL goes down, or ends a connection, in the middle of whatever the collector has it do, again and again. What
//! was acknowledged is there in the end, once; meanwhile the collector lives and says when to come again.

use super::kills::{BATCH, Found, Front, Oracle, Place, look, send};
use super::{Dice, bound, figure, times};
use crate::support::{TempDir, request};
use hoplog_testdb::{Cluster, Sync};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a connection that writes is busy with, as PostgreSQL says it.
const PHASES: [(&str, &str); 3] =
    [("copy", "COPY%"), ("insert", "INSERT INTO logs %"), ("commit", "COMMIT%")];

/// A metric of the collector.
fn metric(address: std::net::SocketAddr, name: &str) -> u64 {
    let text = request(address, "GET", "/metrics", &[], b"").body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).map(str::to_owned);
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// Does `fault` so many times under load; the oracle, and how long each sender was sending at most after it.
fn under_faults(
    place: &Place,
    rounds: usize,
    front: fn(std::net::SocketAddr) -> Front,
    mut fault: impl FnMut(usize),
) -> (Oracle, Found, Duration, u64) {
    let oracle = Mutex::new(Oracle::default());
    let process = place.serve();
    let front = front(process.address);
    let (stop, mut longest) = (AtomicBool::new(false), Duration::ZERO);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut unanswered = None;
                while !stop.load(Relaxed) {
                    send(front.address, &stop, &mut unanswered, &oracle);
                }
            });
        }
        let acknowledged = || oracle.lock().unwrap().acknowledged.len();
        for round in 0..rounds {
            let (before, began) = (acknowledged(), Instant::now());
            // Not before it works again: that it does is half of the promise.
            while acknowledged() < before + 2 * BATCH {
                assert!(began.elapsed() < Duration::from_secs(30), "nothing is taken any more");
                std::thread::sleep(Duration::from_millis(1));
            }
            if round > 0 {
                longest = longest.max(began.elapsed());
            }
            fault(round);
        }
        let (before, began) = (acknowledged(), Instant::now());
        while acknowledged() < before + 2 * BATCH && began.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(1));
        }
        stop.store(true, Relaxed);
    });
    let oracle = oracle.into_inner().unwrap();
    let unknown = metric(process.address, "hoplog_store_commits_unknown_total");
    let found = look(&process, &oracle);
    (oracle, found, longest, unknown)
}

fn tell(name: &str, rounds: usize, (oracle, found, longest, unknown): &(Oracle, Found, Duration, u64)) {
    let figure =
        |what: &str, value: &dyn std::fmt::Display, unit| figure(&format!("{name}.{what}"), value, unit);
    figure("faults", &rounds, "count");
    figure("acknowledged", &oracle.acknowledged.len(), "entries");
    figure("answered_503", &oracle.put_off, "count");
    figure("commits_unknown", unknown, "count");
    figure("raw_duplicates", &oracle.raw_duplicates, "entries");
    figure("missing", &found.missing, "entries");
    figure("stored_twice", &found.stored_twice, "entries");
    figure("longest_until_taken_again", &format!("{:.2}", longest.as_secs_f64()), "s");
    figure("bound_per_fault", &bound(rounds), "probability");
    assert_eq!(oracle.refused, [""; 0]);
    assert_eq!(*found, Found::default());
}

#[test]
fn what_was_acknowledged_survives_every_restart_of_postgresql() {
    let Some(cluster) = Cluster::start(Sync::On) else { return };
    // Each commit waits a little for others before it goes to the disk: that is where a restart is to meet it.
    cluster.set("commit_delay", "20000");
    cluster.set("commit_siblings", "0");
    let place = Place { directory: TempDir::new(), store: Some(cluster.database()) };
    let rounds = times(20, 100);
    let mut dice = Dice(7);
    let all = under_faults(&place, rounds, Front::none, |_| {
        std::thread::sleep(Duration::from_micros(dice.next(30_000) as u64));
        cluster.restart_immediately();
    });
    tell("postgresql_restart", rounds, &all);
    assert!(all.0.put_off > 0, "no sender was told to come again");
    assert!(all.3 > 0, "no restart met a commit");
}

#[test]
fn what_was_acknowledged_survives_the_end_of_any_connection() {
    let Some(cluster) = Cluster::start(Sync::On) else { return };
    cluster.set("commit_delay", "5000");
    cluster.set("commit_siblings", "0");
    let place = Place { directory: TempDir::new(), store: Some(cluster.database()) };
    let rounds = times(21, 100);
    let mut met = [0_usize; PHASES.len()];
    let all = under_faults(&place, rounds, Front::none, |round| {
        let phase = round % PHASES.len();
        met[phase] += usize::from(end_connection(&cluster, PHASES[phase].1));
    });
    for ((name, _), met) in PHASES.iter().zip(met) {
        figure(&format!("postgresql_terminate.in_{name}"), met, "count");
        assert!(met > 0, "no connection was ended in {name}");
    }
    tell("postgresql_terminate", rounds, &all);
}

/// Ends the first connection that is met busy with this; false if none is within two seconds.
fn end_connection(cluster: &Cluster, busy_with: &str) -> bool {
    let block = format!(
        "DO $$ DECLARE found integer; until timestamptz := clock_timestamp() + interval '2 s'; BEGIN
           WHILE clock_timestamp() < until LOOP
             PERFORM pg_stat_clear_snapshot();
             SELECT pid INTO found FROM pg_stat_activity
               WHERE application_name = 'hoplog' AND state = 'active' AND query LIKE '{busy_with}' LIMIT 1;
             IF found IS NOT NULL THEN PERFORM pg_terminate_backend(found); RETURN; END IF;
           END LOOP;
           RAISE EXCEPTION 'none met';
         END $$"
    );
    cluster.try_sql("postgres", &block).is_ok()
}

/// Passes bytes on between the collector and PostgreSQL; told to, it lets a commit through and cuts the connection instead
/// of passing its answer on.
struct Cutter {
    port: u16,
    /// How many commits' answers are still to be lost, and how many were.
    to_lose: Arc<AtomicUsize>,
    lost: Arc<AtomicUsize>,
}

impl Cutter {
    fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let cutter = Self { port: own, to_lose: Arc::default(), lost: Arc::default() };
        let (to_lose, lost) = (Arc::clone(&cutter.to_lose), Arc::clone(&cutter.lost));
        std::thread::spawn(move || {
            for collector in listener.incoming().flatten() {
                let database = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let (to_lose, lost) = (Arc::clone(&to_lose), Arc::clone(&lost));
                let cut = Arc::new(AtomicBool::new(false));
                let (from, to) = (collector.try_clone().unwrap(), database.try_clone().unwrap());
                let seen = Arc::clone(&cut);
                std::thread::spawn(move || {
                    pass(from, to, |bytes| {
                        let commits = bytes.windows(7).any(|piece| piece == b"COMMIT\0");
                        let one_less = |n: usize| n.checked_sub(1);
                        if commits && to_lose.fetch_update(Relaxed, Relaxed, one_less).is_ok() {
                            seen.store(true, Relaxed);
                        }
                        true
                    });
                });
                std::thread::spawn(move || {
                    pass(database, collector, |_| {
                        let cut = cut.load(Relaxed);
                        lost.fetch_add(usize::from(cut), Relaxed);
                        !cut
                    });
                });
            }
        });
        cutter
    }
}

/// Passes bytes on until one side ends or `may` says no; then neither side hears of the other any more.
fn pass(mut from: TcpStream, mut to: TcpStream, mut may: impl FnMut(&[u8]) -> bool) {
    let mut piece = [0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut piece) {
        if !may(&piece[..n]) || to.write_all(&piece[..n]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn what_was_committed_without_a_word_is_known_again_when_it_is_sent_again() {
    let Some(cluster) = hoplog_testdb::shared() else { return };
    let cutter = Cutter::before(cluster.port());
    let (from, to) = (format!(":{}/", cluster.port()), format!(":{}/", cutter.port));
    let place = Place { directory: TempDir::new(), store: Some(cluster.database().replace(&from, &to)) };
    let rounds = times(20, 100);
    let all = under_faults(&place, rounds, Front::none, |round| {
        cutter.to_lose.fetch_add(1, Relaxed);
        let began = Instant::now();
        while cutter.lost.load(Relaxed) <= round {
            assert!(began.elapsed() < Duration::from_secs(30), "no commit came by");
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    tell("postgresql_lost_answer", rounds, &all);
    assert!(all.3 >= rounds as u64, "{} commits were unknown", all.3);
    assert!(all.0.raw_duplicates > 0, "nothing was there already when it was tried again");
}

#[test]
fn the_oracle_sees_a_collector_that_acknowledges_what_postgresql_has_not_committed() {
    let Some(cluster) = Cluster::start(Sync::Off) else { return };
    let place = Place { directory: TempDir::new(), store: Some(cluster.database()) };
    let (_, found, ..) =
        under_faults(&place, 3, Front::broken_ack_before_commit, |_| cluster.restart_immediately());
    figure("postgresql_restart.control_missing", found.missing, "entries");
    assert!(found.missing > 0, "the control stays green: {found:?}");
}
