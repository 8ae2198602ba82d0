//! Log files on a real disk: formats, rotation, several processes, tools that move files, a disk that is full.

use std::path::{Path, PathBuf};

use hoplog::{Client, DropReason, LineFormat, LogFile, Output};
use serde_json::Value;

use crate::support::{LONG, assert_settled, builder, child, in_a_child, is_child, send};

/// A directory that goes with the test; its children use it too.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{name}"));
        if !is_child() {
            let _ = std::fs::remove_dir_all(&directory);
            std::fs::create_dir_all(&directory).unwrap();
        }
        Self(directory)
    }

    fn path(&self) -> PathBuf {
        self.0.join("shop.jsonl")
    }

    /// The names in it, sorted.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The lines of all files, compressed or not. What was being compressed when its process ended is there uncompressed.
    fn lines(&self) -> Vec<Value> {
        let mut lines = Vec::new();
        for name in self.names().into_iter().filter(|name| !name.ends_with(".tmp")) {
            let bytes = std::fs::read(self.0.join(&name)).unwrap();
            let text = if name.ends_with(".gz") {
                std::io::read_to_string(flate2::read::GzDecoder::new(&bytes[..])).unwrap()
            } else {
                String::from_utf8(bytes).unwrap()
            };
            assert!(text.is_empty() || text.ends_with('\n'), "{name} ends within a line");
            lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        }
        lines
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !is_child() && !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

fn client(output: impl Into<Output>) -> Client {
    builder("http://127.0.0.1:9").without_collector().destination(output).build().unwrap()
}

fn flushed(client: &Client) {
    assert_eq!(client.flush_blocking(LONG).unwrap().left, 0);
}

#[test]
fn text_and_ecs_have_their_own_lines() {
    let scratch = Scratch::new("formats");
    let (text, ecs) = (scratch.0.join("text.log"), scratch.0.join("ecs.json"));
    let client = builder("http://127.0.0.1:9")
        .without_collector()
        .destination(LogFile::new(&text).format(LineFormat::Text))
        .destination(LogFile::new(&ecs).format(LineFormat::Ecs))
        .build()
        .unwrap();
    client.warn("low on\ntea").field("cups", 1).send();
    flushed(&client);
    let text = std::fs::read_to_string(text).unwrap();
    let (date, rest) = text.split_once(' ').unwrap();
    assert!(date.len() == 10 && date.starts_with("20"), "{text}");
    assert!(rest.contains(" WARN  low on⏎tea cups=1"), "{text}");
    let ecs: Value = serde_json::from_str(&std::fs::read_to_string(ecs).unwrap()).unwrap();
    assert_eq!((&ecs["log.level"], &ecs["service.name"]), (&"warn".into(), &"shop".into()));
    assert_eq!(ecs["message"], "low on\ntea");
    let names: Vec<String> = client.stats().destinations.into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["file", "file-2"]);
}

#[test]
fn a_file_never_exceeds_its_size_and_its_archives_are_compressed_and_limited() {
    let scratch = Scratch::new("sizes");
    let client = client(LogFile::new(scratch.path()).max_bytes(4_096).keep(5).gzip());
    for _ in 0..20 {
        send(&client, 10);
        flushed(&client);
        assert!(std::fs::metadata(scratch.path()).unwrap().len() <= 4_096);
    }
    assert_settled(&client, 200, 0);
    drop(client);
    // The next one finds what the last one could not do any more.
    let client = self::client(LogFile::new(scratch.path()).max_bytes(4_096).keep(5).gzip());
    hoplog_testkit::facts::fact_blocking("five archives are left, all compressed", || {
        send(&client, 1);
        flushed(&client);
        let names = scratch.names();
        (names.len() == 6 && names[1..].iter().all(|name| name.ends_with(".gz"))).then_some(())
    });
    assert!(scratch.lines().len() > 20);
}

const PROCESSES: usize = 3;
const EACH: usize = 2_000;

