//! Only known entries stand at the top of the tree.

use super::Finding;

const ALLOWED: [&str; 12] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "clippy.toml",
    "rustfmt.toml",
    "crates/",
    "docs/",
    "examples/",
    "tests/",
];

/// Dot files and what `.gitignore` names at the top are nobody's business.
pub(super) fn check(top_level: &[String], gitignore: &str) -> Vec<Finding> {
    let ignored = |name: &str| {
        gitignore.lines().filter_map(|line| line.trim().strip_prefix('/')).any(|each| each == name)
    };
    let stray = top_level.iter().filter(|name| {
        let plain = name.trim_end_matches('/');
        !(ALLOWED.contains(&name.as_str()) || plain.starts_with('.') || ignored(plain))
    });
    let fix = "move it below crates, examples, tests or docs, or allow it in crates/xtask/src/tidy/layout.rs";
    stray.map(|name| Finding::new(name, 1, "does not belong at the top", fix)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_entry_is_found_and_known_ones_are_not() {
        let top = ["Cargo.toml", "crates/", "docs/", ".ci/", "target/", "notes.txt", "src/"];
        let findings = check(&top.map(str::to_owned), "/target\n/hoplog-data\n");
        let files: Vec<&str> = findings.iter().map(|finding| finding.file.as_str()).collect();
        assert_eq!(files, ["notes.txt", "src/"]);
    }

    #[test]
    fn a_file_named_like_an_allowed_directory_is_stray() {
        assert_eq!(check(&["docs".to_owned()], "").len(), 1);
    }
}
