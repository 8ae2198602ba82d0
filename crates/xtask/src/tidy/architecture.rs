//! The map names every crate.

use super::Finding;
use super::source::{SourceFile, text};
use crate::workspace::Workspace;

const MAP: &str = "docs/architecture.md";

pub(super) fn check(workspace: &Workspace, files: &[SourceFile]) -> Vec<Finding> {
    let map = text(files, MAP);
    if map.is_empty() {
        return vec![Finding::new(
            MAP,
            1,
            "there is no map",
            "write it: picture, one request walked, invariants",
        )];
    }
    let crates = workspace.members().filter(|package| package.manifest.starts_with("crates/"));
    let missing = crates.filter(|package| !map.contains(&format!("`{}`", package.name)));
    let finding = |name: &str| {
        Finding::new(
            MAP,
            1,
            format!("does not name the crate `{name}`"),
            "say what it is for, its name in backticks",
        )
    };
    missing.map(|package| finding(&package.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture::{member, workspace};

    #[test]
    fn a_crate_that_the_map_does_not_name_is_found() {
        let workspace = workspace(vec![member("hoplog", &[]), member("hoplog-entry", &[])]);
        let map = |text: &str| [SourceFile::new(MAP, text)];
        assert_eq!(check(&workspace, &map("`hoplog` stands on `hoplog-entry`.")), []);
        let findings = check(&workspace, &map("`hoplog-entry` is the ground."));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].what.contains("`hoplog`"), "{}", findings[0]);
    }

    #[test]
    fn a_missing_map_is_found() {
        assert_eq!(check(&workspace(Vec::new()), &[]).len(), 1);
    }
}