#[test]
fn several_processes_share_one_path_through_its_rotations_and_lose_nothing() {
    let name = "files::several_processes_share_one_path_through_its_rotations_and_lose_nothing";
    let scratch = Scratch::new("processes");
    let role = || {
        let client = client(LogFile::new(scratch.path()).max_bytes(64 << 10).keep(1_000).gzip());
        for _ in 0..20 {
            send(&client, EACH / 20);
            flushed(&client);
        }
        assert_settled(&client, EACH as u64, 0);
    };
    if is_child() {
        in_a_child(name, role);
        return;
    }
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| child(name, || ()).stdout(std::process::Stdio::null()).spawn().unwrap())
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let mut ids: Vec<String> =
        scratch.lines().iter().map(|line| format!("{} {}", line["id"], line["pid"])).collect();
    ids.sort();
    ids.dedup();
    // An archive that was being compressed when its process ended is there twice, so ids are counted.
    assert_eq!(ids.len(), PROCESSES * EACH, "in {:?}", scratch.names());
    assert!(scratch.names().len() > 5, "{:?}", scratch.names());
}

#[test]
fn a_file_that_a_tool_moved_is_made_anew() {
    let scratch = Scratch::new("moved");
    let client = client(LogFile::new(scratch.path()));
    for (number, reopen) in [(0, false), (1, true), (2, false)] {
        send(&client, 1);
        flushed(&client);
        std::fs::rename(scratch.path(), scratch.0.join(format!("moved.{number}"))).unwrap();
        if reopen {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(client.reopen_files()).unwrap();
        }
    }
    send(&client, 1);
    flushed(&client);
    assert_eq!(scratch.names(), ["moved.0", "moved.1", "moved.2", "shop.jsonl"]);
    assert_eq!(scratch.lines().len(), 4);
}

#[test]
fn what_cannot_be_is_complained_about_all_at_once() {
    let scratch = Scratch::new("complaints");
    let wrong = LogFile::new(scratch.path()).max_bytes(1).mode(0o1777);
    let idle = LogFile::new(scratch.path()).keep(3);
    let nowhere = LogFile::new("/nowhere/at/all.log").daily();
    let link = LogFile::new(scratch.path()).daily().follow_links();
    let error = builder("http://127.0.0.1:9")
        .destination(wrong)
        .destination(idle)
        .destination(nowhere)
        .destination(link)
        .build()
        .unwrap_err();
    let said = error.to_string();
    for word in
        ["max_bytes", "mode 1777", "never rotated", "/nowhere/at/all.log cannot be opened", "move the link"]
    {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(error.complaints().len(), 5, "{said}");
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed_only_if_asked_and_permissions_are_those_asked_for() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("links");
    let target = scratch.0.join("target");
    std::os::unix::fs::symlink(&target, scratch.path()).unwrap();
    let error = builder("http://127.0.0.1:9").destination(LogFile::new(scratch.path())).build().unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert!(!target.exists());
    let client = client(LogFile::new(scratch.path()).follow_links().mode(0o640));
    send(&client, 1);
    flushed(&client);
    assert_eq!(std::fs::read_to_string(&target).unwrap().lines().count(), 1);
    // Less the umask, whatever it is.
    let mode = std::fs::metadata(&target).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode & !0o640, 0, "{mode:o}");
    drop(client);
}

/// A file system of 64 KiB, in a mount namespace of its own. Where the system lets nobody have one, the test says so.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_costs_what_does_not_fit_and_no_more() {
    let name = "files::a_disk_that_is_full_costs_what_does_not_fit_and_no_more";
    let scratch = Scratch::new("full");
    let role = || {
        let disk = scratch.0.join("disk");
        let client = client(LogFile::new(disk.join("shop.jsonl")));
        let stats = || client.stats().destinations.remove(0);
        while stats().dropped.total() == 0 {
            send(&client, 50);
            flushed(&client);
        }
        let (full, text) = (stats(), std::fs::read_to_string(disk.join("shop.jsonl")).unwrap());
        assert_eq!(full.dropped.of(DropReason::SpoolIoError), full.dropped.total());
        assert!(text.ends_with('\n'), "half a line was taken back");
        assert_eq!(text.lines().count() as u64, full.delivered, "what is there is what was counted");
        // Room is made, and it goes on.
        std::fs::remove_file(disk.join("shop.jsonl")).unwrap();
        send(&client, 5);
        flushed(&client);
        assert_eq!((stats().delivered, stats().dropped), (full.delivered + 5, full.dropped));
        let text = std::fs::read_to_string(disk.join("shop.jsonl")).unwrap();
        assert_eq!(text.lines().count(), 5);
    };
    if is_child() {
        in_a_child(name, role);
        return;
    }
    let disk = scratch.0.join("disk");
    std::fs::create_dir_all(&disk).unwrap();
    let mounted = |command: &str| {
        let mut shell = std::process::Command::new("unshare");
        let script = format!("mount -t tmpfs -o size=64k none \"$0\" && {command}");
        shell.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]).arg(&disk);
        shell
    };
    if !mounted("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this system gives nobody a mount namespace");
        return;
    }
    let itself = child(name, || ());
    let mut shell = mounted("exec \"$@\"");
    shell.arg(itself.get_program()).args(itself.get_args());
    for (key, value) in itself.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_a_crash_left_of_a_line_stays_a_line_of_its_own() {
    let scratch = Scratch::new("torn");
    std::fs::write(scratch.path(), "{\"id\":\"whole\"}\n{\"id\":\"to").unwrap();
    let client = client(LogFile::new(scratch.path()));
    send(&client, 2);
    flushed(&client);
    // Another process is killed in the middle of a write.
    use std::io::Write as _;
    std::fs::OpenOptions::new()
        .append(true)
        .open(scratch.path())
        .unwrap()
        .write_all(b"{\"id\":\"half")
        .unwrap();
    send(&client, 1);
    flushed(&client);
    let text = std::fs::read_to_string(scratch.path()).unwrap();
    let whole = text.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok()).count();
    assert_eq!((whole, text.lines().count()), (4, 6), "{text}");
}

