//! A file system of one mebibyte.

use super::*;

const TEST: &str = "spool::tests::real::full::a_full_file_system_degrades_the_spool_and_room_heals_it";

/// In a mount namespace of its own, where it is root.
fn fill(mount: &Path) {
    let mut config = config(mount.join("spool"));
    config.max_bytes = 64 << 20;
    let mut clock = Clock(now());
    let mut spool = Spool::open(RealFs, config, clock.0).unwrap();
    let ballast = mount.join("ballast");
    std::fs::write(&ballast, vec![1; 300 << 10]).unwrap();
    let chunk = records(0..40);
    let (mut taken, mut refused, mut durable) = (0, 0, 0);
    let mut append = |spool: &mut Spool<RealFs>, now| {
        let result = spool.append(now, &chunk, 40, Keep::Spooled);
        match result {
            Ok(position) => {
                taken += 40;
                durable += u64::from(spool.sync(now).is_ok() && spool.is_durable(position));
            }
            Err(_) => refused += 40,
        }
        result
    };
    while append(&mut spool, clock.0).is_ok() {}
    assert!(matches!(spool.status().health, Health::Degraded { why: Trouble::NoSpace, .. }));
    for _ in 0..10 {
        assert!(append(&mut spool, clock.pass(Duration::from_millis(100))).is_err());
    }
    for path in files(mount).iter().filter(|path| path.extension().is_some_and(|ext| ext == "log")) {
        let mut reader = hoplog_entry::spool::SegmentReader::new(std::fs::File::open(path).unwrap()).unwrap();
        while reader.next().unwrap().is_some() {}
        assert_eq!(reader.summary().torn_bytes, 0, "the file ends with a whole frame");
    }
    std::fs::remove_file(ballast).unwrap();
    let since = clock.0.mono;
    while append(&mut spool, clock.pass(Duration::from_millis(500))).is_err() {}
    say(&format!("recovery {}", (clock.0.mono - since).as_millis()));
    assert_eq!(spool.status().health, Health::Healthy);
    let found = drain(&mut spool).len() as u64;
    assert_eq!(found, taken, "what was taken is there");
    say(&format!("taken {taken}"));
    say(&format!("refused {refused}"));
    say(&format!("durable {durable}"));
}

#[test]
fn a_full_file_system_degrades_the_spool_and_room_heals_it() {
    if let Some((_, place)) = task() {
        return fill(&place);
    }
    let place = Place::new();
    let inner = child(TEST, "fill", place.0.path());
    let mut command = Command::new("unshare");
    let mount = "mount -t tmpfs -o size=1m,mode=700 tmpfs \"$0\" && exec \"$@\"";
    command
        .args(["-rm", "sh", "-c", mount])
        .arg(place.0.path())
        .arg(inner.get_program())
        .args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output();
    let Some(output) = output.ok().filter(|output| !said(output).is_empty() || output.status.success())
    else {
        // Nothing was run: no `unshare`, or no right to mount.
        let mounts =
            Command::new("unshare").args(["-rm", "true"]).status().is_ok_and(|status| status.success());
        assert!(!mounts, "it can mount here, so it has to run");
        println!("SKIPPED spool on a full file system: `unshare -rm` is not allowed here");
        return;
    };
    let said = said(&output);
    assert!(output.status.success(), "{said:?}");
    let figure = |name: &str| -> u64 {
        let line = said
            .iter()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_else(|| panic!("{name}: {said:?}"));
        line.trim().parse().unwrap()
    };
    println!("FIGURE spool.tmpfs_recovery_ms {} ms", figure("recovery"));
    println!("FIGURE spool.tmpfs_refused {} entries", figure("refused"));
    println!("FIGURE spool.tmpfs_taken {} entries", figure("taken"));
    assert!(figure("recovery") <= 10_000 && figure("refused") > 0 && figure("durable") > 0);
}
