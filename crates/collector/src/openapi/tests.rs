//! The document against the code: a route or a parameter that one has and the other has not fails here.

use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// `get /api/v1/logs` of every `.route(…)` in the source.
fn routes(directory: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("openapi/tests.rs") {
            let source = fs::read_to_string(&path).unwrap();
            for route in source.split(".route(").skip(1) {
                let mut quoted = route.split('"');
                if !quoted.next().unwrap().trim().is_empty() {
                    continue;
                }
                let path = quoted.next().unwrap();
                let handlers = route.split(';').next().unwrap();
                for (call, method) in [
                    ("get(", "get"),
                    ("post(", "post"),
                    ("delete(", "delete"),
                    ("put(", "put"),
                    ("taking(", "post"),
                ] {
                    if handlers.contains(call) {
                        found.insert(format!("{method} {path}"));
                    }
                }
            }
        }
    }
}

#[test]
fn every_route_is_described_and_no_other() {
    let mut there = BTreeSet::new();
    routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut there);
    assert!(there.len() > 20, "a control: {there:?}");
    let described: BTreeSet<String> = OPERATIONS.iter().map(|o| format!("{} {}", o.method, o.path)).collect();
    assert_eq!(described, there);
    assert_eq!(described.len(), OPERATIONS.len(), "each once");
}

#[test]
fn what_the_document_refers_to_is_in_it() {
    let document = document();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut used = BTreeSet::new();
    for rest in text.split("\"#/components/schemas/").skip(1) {
        let name = rest.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
        used.insert(name.to_owned());
    }
    assert_eq!(used, schemas.keys().cloned().collect(), "each is used");
    let ids: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
    assert_eq!(ids.len(), OPERATIONS.len());
}
