//! The interface as it describes itself.

use crate::support::{Server, request};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};

fn document(server: &Server) -> Value {
    let response = server.get("/openapi.json");
    assert_eq!(response.status, 200, "{response:?}");
    response.json()
}

/// The query parameters of each path and method.
fn parameters(document: &Value) -> BTreeMap<(String, String), Vec<String>> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, told)| ((method.clone(), path.clone()), told))
    });
    operations
        .map(|(operation, told)| {
            let all =
                told["parameters"].as_array().unwrap().iter().filter(|parameter| parameter["in"] == "query");
            (operation, all.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect())
        })
        .collect()
}

#[test]
fn each_path_takes_the_parameters_that_it_says_and_no_other() {
    let server = Server::start();
    let mut asked = 0;
    for ((method, path), names) in parameters(&document(&server)) {
        if path == "/logs"
            || method == "post"
            || ["/", "/assets/{file}", "/reference", "/metrics"].contains(&path.as_str())
        {
            continue;
        }
        let path = path.replace("{id}", "x").replace("{trace_id}", "x");
        let ask = |query: &str| {
            request(server.address, &method.to_uppercase(), &format!("{path}?{query}"), &[], b"")
        };
        // A stream would not end.
        for name in names.iter().filter(|_| path != "/api/v1/tail") {
            let given = name.replace("{name}", "n");
            // Nothing that any of them can be: refused or not, it is known.
            let response = ask(&format!("{given}=%00"));
            assert!(!response.body.contains("unknown parameter"), "{method} {path}: {name}: {response:?}");
            assert!([200, 400, 404].contains(&response.status), "{method} {path}: {name}: {response:?}");
            asked += 1;
        }
        let strict = path.starts_with("/api/v1/") || path == "/stats";
        if strict {
            let refused = ask("nonsense=1");
            assert_eq!(refused.status, 400, "{method} {path}: {refused:?}");
            let known = refused.json()["detail"]
                .as_str()
                .unwrap()
                .split("known are ")
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            assert_eq!(known, names.join(", "), "{method} {path}");
        }
    }
    assert!(asked > 100, "{asked} parameters");
}

#[test]
fn the_page_of_the_interface_is_there_without_a_key_and_shows_nothing_from_elsewhere() {
    let server = Server::with(|config| config.api_key("hl_key"));
    let page = server.get("/reference");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(!page.body.contains("http://") && !page.body.contains("https://"), "{}", page.body);
    assert_eq!(server.get("/openapi.json").status, 200);
    assert_eq!(server.get("/assets/reference.js").status, 200);
}

#[test]
fn a_validator_finds_nothing_wrong() {
    let python = std::env::var("HOPLOG_OPENAPI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there =
        Command::new(&python).args(["-c", "import openapi_spec_validator"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        println!(
            "SKIPPED the OpenAPI validator: {python} has no openapi-spec-validator (pip install it, or set HOPLOG_OPENAPI_PYTHON)"
        );
        return;
    }
    let server = Server::start();
    let url = format!("http://{}/openapi.json", server.address);
    let script = "import json, sys, urllib.request, openapi_spec_validator as v\n\
        spec = json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1]))\n\
        v.validate(spec)\n\
        spec['paths']['/stats']['get']['parameters'] = [{'name': 'a'}]\n\
        try:\n v.validate(spec)\nexcept Exception:\n print('valid, and a wrong one is told')";
    let output = Command::new(&python).args(["-c", script, &url]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("valid, and a wrong one is told"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
