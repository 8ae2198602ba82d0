//! `rust-version` is no lower than what the published crates need.

use super::source::SourceFile;
use super::{Finding, line_where};
use crate::workspace::{Package, RustVersion, Workspace};

pub(super) fn check(workspace: &Workspace, files: &[SourceFile]) -> Vec<Finding> {
    let published: Vec<&Package> = workspace.members().filter(|package| package.published).collect();
    let ours = published.iter().filter_map(|package| package.rust_version).min();
    let needed = published.iter().flat_map(|package| workspace.compiled_with(package));
    let needed = needed.filter(|package| !package.member && package.rust_version.is_some());
    let Some(highest) = needed.max_by_key(|package| package.rust_version) else { return Vec::new() };
    if ours >= highest.rust_version {
        return Vec::new();
    }
    let line = line_where(files, "Cargo.toml", |line| line.starts_with("rust-version"));
    let needs = highest.rust_version.map(text).unwrap_or_default();
    let what =
        format!("rust-version is {}, but {} needs {needs}", ours.map_or("unset".into(), text), highest.name);
    vec![Finding::new(
        "Cargo.toml",
        line,
        what,
        format!("raise it to {needs} or do without {}", highest.name),
    )]
}

fn text((major, minor, patch): RustVersion) -> String {
    if patch == 0 { format!("{major}.{minor}") } else { format!("{major}.{minor}.{patch}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture::{foreign, member, workspace};
    use crate::workspace::rust_version;

    fn found(ours: &str, theirs: &str, published: bool) -> Vec<Finding> {
        let ours = Package { rust_version: rust_version(ours), published, ..member("hoplog", &["dep"]) };
        let theirs = Package { rust_version: rust_version(theirs), ..foreign("dep", &[]) };
        let root = SourceFile::new("Cargo.toml", "[workspace.package]\nrust-version = \"x\"\n");
        check(&workspace(vec![ours, theirs]), &[root])
    }

    #[test]
    fn a_version_lower_than_a_dependency_needs_is_found() {
        let findings = found("1.89", "1.100.1", true);
        assert_eq!(findings.len(), 1);
        let text = findings[0].to_string();
        assert!(text.starts_with("Cargo.toml:2: rust-version is 1.89, but dep needs 1.100.1"), "{text}");
    }

    #[test]
    fn an_equal_or_higher_version_is_fine_and_unpublished_crates_do_not_count() {
        assert_eq!(found("1.89", "1.89.0", true), []);
        assert_eq!(found("1.90", "1.89", true), []);
        assert_eq!(found("1.80", "1.89", false), []);
    }
}
