//! No crate depends on one that it must not know.

use super::source::SourceFile;
use super::{Finding, line_where};
use crate::workspace::{Kind, Package, Workspace};

/// `from` must not depend on `to`.
struct Rule {
    from: fn(&str) -> bool,
    to: fn(&str) -> bool,
    /// Also not through other crates.
    through: bool,
    /// Also not in its tests.
    tests: bool,
    why: &'static str,
}

const RULES: [Rule; 7] = [
    Rule {
        from: is_glue,
        to: is_glue,
        through: true,
        tests: true,
        why: "glue only translates: what two of them share belongs into hoplog",
    },
    Rule {
        from: |name| name == "hoplog",
        to: is_framework,
        through: false, // reqwest brings http and tower along, behind its own API
        tests: false,
        why: "core speaks &str and &[u8]: translate in the glue crate",
    },
    Rule {
        from: |name| name == "hoplog",
        to: |name| name == "hoplog-collector",
        through: true,
        tests: true,
        why: "they share hoplog-entry alone; tests meet the other side through hoplog-testkit",
    },
    Rule {
        from: |name| name == "hoplog-collector",
        to: |name| name == "hoplog",
        through: true,
        tests: true,
        why: "they share hoplog-entry alone; tests meet the other side through hoplog-testkit",
    },
    Rule {
        from: |name| name == "hoplog-dashboard",
        to: is_ours,
        through: true,
        tests: true,
        why: "the dashboard is assets: it knows the HTTP API, not our crates",
    },
    Rule {
        from: |name| name == "hoplog-entry",
        to: is_ours,
        through: true,
        tests: false,
        why: "entry is the ground that both sides stand on",
    },
    Rule {
        from: |name| name == "hoplog-entry",
        to: is_async,
        through: true,
        tests: false,
        why: "entry is synchronous: move what awaits to hoplog or hoplog-collector",
    },
];

fn is_glue(name: &str) -> bool {
    matches!(name, "hoplog-tower" | "hoplog-actix" | "hoplog-reqwest" | "hoplog-tracing")
}

fn is_ours(name: &str) -> bool {
    name == "hoplog" || name.starts_with("hoplog-")
}

fn is_framework(name: &str) -> bool {
    name == "http" || one_of_family(name, &["axum", "actix", "tower", "tonic"])
}

fn is_async(name: &str) -> bool {
    one_of_family(name, &["tokio", "futures", "async"])
}

/// `tower`, `tower-http`, `tower_x`; not `towerful`.
fn one_of_family(name: &str, families: &[&str]) -> bool {
    families.iter().any(|family| {
        name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
    })
}

pub(super) fn check(workspace: &Workspace, files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in workspace.members() {
        for rule in RULES.iter().filter(|rule| (rule.from)(&package.name)) {
            findings.extend(direct(package, rule, files));
            if rule.through {
                findings.extend(through(workspace, package, rule, files));
            }
        }
    }
    findings
}

fn direct(package: &Package, rule: &Rule, files: &[SourceFile]) -> Vec<Finding> {
    let bound = package.declared.iter().filter(|each| rule.tests || each.kind != Kind::Dev);
    let broken = bound.filter(|each| each.name != package.name && (rule.to)(&each.name));
    let finding = |name: &str| {
        let line = line_where(files, &package.manifest, |line| names(line, name));
        let what = format!("{} must not depend on {name}", package.name);
        Finding::new(&package.manifest, line, what, rule.why)
    };
    broken.map(|each| finding(&each.name)).collect()
}

fn through(workspace: &Workspace, package: &Package, rule: &Rule, files: &[SourceFile]) -> Vec<Finding> {
    let is_direct = |name: &str| package.declared.iter().any(|each| each.name == name);
    let reached = workspace.compiled_with(package);
    let broken = reached.iter().filter(|each| (rule.to)(&each.name) && !is_direct(&each.name));
    let finding = |name: &str| {
        let line = line_where(files, &package.manifest, |line| line == "[dependencies]");
        let way = format!("cargo tree --edges no-dev --package {} --invert {name}", package.name);
        let what = format!("{} must not reach {name}, which `{way}` shows", package.name);
        Finding::new(&package.manifest, line, what, rule.why)
    };
    broken.map(|each| finding(&each.name)).collect()
}

/// Whether this manifest line declares the dependency.
fn names(line: &str, dependency: &str) -> bool {
    line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with([' ', '.', '=']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::fixture::{foreign, member, with, workspace};

    fn broken(packages: Vec<Package>) -> Vec<String> {
        let findings = check(&workspace(packages), &[]);
        findings.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn the_house_as_designed_is_clean() {
        let core = with(member("hoplog", &["hoplog-entry"]), "reqwest", Kind::Normal);
        let packages = vec![
            with(member("hoplog-entry", &[]), "tokio", Kind::Dev),
            with(core, "axum", Kind::Dev),
            with(member("hoplog-tower", &["hoplog"]), "tower", Kind::Normal),
            member("hoplog-actix", &["hoplog"]),
            member("hoplog-dashboard", &[]),
            member("hoplog-collector", &["hoplog-entry", "hoplog-dashboard"]),
            member("hoplog-testkit", &["hoplog", "hoplog-collector"]),
            foreign("reqwest", &["tower", "http"]),
            foreign("tower", &[]),
            foreign("http", &[]),
        ];
        assert_eq!(broken(packages), Vec::<String>::new());
    }

    #[test]
    fn each_forbidden_edge_is_found() {
        let cases = [
            (member("hoplog-tower", &["hoplog-reqwest"]), "hoplog-reqwest"),
            (with(member("hoplog-tracing", &[]), "hoplog-tower", Kind::Dev), "hoplog-tower"),
            (with(member("hoplog", &[]), "http", Kind::Normal), "http"),
            (with(member("hoplog", &[]), "tower-service", Kind::Build), "tower-service"),
            (with(member("hoplog", &[]), "actix-web", Kind::Normal), "actix-web"),
            (with(member("hoplog", &[]), "hoplog-collector", Kind::Dev), "hoplog-collector"),
            (with(member("hoplog-collector", &[]), "hoplog", Kind::Dev), "hoplog"),
            (member("hoplog-dashboard", &["hoplog-entry"]), "hoplog-entry"),
            (member("hoplog-entry", &["hoplog"]), "hoplog"),
            (with(member("hoplog-entry", &[]), "futures-util", Kind::Normal), "futures-util"),
            (with(member("hoplog-entry", &[]), "async-channel", Kind::Build), "async-channel"),
        ];
        for (package, to) in cases {
            let expected = format!("{} must not depend on {to}", package.name);
            assert_eq!(broken(vec![package]), [expected]);
        }
    }

    #[test]
    fn an_edge_through_another_crate_is_found() {
        let entry = with(member("hoplog-entry", &[]), "middle", Kind::Normal);
        let found = broken(vec![entry, foreign("middle", &["tokio"]), foreign("tokio", &[])]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("hoplog-entry must not reach tokio"), "{found:?}");
    }

    #[test]
    fn a_finding_points_at_the_line_of_the_manifest() {
        let manifest = SourceFile::new(
            "crates/hoplog/Cargo.toml",
            "[package]\nname = \"hoplog\"\n\n[dependencies]\nhttp-body = \"1\"\nhttp.workspace = true\n",
        );
        let workspace = workspace(vec![with(member("hoplog", &[]), "http", Kind::Normal)]);
        let findings = check(&workspace, &[manifest]);
        assert_eq!(findings[0].line, 6);
        assert!(findings[0].to_string().starts_with("crates/hoplog/Cargo.toml:6: "));
    }
}
