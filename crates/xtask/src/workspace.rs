//! What `cargo metadata` says about the workspace, reduced to what the checks read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::outcome::Failure;
use crate::process;

/// The workspace and, resolved for this platform, everything it depends on.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Cargo's target directory, where whatever we fetch or generate goes too.
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One package: a member of the workspace or a dependency.
#[derive(Debug, Default, Clone)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) license: String,
    /// As the package declares it; `None` promises nothing.
    pub(crate) rust_version: Option<RustVersion>,
    pub(crate) member: bool,
    pub(crate) published: bool,
    /// The manifest relative to the root, with `/`; only right for members.
    pub(crate) manifest: String,
    /// As declared: every feature and platform.
    pub(crate) declared: Vec<Dependency>,
    /// As resolved: ids, by kind.
    pub(crate) resolved: Vec<(String, Kind)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// By path, that is one of our own.
    pub(crate) local: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

/// Major, minor, patch: ordered as numbers, unlike the text.
pub(crate) type RustVersion = (u32, u32, u32);

impl Workspace {
    /// Asks cargo. The dependencies of other platforms are left out, so that nothing is fetched for them.
    pub(crate) fn load() -> Result<Self, Failure> {
        let rustc = process::stdout(std::process::Command::new("rustc").arg("-vV"))?;
        let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
        let host = host.ok_or_else(|| Failure::new("`rustc -vV` does not name the host platform"))?;
        let arguments =
            ["metadata", "--format-version=1", "--locked", "--all-features", "--filter-platform", host];
        let json = process::stdout(process::cargo().args(arguments))?;
        let metadata = serde_json::from_str(&json)
            .map_err(|error| Failure::new(format!("`cargo metadata` wrote no JSON: {error}")))?;
        Self::from_metadata(&metadata)
            .ok_or_else(|| Failure::new("`cargo metadata` lacks a field that xtask reads: workspace.rs"))
    }

    fn from_metadata(metadata: &Value) -> Option<Self> {
        let root = PathBuf::from(metadata["workspace_root"].as_str()?);
        let target = PathBuf::from(metadata["target_directory"].as_str()?);
        let members: BTreeSet<&str> =
            metadata["workspace_members"].as_array()?.iter().filter_map(Value::as_str).collect();
        let mut edges: BTreeMap<&str, Vec<(String, Kind)>> = BTreeMap::new();
        for node in metadata["resolve"]["nodes"].as_array()? {
            edges.insert(node["id"].as_str()?, resolved(node)?);
        }
        let mut packages = Vec::new();
        for package in metadata["packages"].as_array()? {
            let id = package["id"].as_str()?;
            let manifest = Path::new(package["manifest_path"].as_str()?);
            let manifest = manifest.strip_prefix(&root).unwrap_or(manifest);
            packages.push(Package {
                id: id.to_owned(),
                name: package["name"].as_str()?.to_owned(),
                license: package["license"].as_str().unwrap_or_default().to_owned(),
                rust_version: package["rust_version"].as_str().and_then(rust_version),
                member: members.contains(id),
                published: package["publish"].is_null(),
                manifest: manifest.to_string_lossy().replace('\\', "/"),
                declared: package["dependencies"].as_array()?.iter().filter_map(declared).collect(),
                resolved: edges.remove(id).unwrap_or_default(),
            });
        }
        Some(Self { root, target, packages })
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.member)
    }

    /// Everything that using this package compiles, itself left out: its normal and build dependencies,
    /// and theirs.
    pub(crate) fn compiled_with<'a>(&'a self, package: &'a Package) -> Vec<&'a Package> {
        let by_id: BTreeMap<&str, &Package> =
            self.packages.iter().map(|package| (package.id.as_str(), package)).collect();
        let mut seen = BTreeSet::from([package.id.as_str()]);
        let mut open = vec![package];
        let mut found = Vec::new();
        while let Some(next) = open.pop() {
            let edges = next.resolved.iter().filter(|(_, kind)| *kind != Kind::Dev);
            for dependency in edges.filter_map(|(id, _)| by_id.get(id.as_str())) {
                if seen.insert(&dependency.id) {
                    found.push(*dependency);
                    open.push(dependency);
                }
            }
        }
        found
    }
}

