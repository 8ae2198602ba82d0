//! Several processes, one spool.

use std::io::{BufRead as _, BufReader, Write as _};

use super::*;

const TEST: &str = "spool::tests::real::processes::each_entry_has_one_owner_and_orphans_are_adopted";

/// Writes four entries, says what it recovered, and waits to be told to end.
fn live(place: &Path, first: u64) {
    let mut spool = Spool::open(RealFs, config(place), now()).unwrap();
    drain(&mut spool).iter().for_each(|n| say(&format!("recovered {n}")));
    for number in first..first + 4 {
        spool.append(now(), &record(number), 1, Keep::Held).unwrap();
    }
    spool.sync(now()).unwrap();
    say(&format!("live {}", spool.status().live));
    say("ready");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    spool.close(now());
}

/// Starts a process and waits until it is ready.
fn start(place: &Place, first: u64) -> (Running, Vec<String>) {
    let mut running = Running(child(TEST, &first.to_string(), &place.spool()).spawn().unwrap());
    let mut lines = Vec::new();
    for line in BufReader::new(running.0.stdout.take().unwrap()).lines() {
        let Some((_, said)) = line.as_ref().unwrap().split_once("SAID ") else { continue };
        if said == "ready" {
            return (running, lines);
        }
        lines.push(said.to_owned());
    }
    panic!("it ended: {lines:?}");
}

#[test]
fn each_entry_has_one_owner_and_orphans_are_adopted() {
    if let Some((task, place)) = task() {
        return live(&place, task.parse().unwrap());
    }
    let place = Place::new();
    let (mut first, said) = start(&place, 100);
    assert_eq!(said, ["live 0"]);
    let (_second, said) = start(&place, 200);
    assert_eq!(said, ["live 1"], "a living process is left alone");
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    let (_third, said) = start(&place, 300);
    assert_eq!(said, ["recovered 100", "recovered 101", "recovered 102", "recovered 103", "live 1"]);
    let (mut fourth, said) = start(&place, 400);
    assert_eq!(said, ["live 2"], "what was adopted and delivered is nobody's any more");
    // Closed and not killed: what it held is left for others.
    drop(fourth.0.stdin.take());
    fourth.0.wait().unwrap();
    let mut spool = place.open();
    assert_eq!(drain(&mut spool), [400, 401, 402, 403]);
    println!("FIGURE spool.adopted {} directories", 1 + spool.status().adopted);
    println!("FIGURE spool.double_owned 0 entries");
}

#[test]
fn two_that_look_for_orphans_at_once_never_share_one() {
    let (mut raced, mut owned_twice, mut rounds) = (0, 0, 0);
    // Until they have met often enough.
    while raced < 3 && rounds < 200 {
        rounds += 1;
        let place = Place::new();
        for n in 0..20 {
            let mut spool = place.open();
            spool.append(now(), &record(n), 1, Keep::Spooled).unwrap();
            drop(spool);
        }
        let barrier = std::sync::Barrier::new(2);
        let run = || {
            barrier.wait();
            let mut spool = place.open();
            (drain(&mut spool), spool.status().adopted)
        };
        let (a, b) = std::thread::scope(|scope| {
            let other = scope.spawn(run);
            (run(), other.join().unwrap())
        });
        raced += u64::from(a.1 > 0 && b.1 > 0);
        let (a, b) = (set(a.0), set(b.0));
        owned_twice += a.intersection(&b).count();
        let rest = set(drain(&mut place.open()));
        let all: BTreeSet<u64> = a.union(&b).chain(&rest).copied().collect();
        assert_eq!(all, set(0..20), "each is owned by somebody");
    }
    println!("FIGURE spool.adoption_races {raced} races");
    println!("FIGURE spool.adoption_owned_twice {owned_twice} entries");
    assert_eq!(owned_twice, 0);
    assert!(raced > 0, "they never met in {rounds} rounds");
}
