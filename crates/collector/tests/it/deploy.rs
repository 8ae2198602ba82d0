//! `docs/deploy`: what the unit and the recipe name is there, and the lines that they start are understood.

use crate::process::hoplog;
use crate::support::TempDir;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join("docs/deploy").join(name)).unwrap()
}

/// The arguments behind `serve`, taken by `hoplog config check` as `serve` would take them.
fn is_understood(arguments: &[String]) {
    assert_eq!(arguments.first().map(String::as_str), Some("serve"), "{arguments:?}");
    let given: Vec<&str> = arguments[1..].iter().map(String::as_str).collect();
    let output = hoplog(&[&["config", "check"], &given[..]].concat()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    let shown = String::from_utf8(output.stdout).unwrap();
    for flag in given.iter().filter_map(|word| word.strip_prefix("--")).filter(|flag| *flag != "config") {
        let line = shown.lines().find(|line| line.ends_with(&format!("# --{flag}")));
        assert!(line.is_some(), "--{flag} is a setting that was taken: {shown}");
    }
}

/// Variables of hoplog's that a text names, and that the collector reads.
fn variables_are_known(text: &str) -> usize {
    let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    let named: BTreeSet<&str> = words.filter(|word| word.starts_with("HOPLOG_")).collect();
    for name in &named {
        let setting = name.trim_start_matches("HOPLOG_").trim_end_matches("_FILE").to_lowercase();
        let output = hoplog(&["config", "check"]).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        let is_one = |line: &str| line.trim_start_matches("# ").split(' ').next() == Some(&setting);
        assert!(shown.lines().any(is_one), "{name}");
    }
    named.len()
}

#[test]
fn the_unit_starts_what_there_is_and_is_one_for_systemd() {
    let unit = read("hoplog.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let directory = TempDir::new();
    let config = directory.path().join("hoplog.toml");
    std::fs::write(&config, "").unwrap();
    // Its configuration lies elsewhere here; all the rest is as it stands.
    let mut words: Vec<String> = start.split(' ').map(str::to_owned).collect();
    let place = words.iter().position(|word| word == "/etc/hoplog/hoplog.toml").unwrap();
    words[place] = config.to_str().unwrap().to_owned();
    assert_eq!(words.remove(0), "/usr/local/bin/hoplog");
    is_understood(&words);
    assert!(variables_are_known(&unit) >= 1);
    // Where systemd keeps state for the unit is where it is told to keep it.
    assert!(unit.contains("StateDirectory=hoplog\n") && start.contains("--data-dir /var/lib/hoplog"));
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("SKIPPED systemd's look at the unit: there is no systemd-analyze (apt-get install systemd)");
        return;
    };
    assert!(version.status.success());
    let ours = unit.replace("/usr/local/bin/hoplog", env!("CARGO_BIN_EXE_hoplog"));
    let file = directory.path().join("hoplog.service");
    std::fs::write(&file, ours).unwrap();
    let looked = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&file).output().unwrap();
        (
            output.status.success(),
            [output.stdout, output.stderr].map(|out| String::from_utf8(out).unwrap()).concat(),
        )
    };
    // A unit of the machine's own may be complained of, too.
    let (_, said) = looked(&["verify", "--man=no"]);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("hoplog.service")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    // In tenths; systemd calls up to 2 the safest class.
    let (safe, said) = looked(&["security", "--offline=true", "--threshold=20"]);
    assert!(safe, "{said}");
    let exposure = said.rsplit("hoplog.service: ").next().and_then(|rest| rest.split(' ').next()).unwrap();
    println!("FIGURE deploy.unit_exposure {exposure} of_10");
}

#[test]
fn the_recipe_copies_what_is_built_and_starts_what_there_is() {
    let recipe = read("Containerfile");
    let list = |name: &str| -> Vec<String> {
        let line = recipe.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        serde_json::from_str(line.trim()).unwrap()
    };
    let mut words = list("ENTRYPOINT");
    words.extend(list("CMD"));
    assert_eq!(words.remove(0), "hoplog");
    is_understood(&words);
    assert!(variables_are_known(&recipe) >= 1);
    // The package and the program are ours, and the toolchain is no older than the one that is asked for.
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let of = |text: &str, before: &str| -> String {
        let rest = text.split(before).nth(1).unwrap();
        rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()
    };
    let version = |text: String| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap()).collect() };
    let (image, wanted) =
        (version(of(&recipe, "library/rust:")), version(of(&manifest, "rust-version = \"")));
    assert!(image[..2] >= wanted[..2], "{image:?} {wanted:?}");
    assert!(recipe.contains("--package hoplog-collector") && recipe.contains("target/release/hoplog "));
    // Everything that is named of this project exists, and what is built is not copied in.
    assert!(
        root().join("docs/deploy/Containerfile").exists() && recipe.contains("-f docs/deploy/Containerfile")
    );
    let left_out = std::fs::read_to_string(root().join(".dockerignore")).unwrap();
    assert!(left_out.lines().any(|line| line == "target"), "{left_out}");
}
