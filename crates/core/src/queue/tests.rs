use super::*;

use hoplog_entry::{EntryId, Field, Kind, Level, Record, RecordWriter};

fn queue(bytes: usize, entries: usize) -> Queue {
    Queue::new(QueueLimits::new(bytes, entries))
}

fn swept(queue: &Queue) -> (usize, usize) {
    let chunks = queue.sweep();
    (chunks.iter().map(|c| c.entries()).sum(), chunks.iter().map(|c| c.bytes().len()).sum())
}

#[test]
fn what_goes_in_comes_out_whole_and_in_order_per_thread() {
    let q = queue(1 << 20, 10_000);
    for i in 0..500u32 {
        q.push(&i.to_le_bytes(), false).unwrap();
    }
    let bytes: Vec<u8> = q.sweep().iter().flat_map(|c| c.bytes().to_vec()).collect();
    let read: Vec<u32> = bytes.chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(read, (0..500).collect::<Vec<_>>());
    assert_eq!(swept(&q), (0, 0));
    assert_eq!(q.counts().accepted, 500);
}

#[test]
fn a_full_queue_drops_the_newest_counts_it_and_keeps_a_tenth_for_errors() {
    let q = queue(1 << 20, 1 << 20);
    let record = [7u8; 1024];
    let taken = (0..5_000).filter(|_| q.push(&record, false).is_ok()).count();
    let (used, bound) = q.memory();
    assert!(used <= bound && bound <= 1 << 20);
    assert_eq!(q.fill(), Fill::Critical);
    assert_eq!(q.push(&record, false), Err(DropReason::QueueFullNewest));
    let urgent = (0..5_000).filter(|_| q.push(&record, true).is_ok()).count();
    assert!(urgent * 10 >= taken, "{urgent} errors found room beside {taken} others");
    let counts = q.counts();
    assert_eq!(counts.accepted, (taken + urgent) as u64);
    assert_eq!(counts.dropped[usize::from(DropReason::QueueFullNewest.code())], 10_001 - counts.accepted);
    assert_eq!(swept(&q).0, taken + urgent);
    assert_eq!((q.memory().0, q.fill()), (0, Fill::Normal), "all memory is given back");
    q.push(&record, false).unwrap();
}

#[test]
fn the_bound_on_entries_holds_for_small_ones() {
    let q = queue(16 << 20, 65_536);
    let taken = (0..200_000).filter(|_| q.push(&[1; 32], true).is_ok()).count();
    assert!((50_000..=65_536).contains(&taken), "{taken}");
}

#[test]
fn a_record_larger_than_a_chunk_is_paid_for_whole() {
    let q = queue(4 << 20, 65_536);
    let big = vec![1u8; 256 * 1024];
    q.push(&[2; 100], false).unwrap();
    q.push(&big, false).unwrap();
    q.push(&[3; 100], false).unwrap();
    assert!(q.memory().0 >= 256 * 1024);
    let taken = 1 + (0..100).filter(|_| q.push(&big, false).is_ok()).count();
    assert!(taken * 256 * 1024 <= 4 << 20);
    assert_eq!(swept(&q), (taken + 2, taken * 256 * 1024 + 200));
    assert_eq!(q.memory().0, 0);
}

#[test]
fn after_close_everything_is_refused_and_counted() {
    let q = queue(1 << 20, 1_000);
    q.push(&[1; 64], false).unwrap();
    q.close();
    assert_eq!(q.push(&[1; 64], true), Err(DropReason::AfterClose));
    assert_eq!(swept(&q).0, 1);
    assert_eq!(q.counts().dropped[usize::from(DropReason::AfterClose.code())], 1);
}

#[test]
fn many_producers_and_a_sweeper_lose_nothing() {
    let q = queue(64 << 20, 1 << 20);
    let mut seen = 0;
    std::thread::scope(|s| {
        let producers: Vec<_> = (0..8)
            .map(|_| s.spawn(|| (0..20_000).filter(|i| q.push(&[1; 300], i % 10 == 0).is_ok()).count()))
            .collect();
        while producers.iter().any(|p| !p.is_finished()) {
            seen += swept(&q).0;
        }
        let sent: usize = producers.into_iter().map(|p| p.join().unwrap()).sum();
        seen += swept(&q).0;
        assert_eq!(seen, sent);
    });
    assert_eq!(q.memory().0, 0);
    let counts = q.counts();
    assert_eq!(counts.accepted + counts.dropped.iter().sum::<u64>(), 160_000);
}

#[test]
fn sparse_chunks_that_have_to_wait_are_put_together() {
    let q = queue(1 << 20, 10_000);
    let mut kept: Vec<Arc<Chunk>> = Vec::new();
    for i in 0..5_000u32 {
        q.push(&[&i.to_le_bytes()[..], &[0; 96]].concat(), false).expect("half a megabyte fits");
        for chunk in q.sweep() {
            let absorbed = kept.last_mut().and_then(Arc::get_mut).is_some_and(|last| last.absorb(&chunk));
            if !absorbed {
                kept.push(chunk);
            }
        }
    }
    assert_eq!(kept.iter().map(|c| c.entries()).sum::<usize>(), 5_000);
    let numbers: Vec<u8> = kept.iter().flat_map(|c| c.bytes().chunks(100).map(|r| r[0])).collect();
    assert_eq!(numbers, (0..5_000u32).map(|i| i as u8).collect::<Vec<_>>(), "in order");
    assert!(q.memory().0 <= 1 << 20);
}

fn record(number: u64, level: Level) -> Vec<u8> {
    let mut w = RecordWriter::default();
    w.begin(Kind::Event, EntryId::from_bytes([0; 16]), number);
    w.text(Field::Message, &"x".repeat(200));
    w.end(level, None).to_vec()
}

#[test]
fn where_the_oldest_give_way_every_push_finds_room_and_errors_stay() {
    let q = Queue::new(QueueLimits { overflow: Overflow::DropOldest, ..QueueLimits::new(1 << 20, 1 << 20) });
    let is_error = |number: u64| number.is_multiple_of(40);
    for number in 0..20_000 {
        let level = if is_error(number) { Level::Error } else { Level::Info };
        q.push(&record(number, level), is_error(number)).unwrap();
        assert!(q.memory().0 <= q.memory().1);
    }
    let large = vec![7; 200 << 10];
    assert_eq!(q.push(&large, false), Ok(()), "it takes the place of many");
    let (chunks, evicted) = (q.sweep(), q.take_evicted());
    let mut numbers = Vec::new();
    for chunk in &chunks {
        let mut rest = chunk.bytes();
        while let Ok((record, after)) = Record::read(rest) {
            numbers.push(record.created_unix_ns());
            rest = after;
        }
    }
    let taken: Count = chunks.iter().map(|chunk| chunk.count()).sum();
    assert_eq!((taken + evicted, q.counts().accepted), (q.counts().taken_in(), 20_001));
    assert_eq!(q.swept(), q.counts().taken_in());
    assert!(evicted.entries > 10_000 && q.take_evicted() == Count::default(), "told of one time");
    assert_eq!(numbers.iter().filter(|number| is_error(**number)).count(), 500, "every error is there");
    assert!(numbers.contains(&19_999), "and the newest");
    drop(chunks);
    assert_eq!(q.memory().0, 0);
}
