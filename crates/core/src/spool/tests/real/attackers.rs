//! Other users of the machine.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o777
}

fn refusal(dir: &Path) -> String {
    Spool::open(RealFs, config(dir), now()).err().expect("it has to be refused").to_string()
}

const TEST: &str = "spool::tests::real::attackers::nobody_else_can_read_whatever_the_umask";

fn write(place: &Path) {
    let mut clock = Clock(now());
    let mut spool = Spool::open(RealFs, config(place), clock.0).unwrap();
    let position = spool.append(clock.0, &record(1), 1, Keep::Held).unwrap();
    spool.append(clock.0, &record(2), 1, Keep::Held).unwrap();
    spool.resolve(position);
    spool.quarantine(clock.0, &record(3), 1, None).unwrap();
    spool.tick(clock.pass(Duration::from_secs(6)));
    let (mut files_seen, mut open) = (0, vec![place.to_owned()]);
    while let Some(dir) = open.pop() {
        assert_eq!(mode(&dir), 0o700, "{}", dir.display());
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                files_seen += 1;
            }
        }
    }
    say(&format!("{files_seen}"));
}

#[test]
fn nobody_else_can_read_whatever_the_umask() {
    if let Some((_, place)) = task() {
        return write(&place);
    }
    let place = Place::new();
    let inner = child(TEST, "write", &place.spool());
    let mut command = Command::new("sh");
    command.args(["-c", "umask 000; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.output().unwrap();
    // A lock, a segment, a hint, a quarantined segment.
    assert_eq!(said(&output), ["4"], "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    let place = Place::new();
    let dir = place.spool();
    std::fs::create_dir(&dir).unwrap();
    for bits in [0o777, 0o770, 0o702] {
        std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(bits)).unwrap();
        let why = refusal(&dir);
        assert!(why.contains("chmod 700"), "{why}");
        assert_eq!(files(&dir), Vec::<PathBuf>::new(), "nothing was made in it");
    }
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    place.open();
}

#[test]
fn links_and_pipes_are_never_followed_or_waited_for() {
    let place = Place::new();
    let elsewhere = place.0.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, place.spool()).unwrap();
    assert!(refusal(&place.spool()).contains("link"));
    std::fs::remove_file(place.spool()).unwrap();

    // A dead process's directory in which somebody exchanged the files.
    let mut spool = place.open();
    spool.append(now(), &record(1), 1, Keep::Spooled).unwrap();
    let dir = spool.home.as_ref().unwrap().dir.clone();
    drop(spool);
    let victim = place.0.path().join("victim");
    std::fs::write(&victim, b"precious").unwrap();
    symlink(&victim, dir.join("seg-00000000000000000007.log")).unwrap();
    std::fs::hard_link(&victim, dir.join("seg-00000000000000000008.log")).unwrap();
    let pipe = dir.join("seg-00000000000000000009.log");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    symlink(&victim, dir.join("ack-00000000000000000000")).unwrap();
    // A whole directory that is a link, and a lock that is one.
    let id = |n| EntryId::from_bytes([n; 16]).to_string();
    symlink(&elsewhere, place.spool().join(id(1))).unwrap();
    std::fs::create_dir(place.spool().join(id(2))).unwrap();
    symlink(&victim, place.spool().join(id(2)).join("LOCK")).unwrap();

    let begun = Instant::now();
    let mut spool = place.open();
    assert_eq!(drain(&mut spool), [1]);
    assert!(begun.elapsed() < Duration::from_secs(5), "a pipe was not waited for");
    assert_eq!(spool.status().foreign, 4, "links, pipe and hard link are somebody else's");
    spool.close(now());
    assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
    assert!(pipe.exists() && elsewhere.exists(), "they are left alone");
}
