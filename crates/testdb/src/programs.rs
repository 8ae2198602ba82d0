//! PostgreSQL's programs, and the user that runs them: the superuser may not.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where they are, and who runs them.
#[derive(Debug, Clone)]
pub struct Programs {
    bin: PathBuf,
    /// User and group, where this process is the superuser's.
    user: Option<(u32, u32)>,
}

impl Programs {
    /// Debian's newest version, or whatever is on the `PATH`.
    #[must_use]
    pub fn find() -> Option<Self> {
        let version = |path: &Path| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let debian = versions.map(|version| version.path().join("bin")).max_by_key(|path| version(path));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut places = debian.into_iter().chain(std::env::split_paths(&path));
        let bin =
            places.find(|place| ["initdb", "pg_ctl", "psql"].iter().all(|name| place.join(name).exists()))?;
        let own = std::fs::metadata("/proc/self").map_or(0, |me| me.uid());
        let user =
            (own == 0).then(|| known("postgres").or_else(|| known("nobody")).unwrap_or((65_534, 65_534)));
        Some(Self { bin, user })
    }

    /// A program of PostgreSQL.
    #[must_use]
    pub fn path(&self, program: &str) -> PathBuf {
        self.bin.join(program)
    }

    /// A command of the user that runs PostgreSQL.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir("/").env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = self.command(self.path(program));
        command.args(arguments);
        let output = match program {
            // What pg_ctl leaves running would keep a pipe open.
            "pg_ctl" => {
                let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
                status.map(|status| (status, Vec::new(), Vec::new()))
            }
            _ => command.output().map(|output| (output.status, output.stdout, output.stderr)),
        };
        let (status, out, err) = output.map_err(|error| error.to_string())?;
        match status.success() {
            true => Ok(String::from_utf8_lossy(&out).trim_end().to_owned()),
            false => Err(format!("{program}: {status}: {}", String::from_utf8_lossy(&err))),
        }
    }

    pub(crate) fn must(&self, program: &str, arguments: &[&str]) {
        if let Err(why) = self.run(program, arguments) {
            panic!("{why}");
        }
    }

    pub(crate) fn make_directory(&self, path: &Path) {
        std::fs::create_dir_all(path).expect("a directory");
        self.give(path);
    }

    pub(crate) fn write(&self, path: &Path, content: &str) {
        std::fs::write(path, content).expect("a file of the cluster");
        self.give(path);
    }

    /// Makes a file or directory the property of the user that runs PostgreSQL.
    pub fn give(&self, path: &Path) {
        if let Some((user, group)) = self.user {
            std::os::unix::fs::chown(path, Some(user), Some(group)).expect("a new owner");
        }
    }
}

/// User and group by name.
fn known(name: &str) -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