fn declared(dependency: &Value) -> Option<Dependency> {
    let name = dependency["name"].as_str()?.to_owned();
    Some(Dependency { name, kind: kind(&dependency["kind"]), local: dependency.get("path").is_some() })
}

fn resolved(node: &Value) -> Option<Vec<(String, Kind)>> {
    let mut edges = Vec::new();
    for dependency in node["deps"].as_array()? {
        let id = dependency["pkg"].as_str()?;
        let kinds = dependency["dep_kinds"].as_array()?;
        edges.extend(kinds.iter().map(|each| (id.to_owned(), kind(&each["kind"]))));
    }
    Some(edges)
}

fn kind(value: &Value) -> Kind {
    match value.as_str() {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    }
}

/// Reads `1.89` or `1.89.0`.
pub(crate) fn rust_version(text: &str) -> Option<RustVersion> {
    let mut numbers = text.split('.').map(|number| number.parse::<u32>().ok());
    let (major, minor) = (numbers.next()??, numbers.next()??);
    Some((major, minor, numbers.next().unwrap_or(Some(0))?))
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;

    /// A published member `name` in `crates/<name>` with these normal dependencies, all on members.
    pub(crate) fn member(name: &str, dependencies: &[&str]) -> Package {
        let local = |name: &&str| Dependency { name: (*name).into(), kind: Kind::Normal, local: true };
        Package {
            id: name.into(),
            name: name.into(),
            license: "MIT".into(),
            member: true,
            published: true,
            manifest: format!("crates/{name}/Cargo.toml"),
            declared: dependencies.iter().map(local).collect(),
            resolved: dependencies.iter().map(|name| ((*name).into(), Kind::Normal)).collect(),
            ..Package::default()
        }
    }

    /// A dependency from a registry.
    pub(crate) fn foreign(name: &str, dependencies: &[&str]) -> Package {
        Package { member: false, published: true, ..member(name, dependencies) }
    }

    /// The package with one more dependency, from a registry.
    pub(crate) fn with(mut package: Package, name: &str, kind: Kind) -> Package {
        package.declared.push(Dependency { name: name.into(), kind, local: false });
        package.resolved.push((name.into(), kind));
        package
    }

    pub(crate) fn workspace(packages: Vec<Package>) -> Workspace {
        Workspace { packages, ..Workspace::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::{foreign, member, with, workspace};
    use super::*;

    #[test]
    fn the_metadata_of_this_workspace_is_understood() {
        let workspace = Workspace::load().unwrap();
        let core = workspace.members().find(|package| package.name == "hoplog").unwrap();
        assert_eq!(core.manifest, "crates/core/Cargo.toml");
        assert!(core.published && core.rust_version.is_some());
        assert!(core.declared.iter().any(|dependency| dependency.name == "hoplog-entry" && dependency.local));
        assert!(workspace.compiled_with(core).iter().any(|package| package.name == "hoplog-entry"));
        let xtask = workspace.members().find(|package| package.name == "xtask").unwrap();
        assert!(!xtask.published);
    }

    #[test]
    fn what_is_compiled_follows_normal_and_build_edges_but_not_tests() {
        let app = with(with(member("app", &["a"]), "tool", Kind::Build), "tester", Kind::Dev);
        let others = ["a", "b", "tool", "tester"].map(|name| match name {
            "a" => foreign("a", &["b"]),
            "b" => foreign("b", &["a"]),
            other => foreign(other, &[]),
        });
        let mut packages = vec![app];
        packages.extend(others);
        let workspace = workspace(packages);
        let mut names: Vec<&str> =
            workspace.compiled_with(&workspace.packages[0]).iter().map(|each| each.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "tool"]);
    }

    #[test]
    fn rust_versions_are_compared_as_numbers() {
        assert_eq!(rust_version("1.89"), Some((1, 89, 0)));
        assert!(rust_version("1.100") > rust_version("1.89.1"));
        assert_eq!(rust_version("new"), None);
    }
}
