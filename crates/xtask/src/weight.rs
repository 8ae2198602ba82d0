//! `cargo xtask weight`: how many crates hoplog adds to an application, and if asked how long it takes to build them.
//!
//! A plain application and the same with one of our crates are resolved as their authors would, outside
//! of our workspace but with our lock file's versions, and compared.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crate::figure::Figure;
use crate::outcome::{Failure, Outcome};
use crate::process::{self, cargo};
use crate::workspace::Workspace;

pub(crate) const HELP: &str = "\
usage: cargo xtask weight [--build] [--peers]

Counts the crates (normal and build dependencies on this platform) that hoplog-tower adds to an axum app and
hoplog-actix to an actix-web app, with and without TLS, and fails where they are more than 45 without and 75 with it. With
--build, builds the axum app with and without hoplog, in release and from nothing: seconds and bytes added. With
--peers, counts what others add to the same axum app, and fails where sentry, OTLP, logfire, or outlet with a place to
send to, adds less.
Needs the registry the first time.";

/// The most crates that may be added to an axum app, with TLS and without.
const MOST: [usize; 2] = [75, 45];

/// An application without us, and the crate of ours that it could use.
struct App {
    name: &'static str,
    dependencies: &'static str,
    ours: &'static str,
    /// Its program, with `LAYER` where ours goes.
    main: &'static str,
    layer: &'static str,
}

const APPS: [App; 2] = [
    App {
        name: "axum",
        dependencies: "axum = \"0.8\"\n\
            tokio = { version = \"1\", features = [\"rt-multi-thread\", \"macros\", \"net\"] }\n",
        ours: "tower",
        main: "#[tokio::main]\n\
            async fn main() {\n\
            let app = axum::Router::new().route(\"/\", axum::routing::get(|| async { \"ok\" }));\n\
            LAYER\n\
            let listener = tokio::net::TcpListener::bind(\"127.0.0.1:0\").await.unwrap();\n\
            axum::serve(listener, app).await.unwrap();\n\
            }\n",
        layer: "let app = app.layer(hoplog_tower::RequestLogLayer::new(\
            hoplog::Client::from_env().unwrap()));",
    },
    App {
        name: "actix",
        dependencies: "actix-web = \"4\"\n",
        ours: "actix",
        main: "fn main() {\nLAYER\n}\n",
        layer: "",
    },
];

/// What else people add to the app of [`APPS`] for requests that are told of elsewhere, as its own page says to.
struct Peer {
    name: &'static str,
    dependencies: &'static str,
    /// Whether its defaults speak TLS.
    tls: bool,
    /// Whether we are to be lighter.
    heavier: bool,
}

const PEERS: [Peer; 6] = [
    peer(
        "sentry",
        "sentry = \"0.49\"\nsentry-tower = { version = \"0.49\", features = [\"http\", \"axum-matched-path\"] }\n",
        true,
    ),
    peer(
        "opentelemetry_otlp",
        "opentelemetry = \"0.33\"\nopentelemetry_sdk = \"0.33\"\nopentelemetry-otlp = \"0.33\"\n\
            opentelemetry-instrumentation-tower = { version = \"0.19\", features = [\"axum\"] }\n",
        false,
    ),
    peer("logfire", "logfire = \"0.13\"\n", true),
    peer("outlet_postgres", "outlet = \"0.11\"\noutlet-postgres = \"0.8\"\n", true),
    Peer {
        name: "emit_otlp",
        dependencies: "emit = \"2.23\"\nemit_otlp = \"2.23\"\n",
        tls: true,
        heavier: false,
    },
    // It sends nothing anywhere.
    Peer { name: "outlet", dependencies: "outlet = \"0.11\"\n", tls: false, heavier: false },
];

const fn peer(name: &'static str, dependencies: &'static str, tls: bool) -> Peer {
    Peer { name, dependencies, tls, heavier: true }
}

/// What the default features are without `tls`.
const NO_TLS: &str = ", default-features = false, features = [\"proxy\"]";

pub(crate) fn run(arguments: &[String]) -> Outcome {
    if let Some(other) = arguments.iter().find(|a| !matches!(a.as_str(), "--build" | "--peers")) {
        return Err(Failure::Usage(format!("`cargo xtask weight` knows no `{other}`")));
    }
    let asked = |option: &str| arguments.iter().any(|argument| argument == option);
    let workspace = Workspace::load()?;
    let (mut heavy, mut ours) = (Vec::new(), Vec::new());
    for app in &APPS {
        let plain = crates(&workspace, app, &format!("{}-plain", app.name), "")?;
        println!("{}: {} crates without hoplog", app.name, plain.len());
        for ((suffix, features), most) in [("", ""), ("_no_tls", NO_TLS)].into_iter().zip(MOST) {
            let name = format!("{}-hoplog{}", app.name, suffix.replace('_', "-"));
            let with = crates(&workspace, app, &name, &lines(&workspace.root, app, features))?;
            let added: Vec<&str> = with.difference(&plain).map(String::as_str).collect();
            ours.push(added.len());
            let figure = format!("weight.{}_crates{suffix}", app.name);
            println!("{}", Figure::new(&figure, added.len() as f64, "count"));
            println!("  {}", added.join(", "));
            if added.len() > most {
                heavy.push(format!("{figure} is {}, where {most} are the most", added.len()));
            }
        }
    }
    if asked("--peers") {
        heavy.extend(lighter_peers(&workspace, &ours)?);
    }
    if !heavy.is_empty() {
        return Err(Failure::new(heavy.join("; ")));
    }
    if asked("--build") {
        added_by_building(&workspace)?;
    }
    Ok(Vec::new())
}

