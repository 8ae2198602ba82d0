use std::time::{Duration, Instant};

use hoplog_entry::{EntryId, Kind, Level, RecordWriter};
use tokio::sync::oneshot;

use super::super::tests::around;
use super::*;
use crate::durable::{Durable, NotDurable};
use crate::spool::tests::model::{Model, Op};
use crate::spool::{Backlog, Now, Spool, SyncPolicy};

fn load() -> Load {
    let mut record = RecordWriter::default();
    record.begin(Kind::Event, EntryId::generate(1), 1);
    Load::read(record.end(Level::Info, None).to_vec(), 1, None)
}

/// Has one entry made durable, and waits for the word.
fn durable(keeper: &mut Keeper) -> Result<Durable, NotDurable> {
    let (waiter, heard) = oneshot::channel();
    keeper.order_durable(vec![load()], Arc::new(Group::new(vec![waiter], 1)));
    heard.blocking_recv().unwrap()
}

#[test]
fn who_waits_hears_after_the_sync_and_what_was_promised_outlasts_a_power_cut() {
    let (model, config) = (Model::default(), SpoolConfig::new("/spool"));
    let mut keeper = Keeper::start_on(model.clone(), config.clone(), None, around()).unwrap();
    for syncs in 1..=20 {
        assert_eq!(durable(&mut keeper), Ok(Durable));
        assert!(model.calls(Op::Sync) >= syncs, "no word before the sync");
    }
    keeper.order(Order::Write(load(), Keep::Spooled));
    model.crash(|| false);
    let mut found = 0;
    let mut spool = Spool::open(model, config, Now::of_system()).unwrap();
    while let Backlog::Frame { entries, .. } = spool.next_backlog() {
        found += entries;
    }
    assert!((20..=21).contains(&found), "{found}");
}

#[test]
fn a_sync_that_fails_is_told_and_no_later_one_makes_it_good() {
    let model = Model::default();
    let around = around();
    let mut keeper =
        Keeper::start_on(model.clone(), SpoolConfig::new("/spool"), None, around.clone()).unwrap();
    assert_eq!(durable(&mut keeper), Ok(Durable));
    model.fault(Op::Sync, Some(std::io::ErrorKind::Other));
    assert_eq!(durable(&mut keeper), Err(NotDurable::Disk));
    model.fault(Op::Sync, None);
    assert_eq!(durable(&mut keeper), Ok(Durable));
    assert_eq!(
        around.ledger.counts().stats("it", Count { entries: 3, bytes: 3 * load().count().bytes }).durable,
        2
    );
}

#[test]
fn a_disk_that_failed_is_left_alone_until_there_is_no_later() {
    let model = Model::default();
    let mut keeper = Keeper::start_on(model.clone(), SpoolConfig::new("/spool"), None, around()).unwrap();
    model.fault(Op::Write, Some(std::io::ErrorKind::StorageFull));
    assert_eq!(durable(&mut keeper), Err(NotDurable::Disk));
    model.fault(Op::Write, None);
    assert_eq!(durable(&mut keeper), Err(NotDurable::Disk), "it rests");
    keeper.order(Order::TryAgain);
    assert_eq!(durable(&mut keeper), Ok(Durable));
}

#[test]
fn the_spool_is_looked_after_however_many_orders_come() {
    let around = around();
    let mut config = SpoolConfig::new("/spool");
    config.sync = SyncPolicy::Never;
    let keeper = Keeper::start_on(Model::default(), config, None, around.clone()).unwrap();
    keeper.order(Order::Write(load(), Keep::Spooled));
    let until = Instant::now() + Duration::from_secs(5);
    while around.ledger.counts().stats("it", load().count()).spool.is_none_or(|spool| spool.bytes == 0) {
        assert!(Instant::now() < until, "it was never looked at");
        keeper.order(Order::Release(load()));
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_backlog_that_cannot_be_read_now_takes_no_core() {
    let (model, config) = (Model::default(), SpoolConfig::new("/spool"));
    let mut spool = Spool::open(model.clone(), config.clone(), Now::of_system()).unwrap();
    let entry = load();
    spool.append(Now::of_system(), entry.bytes(), 1, Keep::Spooled).unwrap();
    spool.close(Now::of_system());
    let mut keeper = Keeper::start_on(model.clone(), config, None, around()).unwrap();
    keeper.order(Order::Sync);
    assert!(matches!(keeper.words.blocking_recv(), Some(Word::Synced)));
    model.no_descriptors(true);
    keeper.order(Order::Want);
    let before = model.calls(Op::Open);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(200) {
        thread::yield_now();
    }
    let tried = model.calls(Op::Open) - before;
    assert!((1..=100).contains(&tried), "{tried} times in 200 ms");
    model.no_descriptors(false);
    assert!(matches!(keeper.words.blocking_recv(), Some(Word::Backlog(loads)) if loads.len() == 1));
}

#[test]
fn who_waits_for_a_disk_that_hangs_hears_of_the_end() {
    let model = Model::default();
    let mut keeper = Keeper::start_on(model.clone(), SpoolConfig::new("/spool"), None, around()).unwrap();
    assert_eq!(durable(&mut keeper), Ok(Durable));
    let hanging = model.hang();
    let (waiter, mut heard) = oneshot::channel();
    keeper.order_durable(vec![load()], Arc::new(Group::new(vec![waiter], 1)));
    keeper.stop_counting();
    assert_eq!(heard.try_recv(), Ok(Err(NotDurable::Closed)));
    drop(hanging);
}
