//! A PostgreSQL of a test's own: a fresh cluster on a free port, run by a user without rights, gone with the process
//! that started it, however that ends. Knows nothing of hoplog.
//!
//! Needs Debian's `postgresql` (any version) or its programs on the `PATH`. Where there are none, [`Cluster::start`]
//! says `SKIPPED` and why.
#![expect(clippy::expect_used, clippy::panic, reason = "a helper of a test fails like the test itself")]
#![expect(clippy::print_stdout, reason = "a test that is left out says so")]

mod programs;

pub use programs::Programs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Files of the log, 16 MiB each, that [`Cluster::age`] leaves to be written.
const WAL_FILES: usize = 64;

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// As in production.
    On,
    /// Quicker, for tests that cut no power.
    Off,
}

/// A running cluster.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    directory: PathBuf,
    port: u16,
    /// Waits for this process to end, and takes the cluster away.
    watcher: Child,
}

/// A cluster that all tests of one process may share, without the disk; each takes a database of its own.
pub fn shared() -> Option<&'static Cluster> {
    static SHARED: LazyLock<Option<Cluster>> = LazyLock::new(|| Cluster::start(Sync::Off));
    SHARED.as_ref()
}

impl Cluster {
    /// A new cluster; `None`, said aloud, where there is no PostgreSQL.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(sync: Sync) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Some(programs) = Programs::find() else {
            println!("SKIPPED PostgreSQL: it is not installed (apt-get install postgresql)");
            return None;
        };
        let name = format!("hoplog-pg-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let directory = std::env::temp_dir().join(name);
        programs.make_directory(&directory);
        let data = directory.join("data");
        programs.must(
            "initdb",
            &["-D", text(&data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        );
        // A port that was free a moment ago may be taken by now.
        for attempt in 0.. {
            let port = free_port();
            let settings = format!(
                "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nfsync = {}\n\
                 shared_buffers = 256MB\nmax_wal_size = 4GB\nmax_connections = 200\nlog_min_messages = warning\n",
                directory.display(),
                if sync == Sync::On { "on" } else { "off" },
            );
            programs.write(&data.join("postgresql.auto.conf"), &settings);
            let started = programs
                .run("pg_ctl", &["-D", text(&data), "-l", text(&directory.join("log")), "-w", "start"]);
            if started.is_ok() {
                let watcher = programs.watch(&directory, &data);
                return Some(Self { programs, directory, port, watcher });
            }
            assert!(attempt < 5, "PostgreSQL did not start: {started:?}\n{}", log(&directory));
        }
        None
    }

    /// Makes an empty database; its address.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NEXT.fetch_add(1, Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The address of a database.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What `psql` prints of one or more statements: a line per row, `|` between values. `database` is a name or an
    /// address.
    ///
    /// # Panics
    /// A statement fails.
    pub fn sql(&self, database: &str, statements: &str) -> String {
        self.try_sql(database, statements).unwrap_or_else(|why| panic!("{statements}: {why}"))
    }

    /// Likewise.
    ///
    /// # Errors
    /// What psql said.
    pub fn try_sql(&self, database: &str, statements: &str) -> Result<String, String> {
        let url = if database.contains(':') { database.to_owned() } else { self.url(database) };
        self.programs.run("psql", &["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", statements, &url])
    }

    /// Restarts it as after a crash: connections are cut off where they are, and the log is replayed.
    ///
    /// # Panics
    /// It does not come back.
    pub fn restart_immediately(&self) {
        let data = self.data();
        self.programs.must(
            "pg_ctl",
            &["-D", text(&data), "-l", text(&self.directory.join("log")), "-m", "immediate", "-w", "restart"],
        );
    }

    /// Stops it as a crash does.
    ///
    /// # Panics
    /// It does not stop.
    pub fn stop_immediately(&self) {
        self.programs.must("pg_ctl", &["-D", text(&self.data()), "-m", "immediate", "-w", "stop"]);
    }

    /// Starts it again after a stop.
    ///
    /// # Panics
    /// It does not start.
    pub fn start_again(&self) {
        let data = self.data();
        self.programs
            .must("pg_ctl", &["-D", text(&data), "-l", text(&self.directory.join("log")), "-w", "start"]);
    }

    /// Sets a value of its configuration; in force at once, or from the next start on.
    ///
    /// # Panics
    /// There is no such setting.
    pub fn set(&self, name: &str, value: &str) {
        self.sql("postgres", &format!("ALTER SYSTEM SET {name} = {value}"));
        self.sql("postgres", "SELECT pg_reload_conf()");
    }

    /// Makes it write its log as a server does that has run for a while: into files of that log that are used again. A new
    /// one makes each of them, and fills it with zeros first, while every commit waits.
    ///
    /// # Panics
    /// It does not do as it is told.
    pub fn age(&self) {
        self.set("min_wal_size", "'2GB'");
        for _ in 0..WAL_FILES {
            self.sql("postgres", "SELECT pg_logical_emit_message(false, '', ''); SELECT pg_switch_wal()");
        }
        self.sql("postgres", "CHECKPOINT");
    }

    /// The process that all its others come from.
    ///
    /// # Panics
    /// It does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        let said = std::fs::read_to_string(self.data().join("postmaster.pid")).expect("a running server");
        said.lines().next().and_then(|line| line.parse().ok()).expect("a process id")
    }

    /// Where its files are.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The programs that it is run with.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        &self.programs
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        // What does not end by itself now is left to the watcher.
        let _ = self.watcher.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

fn log(directory: &Path) -> String {
    std::fs::read_to_string(directory.join("log")).unwrap_or_default()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

impl Programs {
    /// Takes the cluster away once this process is gone: the pipe closes with it, however it ends.
    fn watch(&self, directory: &Path, data: &Path) -> Child {
        let script = "read -r _; \"$0\" -D \"$1\" -m immediate -w stop; rm -rf \"$2\"";
        let pg_ctl = self.path("pg_ctl");
        let mut command = self.command("sh");
        command.args(["-c", script, text(&pg_ctl), text(data), text(directory)]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("a watcher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_answers_comes_back_after_a_crash_and_is_gone_in_the_end() {
        let Some(cluster) = Cluster::start(Sync::Off) else { return };
        let database = cluster.database();
        assert_eq!(
            cluster.sql(&database, "CREATE TABLE t (n int); INSERT INTO t VALUES (1); SELECT n FROM t"),
            "1"
        );
        cluster.restart_immediately();
        assert_eq!(cluster.sql(&database, "SELECT count(*) FROM t"), "1");
        assert!(cluster.try_sql(&database, "SELECT nothing").is_err());
        let directory = cluster.directory.clone();
        drop(cluster);
        assert!(!directory.exists());
    }
}
