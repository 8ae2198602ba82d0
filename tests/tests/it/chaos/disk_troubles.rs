//! Disks that do not take what the application wants to keep: full, read-only, gone, forbidden.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::disk::{Blank, output};
use super::oracle::is_quiet;
use super::program::{Program, Shop, Upstream, shop};
use super::{figure, skipped, times};

const PATIENCE: Duration = Duration::from_secs(120);

/// Entries of 1 KiB for the disk that is too small: more than it takes, and more than memory does.
const ORDERS: u64 = 24_000;

/// Asks for a promise; whether it was given.
async fn promise(shop: &Shop, order: u64) -> bool {
    let answer = reqwest::Client::new().post(shop.url(&format!("/promise/{order}"))).send().await.unwrap();
    assert!([200, 500].contains(&answer.status().as_u16()), "{}", answer.status());
    answer.status() == 200
}

/// The shop, on a disk of 1 MiB that nobody else sees.
fn on_a_small_disk(at: &Path, plan: &Value) -> Program {
    let inner = shop("serve", plan);
    let mount = "mount -t tmpfs -o size=1m,mode=700 tmpfs \"$0\" && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", mount]).arg(at).arg(inner.get_program()).args(inner.get_args());
    Program::start(&mut command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_ends_nothing_and_what_is_lost_is_counted() {
    if output("unshare", &[Path::new("-rm"), Path::new("true")]).is_err() {
        return skipped("a full disk", "`unshare -rm` is not allowed here");
    }
    let place = tempfile::tempdir().unwrap();
    let mut upstream = Upstream::start();
    upstream.down().await;
    let plan =
        json!({"endpoint": upstream.url(), "spool": place.path().join("spool"), "write_through": true});
    let mut shop = Shop::of(on_a_small_disk(place.path(), &plan));
    shop.make(0, ORDERS, 12_000, 1 << 10).await;
    shop.stats_when(PATIENCE, |stats| stats["degraded"] == true).await;
    let (mut order, mut refused) = (1_000_000, 0);
    while refused < 20 {
        refused += u64::from(!promise(&shop, order).await);
        order += 1;
    }
    let all = |stats: &Value| {
        let lost: u64 = stats["refused"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        stats["accepted"].as_u64().unwrap() + lost >= ORDERS
    };
    shop.stats_when(PATIENCE, all).await;
    upstream.up();
    let begun = Instant::now();
    // The collector takes what is there, and with that there is room.
    shop.stats_when(PATIENCE, |stats| stats["pending"] == 0).await;
    let room = Instant::now();
    while !promise(&shop, order).await {
        order += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let recovery = room.elapsed();
    let stats = shop.stats_when(PATIENCE, |stats| is_quiet(stats) && stats["degraded"] == false).await;
    let stored = upstream.ask("/stats").await["total_logs"].as_u64().unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let dropped: u64 = stats["dropped"].as_object().unwrap().values().map(number).sum();
    let lost: u64 = stats["refused"].as_object().unwrap().values().map(number).sum();
    let off = (number(&stats["accepted"]) - dropped).abs_diff(stored);
    figure("disk_full.exits", u64::from(shop.program.has_ended()), "count");
    figure("disk_full.promises_refused", refused, "entries");
    figure("disk_full.delivered_after", format!("{:.2}", (room - begun).as_secs_f64()), "s");
    figure("disk_full.recovery", format!("{:.2}", recovery.as_secs_f64()), "s");
    figure("disk_full.lost_and_counted", dropped + lost, "entries");
    figure("disk_full.counts_off_by", off, "entries");
    figure("disk_full.drift", &stats["drift"], "entries");
    assert!(!shop.program.has_ended());
    assert!(recovery <= Duration::from_secs(10), "{recovery:?}");
    assert_eq!((off, &stats["drift"]), (0, &json!(0)), "{stats}, stored {stored}");
    assert!(stored > 200 && dropped + lost > 100, "{stats}, stored {stored}");
}

/// What is done to the disk under a shop that has promised something, and to make it well again.
struct Trouble {
    name: &'static str,
    begins: fn(&Path),
    ends: fn(&Path),
    /// Whether it goes on promising: a directory that is gone is made again.
    goes_on: bool,
}

fn do_to(program: &str, arguments: &[&str], at: &Path) {
    let arguments: Vec<&Path> = arguments.iter().map(Path::new).chain([at]).collect();
    output(program, &arguments).unwrap();
}

const TROUBLES: [Trouble; 3] = [
    Trouble {
        name: "read_only",
        // What the system does to a disk that fails. A plain remount is refused while files are written to.
        begins: |disk| do_to("mount", &["-o", "remount,abort"], disk),
        ends: |_| {},
        goes_on: false,
    },
    Trouble {
        name: "directory_gone",
        begins: |disk| std::fs::remove_dir_all(disk.join("shop/spool")).unwrap(),
        ends: |_| {},
        goes_on: true,
    },
    Trouble {
        name: "forbidden",
        begins: |disk| do_to("chmod", &["-R", "000"], &disk.join("shop/spool")),
        ends: |disk| do_to("chmod", &["-R", "u+rwX"], &disk.join("shop/spool")),
        goes_on: true,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_in_trouble_costs_no_core_and_no_entry_that_is_in_memory() {
    let blank = match Blank::new() {
        Ok(blank) => blank,
        Err(why) => {
            return skipped("a disk in trouble", &format!("needs root, loop devices and ext4 ({why})"));
        }
    };
    let mut upstream = Upstream::start();
    for (round, trouble) in TROUBLES.iter().enumerate() {
        let disk = blank.disk(round).unwrap();
        let home = disk.at.path().join("shop");
        std::fs::create_dir(&home).unwrap();
        // Root may do whatever is forbidden.
        do_to("chown", &["65534:65534"], &home);
        do_to("chmod", &["755"], disk.at.path());
        let before = upstream.ask("/stats").await["total_logs"].as_u64().unwrap();
        upstream.down().await;
        let plan = json!({"endpoint": upstream.url(), "spool": home.join("spool")});
        let inner = shop("serve", &plan);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        let shop = Shop::of(Program::start(command.arg(inner.get_program()).args(inner.get_args())));
        let first = round as u64 * 1_000_000;
        for order in first..first + 10 {
            assert!(promise(&shop, order).await, "{}", trouble.name);
        }
        let well = cpu_of_orders(&shop, first + 120).await;
        (trouble.begins)(disk.at.path());
        let mut promised = 0;
        for order in first + 10..first + 20 {
            promised += u64::from(promise(&shop, order).await);
        }
        let cpu = cpu_of_orders(&shop, first + 20).await;
        (trouble.ends)(disk.at.path());
        upstream.up();
        let stats = shop.stats_when(PATIENCE, is_quiet).await;
        let total = upstream.ask("/stats").await["total_logs"].as_u64().unwrap();
        let counted: u64 = stats["dropped"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
        let missing = stats["accepted"].as_u64().unwrap() - (total - before);
        figure(&format!("{}.promised_meanwhile", trouble.name), promised, "of 10");
        figure(&format!("{}.cpu", trouble.name), format!("{cpu:.1}"), "% of a core");
        figure(&format!("{}.cpu_before", trouble.name), format!("{well:.1}"), "% of a core");
        figure(&format!("{}.missing", trouble.name), missing, "entries");
        figure(&format!("{}.counted", trouble.name), counted, "entries");
        assert!(trouble.goes_on || promised == 0, "{}: {promised}", trouble.name);
        assert_eq!((missing, &stats["drift"]), (counted, &json!(0)), "{}: {stats}", trouble.name);
        // What the orders themselves take differs with the machine and the build: the trouble comes on top.
        assert!(cpu - well < 5.0, "{}: {cpu} %, {well} % before", trouble.name);
    }
}

/// What the shop takes of a core while it is given a hundred orders and then has nothing to do.
async fn cpu_of_orders(shop: &Shop, first: u64) -> f64 {
    let (cpu, begun) = (shop.program.cpu(), Instant::now());
    shop.make(first, 100, 50, 0).await;
    tokio::time::sleep(Duration::from_secs(times(2, 30) as u64)).await;
    100.0 * (shop.program.cpu() - cpu).as_secs_f64() / begun.elapsed().as_secs_f64()
}