#[cfg(unix)]
#[test]
fn a_pipe_without_a_reader_holds_up_neither_the_start_nor_the_end() {
    let scratch = Scratch::new("pipe");
    assert!(std::process::Command::new("mkfifo").arg(scratch.path()).status().unwrap().success());
    let (done, waits) = std::sync::mpsc::channel();
    let path = scratch.path();
    std::thread::spawn(move || {
        let client = client(LogFile::new(path));
        send(&client, 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let report = runtime.block_on(client.shutdown(std::time::Duration::from_millis(100)));
        drop(client);
        done.send(report.left)
    });
    assert_eq!(waits.recv_timeout(LONG), Ok(1));
}

#[test]
fn files_that_are_very_small_are_shared_as_well() {
    let scratch = Scratch::new("tiny");
    let file = || LogFile::new(scratch.path()).max_bytes(1_024).keep(100_000);
    let clients: Vec<_> = (0..6).map(|_| client(file())).collect();
    std::thread::scope(|scope| {
        for client in &clients {
            scope.spawn(|| {
                for _ in 0..10 {
                    send(client, 30);
                    flushed(client);
                }
            });
        }
    });
    for client in &clients {
        assert_settled(client, 300, 0);
    }
}

#[test]
fn a_directory_that_goes_costs_what_comes_until_it_is_back() {
    let scratch = Scratch::new("gone");
    let client = client(LogFile::new(scratch.path()).max_bytes(1 << 20).gzip());
    let stats = || client.stats().destinations.remove(0);
    for (there, delivered, dropped) in [(true, 2, 0), (false, 2, 2), (true, 4, 2)] {
        let _ = if there { std::fs::create_dir(&scratch.0) } else { std::fs::remove_dir_all(&scratch.0) };
        send(&client, 2);
        flushed(&client);
        assert_eq!((stats().delivered, stats().dropped.of(DropReason::SpoolIoError)), (delivered, dropped));
    }
    assert_eq!(scratch.lines().len(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn no_rotation_and_no_reopening_leaves_a_file_open() {
    let name = "files::no_rotation_and_no_reopening_leaves_a_file_open";
    let scratch = Scratch::new("descriptors");
    in_a_child(name, || {
        let client = client(LogFile::new(scratch.path()).max_bytes(1_024).keep(3).gzip());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let mut most = 0;
        for round in 0..60 {
            send(&client, 10);
            flushed(&client);
            runtime.block_on(client.reopen_files()).unwrap();
            // Archives that are being packed at that moment have two each.
            assert!(round < 10 || open() <= most + 2, "{} after {round}, {most} before", open());
            most = if round < 10 { open().max(most) } else { most };
        }
    });
}

#[test]
fn what_copies_a_file_and_truncates_it_finds_whole_lines_in_both() {
    let scratch = Scratch::new("copytruncate");
    let client = client(LogFile::new(scratch.path()));
    for copy in 0..3 {
        send(&client, 5);
        flushed(&client);
        std::fs::copy(scratch.path(), scratch.0.join(format!("copy.{copy}"))).unwrap();
        std::fs::OpenOptions::new().write(true).open(scratch.path()).unwrap().set_len(0).unwrap();
    }
    send(&client, 5);
    flushed(&client);
    assert_eq!(scratch.lines().len(), 20);
}
