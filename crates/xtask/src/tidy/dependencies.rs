//! `docs/dependencies.md` gives a reason for each dependency, and for no other.

use std::collections::BTreeMap;

use super::block::Block;
use super::source::{SourceFile, text};
use super::{Finding, line_where};
use crate::workspace::{Dependency, Kind, Workspace};

const PAGE: &str = "docs/dependencies.md";

pub(super) fn check(workspace: &Workspace, files: &[SourceFile]) -> Vec<Finding> {
    let wanted = shared(text(files, "Cargo.toml"));
    let rows = rows(text(files, PAGE));
    let mut findings = Vec::new();
    for (name, line) in &wanted {
        if !rows.contains_key(name) {
            let what = format!("`{name}` has no row");
            findings.push(Finding::new(PAGE, 1, what, format!("say why it is here: | `{name}` | … |")));
        }
        if !foreign(workspace).any(|(_, each)| each.name == *name) {
            let what = format!("no crate uses `{name}`");
            findings.push(Finding::new(
                "Cargo.toml",
                *line,
                what,
                "remove it and its row in docs/dependencies.md",
            ));
        }
    }
    for (name, line) in &rows {
        if !wanted.contains_key(name) {
            let what = format!("`{name}` is not in [workspace.dependencies]");
            findings.push(Finding::new(PAGE, *line, what, "remove the row"));
        }
    }
    for (manifest, dependency) in foreign(workspace) {
        if !wanted.contains_key(&dependency.name) {
            let line = line_where(files, manifest, |line| line.starts_with(&dependency.name));
            let what = format!("`{}` is declared here alone", dependency.name);
            let fix = "declare it in the root's [workspace.dependencies] and use `workspace = true`";
            findings.push(Finding::new(manifest, line, what, fix));
        }
    }
    findings
}

/// The facts that cargo knows: licence and users of each dependency.
pub(super) fn table(workspace: &Workspace) -> Block {
    let mut users: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    let mut licenses: BTreeMap<&str, &str> = BTreeMap::new();
    for package in workspace.members() {
        for dependency in package.declared.iter().filter(|each| !each.local) {
            let tests_only = users.entry(&dependency.name).or_default().entry(&package.name).or_insert(true);
            *tests_only &= dependency.kind == Kind::Dev;
        }
        // By id: a second version of a crate, deeper down, may bear another licence.
        for (id, _) in &package.resolved {
            let Some(used) = workspace.packages.iter().find(|each| each.id == *id) else { continue };
            licenses.insert(&used.name, &used.license);
        }
    }
    let mut content = String::from("| dependency | licence | used by |\n|---|---|---|\n");
    for (name, users) in users {
        let license = licenses.get(name).copied().unwrap_or_default();
        let user = |(name, tests): (&str, bool)| format!("{name}{}", if tests { " (tests)" } else { "" });
        let users: Vec<String> = users.into_iter().map(user).collect();
        content.push_str(&format!("| `{name}` | {license} | {} |\n", users.join(", ")));
    }
    Block { file: PAGE, name: "facts", content }
}

/// Every dependency of a member on somebody else's crate, with the member's manifest.
fn foreign(workspace: &Workspace) -> impl Iterator<Item = (&str, &Dependency)> {
    workspace.members().flat_map(|package| {
        let foreign = package.declared.iter().filter(|each| !each.local);
        foreign.map(|each| (package.manifest.as_str(), each))
    })
}

/// The names in `[workspace.dependencies]` that are not ours, with their lines. Cargo does not report
/// this table, and one line per dependency is how it is written.
fn shared(manifest: &str) -> BTreeMap<String, usize> {
    let mut inside = false;
    let mut names = BTreeMap::new();
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.trim() == "[workspace.dependencies]";
        } else if let (true, Some((name, value))) = (inside, line.split_once('='))
            && !line.starts_with('#')
            && !value.contains("path =")
        {
            names.insert(name.trim().to_owned(), index + 1);
        }
    }
    names
}

/// The names that begin a row of a hand-written table, with their lines.
fn rows(page: &str) -> BTreeMap<String, usize> {
    let mut generated = false;
    let mut names = BTreeMap::new();
    for (index, line) in page.lines().enumerate() {
        if line.starts_with("<!-- ") {
            generated = line.starts_with("<!-- begin:");
        }
        let name = line.strip_prefix("| `").and_then(|rest| rest.split_once('`'));
        if let (false, Some((name, _))) = (generated, name) {
            names.insert(name.to_owned(), index + 1);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture::{foreign, member, with, workspace};

    const MANIFEST: &str = "\
[workspace.dependencies]
hoplog = { path = \"crates/core\", version = \"0.1.0\" }
# serde_json = why
serde = { version = \"1\" }

[profile.dev]
debug = 1
";

    fn found(workspace: &Workspace, page: &str) -> Vec<String> {
        let files = [SourceFile::new("Cargo.toml", MANIFEST), SourceFile::new(PAGE, page)];
        check(workspace, &files).iter().map(Finding::to_string).collect()
    }

    fn using(names: &[&str]) -> Workspace {
        let user = names.iter().fold(member("hoplog", &[]), |user, name| with(user, name, Kind::Normal));
        workspace(vec![user, foreign("serde", &[])])
    }

    #[test]
    fn a_page_in_step_is_clean() {
        assert_eq!(found(&using(&["serde"]), "| `serde` | why |\n"), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_without_a_row_is_found() {
        let page = "serde\n<!-- begin:facts -->\n| `serde` | generated |\n<!-- end:facts -->\n";
        let findings = found(&using(&["serde"]), page);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("docs/dependencies.md:1: `serde` has no row"), "{findings:?}");
    }

    #[test]
    fn a_row_whose_dependency_is_gone_is_found() {
        let findings = found(&using(&["serde"]), "| `serde` | why |\n| `chrono` | why |\n");
        assert!(findings[0].starts_with("docs/dependencies.md:2: `chrono` is not in"), "{findings:?}");
    }

    #[test]
    fn a_dependency_that_nobody_uses_and_one_declared_aside_are_found() {
        let findings = found(&using(&["chrono"]), "| `serde` | why |\n");
        assert_eq!(findings.len(), 2);
        assert!(findings[0].starts_with("Cargo.toml:4: no crate uses `serde`"), "{findings:?}");
        assert!(findings[1].starts_with("crates/hoplog/Cargo.toml:1: `chrono` is declared here alone"));
    }

    #[test]
    fn the_generated_table_tells_users_in_tests_from_others() {
        let tester = with(member("tester", &[]), "serde", Kind::Dev);
        let packages =
            vec![with(member("hoplog", &[]), "serde", Kind::Normal), tester, foreign("serde", &[])];
        let content = table(&workspace(packages)).content;
        assert_eq!(content.lines().last(), Some("| `serde` | MIT | hoplog, tester (tests) |"));
    }
}
