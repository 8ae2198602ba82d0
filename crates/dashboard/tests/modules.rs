//! Runs the tests of the page's pure modules (`tests/modules/*.test.js`) with Node's own test runner;
//! `package.json` is there to tell Node that they are ES modules. Not needed to build or to use anything.

use std::process::Command;

#[test]
fn the_pure_modules_keep_their_promises() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modules");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of tests")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.to_string_lossy().ends_with(".test.js"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no tests in {folder}");

    let Ok(run) = Command::new("node").arg("--test").args(&files).output() else {
        println!("SKIPPED the page's modules: node is not installed (apt-get install nodejs)");
        return;
    };
    let report = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{report}");
    assert!(!report.contains("# tests 0"), "nothing ran: {report}");
}
