//! Running other programs: cargo, benches, python.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::outcome::Failure;

/// `cargo`, the one that runs us, without the variables it set for us: build scripts that watch them
/// (ring's does) would otherwise be rebuilt whenever plain `cargo` and `cargo xtask` take turns.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "OUT_DIR"
        });
        if ours {
            command.env_remove(name);
        }
    }
    command
}

/// Runs with our stdout and stderr, and no stdin.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{}` ended with {status}", line(command))))
    }
}

/// Runs and returns stdout; stderr goes to ours, and says why if it fails.
pub(crate) fn stdout(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Failure::new(format!("`{}` ended with {}", line(command), output.status)))
}

/// Runs and returns stdout, or stdout and stderr together if it failed.
pub(crate) fn quietly(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(command, &error))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!(
        "`{}` ended with {}\n{text}{}",
        line(command),
        output.status,
        errors.trim_end()
    )))
}

pub(crate) fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot start `{}`: {error}", line(command)))
}

fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The program of this name on the `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// A program that cargo built: the target's name and where it lies.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Executable {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// Builds with these cargo arguments and returns the executables of one target kind (`bin`, `bench`).
pub(crate) fn build(root: &Path, kind: &str, arguments: &[&str]) -> Result<Vec<Executable>, Failure> {
    let messages =
        stdout(cargo().args(arguments).arg("--message-format=json-render-diagnostics").current_dir(root))?;
    Ok(executables(&messages, kind))
}

fn executables(messages: &str, kind: &str) -> Vec<Executable> {
    let of_kind = |message: &Value| {
        let target = message.get("target")?;
        let kinds = target.get("kind")?.as_array()?;
        if !kinds.iter().any(|each| each == kind) {
            return None;
        }
        let (name, path) = (target.get("name")?.as_str()?, message.get("executable")?.as_str()?);
        Some(Executable { name: name.to_owned(), path: PathBuf::from(path) })
    };
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter_map(|message| of_kind(&message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_executables_of_the_wanted_kind_are_taken() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"x"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"x"},"executable":"/t/x-1"}
{"reason":"compiler-artifact","target":{"kind":["bench"],"name":"request_path"},"executable":"/t/r-2"}
{"reason":"build-finished","success":true}"#;
        let found = executables(messages, "bench");
        assert_eq!(found, [Executable { name: "request_path".into(), path: "/t/r-2".into() }]);
        assert_eq!(executables(messages, "bin"), []);
    }

    #[test]
    fn a_program_that_fails_is_named_with_what_it_said() {
        let error = quietly(Command::new("sh").args(["-c", "echo said; echo why >&2; exit 3"])).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("sh -c") && text.contains("said") && text.contains("why"), "{text}");
    }

    #[test]
    fn a_program_that_is_not_there_is_a_failure() {
        assert!(run(&mut Command::new("no-such-program-here")).is_err());
        assert_eq!(find_program("no-such-program-here"), None);
        assert!(find_program("sh").is_some());
    }
}
