//! `cargo xtask weight`: how many crates hoplog adds to an application.
//!
//! A plain application and the same with one of our crates are resolved as their authors would, outside
//! of our workspace but with our lock file's versions, and compared.

use std::collections::BTreeSet;
use std::path::Path;

use crate::figure::Figure;
use crate::outcome::{Failure, Outcome, no_arguments};
use crate::process::{self, cargo};
use crate::workspace::Workspace;

pub(crate) const HELP: &str = "\
usage: cargo xtask weight

Counts the crates (normal and build dependencies on this platform) that hoplog-tower adds to an axum app and
hoplog-actix to an actix-web app, with and without TLS. Needs the registry the first time.";

/// An application without us, and the crate of ours that it could use.
struct App {
    name: &'static str,
    dependencies: &'static str,
    ours: &'static str,
}

const APPS: [App; 2] = [
    App {
        name: "axum",
        dependencies: "axum = \"0.8\"\n\
            tokio = { version = \"1\", features = [\"rt-multi-thread\", \"macros\", \"net\"] }\n",
        ours: "tower",
    },
    App { name: "actix", dependencies: "actix-web = \"4\"\n", ours: "actix" },
];

/// What the default features are without `tls`.
const NO_TLS: &str = ", default-features = false, features = [\"proxy\"]";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    no_arguments("weight", arguments)?;
    let workspace = Workspace::load()?;
    for app in &APPS {
        let plain = crates(&workspace, app, &format!("{}-plain", app.name), None)?;
        println!("{}: {} crates without hoplog", app.name, plain.len());
        for (suffix, features) in [("", ""), ("_no_tls", NO_TLS)] {
            let name = format!("{}-hoplog{}", app.name, suffix.replace('_', "-"));
            let with = crates(&workspace, app, &name, Some(features))?;
            let added: Vec<&str> = with.difference(&plain).map(String::as_str).collect();
            println!(
                "{}",
                Figure::new(format!("weight.{}_crates{suffix}", app.name), added.len() as f64, "count")
            );
            println!("  {}", added.join(", "));
        }
    }
    Ok(Vec::new())
}

/// The crates that the application compiles, as `name version`, itself left out.
fn crates(
    workspace: &Workspace,
    app: &App,
    name: &str,
    ours: Option<&str>,
) -> Result<BTreeSet<String>, Failure> {
    let directory = workspace.target.join("xtask/weight").join(name);
    let source = directory.join("src");
    std::fs::create_dir_all(&source).map_err(|error| Failure::io("create", &source, &error))?;
    write(&source.join("main.rs"), "fn main() {}\n")?;
    write(&directory.join("Cargo.toml"), &manifest(&workspace.root, app, name, ours))?;
    // Our versions are where the resolver begins; what the app does not use it drops.
    let lock = workspace.root.join("Cargo.lock");
    std::fs::copy(&lock, directory.join("Cargo.lock")).map_err(|error| Failure::io("copy", &lock, &error))?;
    let arguments = ["tree", "--quiet", "--edges=normal,build", "--prefix=none", "--format={p}"];
    let tree = process::quietly(cargo().args(arguments).current_dir(&directory))?;
    Ok(compiled(&tree, name))
}

fn manifest(root: &Path, app: &App, name: &str, ours: Option<&str>) -> String {
    let mut manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}",
        app.dependencies,
    );
    if let Some(features) = ours {
        let path = root.join("crates").join(app.ours);
        // A TOML literal string takes backslashes as they are.
        manifest.push_str(&format!("hoplog-{} = {{ path = '{}'{features} }}\n", app.ours, path.display()));
    }
    manifest
}

/// `name version` of each line `name vVERSION (notes)`, once.
fn compiled(tree: &str, app: &str) -> BTreeSet<String> {
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        (name != app).then(|| format!("{name} {version}"))
    };
    tree.lines().filter_map(package).collect()
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| Failure::io("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_counts_once_and_the_app_itself_does_not() {
        let tree =
            "app v0.0.0 (/t/app)\nserde v1.0.1\nserde_derive v1.0.1 (proc-macro)\nserde v1.0.1 (*)\n\n";
        let crates: Vec<String> = compiled(tree, "app").into_iter().collect();
        assert_eq!(crates, ["serde 1.0.1", "serde_derive 1.0.1"]);
    }

    #[test]
    fn the_app_with_hoplog_is_the_plain_app_and_one_line() {
        let root = Path::new("/r");
        let plain = manifest(root, &APPS[0], "axum-app", None);
        let with = manifest(root, &APPS[0], "axum-app", Some(NO_TLS));
        let line = with.strip_prefix(&plain).unwrap();
        let expected =
            "hoplog-tower = { path = '/r/crates/tower', default-features = false, features = [\"proxy\"] }\n";
        assert_eq!(line, expected);
    }
}