/// Counts what each of [`PEERS`] adds to the first application; those that should add more than we do, with TLS or
/// without as they have it, and do not.
fn lighter_peers(workspace: &Workspace, ours: &[usize]) -> Result<Vec<String>, Failure> {
    let app = &APPS[0];
    let plain = crates(workspace, app, &format!("{}-plain", app.name), "")?;
    let mut lighter = Vec::new();
    for peer in &PEERS {
        let name = format!("{}-{}", app.name, peer.name.replace('_', "-"));
        let added = crates(workspace, app, &name, peer.dependencies)?.difference(&plain).count();
        println!("{}", Figure::new(format!("weight.peer.{}_crates", peer.name), added as f64, "count"));
        let ours = ours[usize::from(!peer.tls)];
        println!("  {} TLS, where hoplog adds {ours}", if peer.tls { "with" } else { "without" });
        if peer.heavier && added <= ours {
            lighter.push(format!("{} adds {added}, hoplog {ours}", peer.name));
        }
    }
    Ok(lighter)
}

/// Builds the first application, which was resolved before, without us and with us.
fn added_by_building(workspace: &Workspace) -> Result<(), Failure> {
    let app = &APPS[0];
    let (mut seconds, mut bytes) = ([0.0; 2], [0.0; 2]);
    for (which, name) in ["plain", "hoplog"].into_iter().enumerate() {
        let directory = workspace.target.join("xtask/weight").join(format!("{}-{name}", app.name));
        let target = directory.join("target");
        if target.exists() {
            std::fs::remove_dir_all(&target).map_err(|error| Failure::io("remove", &target, &error))?;
        }
        let mut command = cargo();
        command.args(["build", "--release", "--quiet", "--target-dir"]).arg(&target).current_dir(&directory);
        let start = Instant::now();
        process::run(&mut command)?;
        seconds[which] = start.elapsed().as_secs_f64();
        let program = target.join("release").join(format!("{}-{name}", app.name));
        let read = std::fs::metadata(&program).map_err(|error| Failure::io("read", &program, &error))?;
        bytes[which] = read.len() as f64;
    }
    println!("{}", Figure::new("weight.plain_build_s", seconds[0].round(), "s"));
    println!("{}", Figure::new("weight.build_s", (seconds[1] - seconds[0]).round(), "s"));
    println!("{}", Figure::new("weight.binary_kib", ((bytes[1] - bytes[0]) / 1024.0).round(), "KiB"));
    Ok(())
}

/// The crates that the application compiles, as `name version`, itself left out.
fn crates(workspace: &Workspace, app: &App, name: &str, more: &str) -> Result<BTreeSet<String>, Failure> {
    let directory = workspace.target.join("xtask/weight").join(name);
    let source = directory.join("src");
    std::fs::create_dir_all(&source).map_err(|error| Failure::io("create", &source, &error))?;
    let layer = if more.contains("hoplog") { app.layer } else { "" };
    write(&source.join("main.rs"), &app.main.replace("LAYER", layer))?;
    write(&directory.join("Cargo.toml"), &manifest(app, name, more))?;
    // Our versions are where the resolver begins; what the app does not use it drops.
    let lock = workspace.root.join("Cargo.lock");
    std::fs::copy(&lock, directory.join("Cargo.lock")).map_err(|error| Failure::io("copy", &lock, &error))?;
    let arguments = ["tree", "--quiet", "--edges=normal,build", "--prefix=none", "--format={p}"];
    let tree = process::quietly(cargo().args(arguments).current_dir(&directory))?;
    Ok(compiled(&tree, name))
}

fn manifest(app: &App, name: &str, more: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n{}{more}",
        app.dependencies,
    )
}

/// The dependencies by which an application takes us in.
fn lines(root: &Path, app: &App, features: &str) -> String {
    // A TOML literal string takes backslashes as they are.
    let (layer, core) = (root.join("crates").join(app.ours), root.join("crates/core"));
    format!(
        "hoplog-{} = {{ path = '{}'{features} }}\n\
         # Where the client comes from; which features it has says the line above.\n\
         hoplog = {{ path = '{}', default-features = false }}\n",
        app.ours,
        layer.display(),
        core.display(),
    )
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
    fn the_app_with_hoplog_is_the_plain_app_and_two_dependencies() {
        let line = lines(Path::new("/r"), &APPS[0], NO_TLS);
        let plain = manifest(&APPS[0], "axum-app", "");
        assert_eq!(manifest(&APPS[0], "axum-app", &line), format!("{plain}{line}"));
        let expected = "hoplog-tower = { path = '/r/crates/tower', default-features = false, features = [\"proxy\"] }\n\
             # Where the client comes from; which features it has says the line above.\n\
             hoplog = { path = '/r/crates/core', default-features = false }\n";
        assert_eq!(line, expected);
    }
}
