//! What must hold of the assets as they are embedded: complete, within bounds, and free of every way from a string
//! to script or markup.

#![allow(clippy::panic, clippy::expect_used)] // a helper of a test fails like the test itself

use std::collections::BTreeSet;

use hoplog_dashboard::{CONTENT_SECURITY_POLICY, asset, names};

fn text(name: &str) -> String {
    let asset = asset(name).unwrap_or_else(|| panic!("{name} is not embedded"));
    String::from_utf8(asset.bytes.into_owned()).unwrap_or_else(|e| panic!("{name} is not UTF-8: {e}"))
}

fn with_extension(extension: &str) -> Vec<String> {
    let found: Vec<String> = names().map(String::from).filter(|n| n.ends_with(extension)).collect();
    assert!(!found.is_empty(), "no {extension} embedded");
    found
}

/// Every `after…"` in `text`, without what surrounds it.
fn quoted_after<'t>(text: &'t str, after: &str) -> Vec<&'t str> {
    text.split(after).skip(1).map(|rest| rest.split('"').next().unwrap_or(rest)).collect()
}

/// What a module imports, `./` taken off.
fn imports(module: &str) -> BTreeSet<String> {
    let source = text(module);
    quoted_after(&source, "from \"")
        .into_iter()
        .chain(quoted_after(&source, "import \""))
        .filter(|from| !from.contains('\n'))
        .map(|from| from.strip_prefix("./").unwrap_or_else(|| panic!("{module} imports {from}")).to_owned())
        .collect()
}

#[test]
fn everything_that_the_page_refers_to_is_embedded() {
    let pages = ["index.html", "reference.html"].map(text);
    let referred: Vec<&str> = pages
        .iter()
        .flat_map(|page| quoted_after(page, "href=\"").into_iter().chain(quoted_after(page, "src=\"")))
        .collect();
    assert!(referred.len() > 20, "the pages refer to {} files only", referred.len());
    for target in referred.into_iter().filter(|t| !t.starts_with('#') && *t != "/openapi.json") {
        let name =
            target.strip_prefix("/assets/").unwrap_or_else(|| panic!("{target} is not under /assets/"));
        assert!(asset(name).is_some(), "index.html refers to {name}, which is not there");
    }
}

#[test]
fn every_import_leads_to_a_module_that_is_embedded() {
    for module in with_extension(".js") {
        for target in imports(&module) {
            assert!(asset(&target).is_some(), "{module} imports {target}, which is not there");
        }
    }
}

#[test]
fn the_page_preloads_exactly_the_modules_that_it_runs() {
    let mut reached = BTreeSet::from(["main.js".to_owned()]);
    let mut waiting = vec!["main.js".to_owned()];
    while let Some(module) = waiting.pop() {
        waiting.extend(imports(&module).into_iter().filter(|target| reached.insert(target.clone())));
    }
    let page = text("index.html");
    let preloaded: BTreeSet<String> =
        quoted_after(&page, "rel=\"modulepreload\" href=\"/assets/").into_iter().map(String::from).collect();
    assert_eq!(preloaded, reached);

    reached.insert("theme.js".to_owned());
    // The page of the interface.
    reached.insert("reference.js".to_owned());
    reached.extend(imports("reference.js"));
    let embedded: BTreeSet<String> = with_extension(".js").into_iter().collect();
    assert_eq!(embedded, reached, "a module that nothing runs");
}

#[test]
fn every_id_that_a_module_asks_for_stands_in_the_page() {
    let pages = ["index.html", "reference.html"].map(text);
    let known: BTreeSet<&str> = pages.iter().flat_map(|page| quoted_after(page, " id=\"")).collect();
    let mut asked = 0;
    for module in with_extension(".js") {
        let source = text(&module);
        for id in quoted_after(&source, "yId(\"") {
            asked += 1;
            assert!(known.contains(id), "{module} asks for #{id}, which the page has not");
        }
    }
    assert!(asked > 20, "only {asked} ids asked for");
}

#[test]
fn no_file_holds_a_way_from_a_string_to_script_or_markup() {
    const FORBIDDEN: &[&str] = &[
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "createContextualFragment",
        "DOMParser",
        "srcdoc",
        "setHTML",
        "parseHTML",
        "eval(",
        "Function(",
        "import(",
        "javascript:",
        "style=",
        "\"style\"",
        "cssText",
        "postMessage",
        "trustedTypes",
    ];
    for name in names() {
        let source = text(&name);
        for sink in FORBIDDEN {
            assert!(!source.contains(sink), "{name} holds {sink}");
        }
    }
}

#[test]
fn the_page_has_no_inline_script_style_or_handler() {
    let page = text("index.html");
    assert!(!page.contains("<style"), "inline style");
    for script in page.split("<script").skip(1) {
        let (tag, body) = script.split_once('>').expect("a closed tag");
        assert!(tag.contains("src=\"/assets/"), "a script without a file: {tag}");
        assert!(body.starts_with("</script>"), "an inline script");
    }
    for attribute in page.split_whitespace().filter(|word| word.contains('=')) {
        assert!(!attribute.starts_with("on"), "a handler in the page: {attribute}");
    }
}

#[test]
fn no_file_names_another_origin() {
    for name in names() {
        let source = text(&name).replace("http://www.w3.org/2000/svg", "");
        for scheme in ["http://", "https://", "ws://", "wss://", "url(//", "\"//"] {
            assert!(!source.contains(scheme), "{name} names another origin with {scheme}");
        }
    }
}

#[test]
fn every_asset_has_a_type_and_a_tag_of_its_own() {
    let mut tags = BTreeSet::new();
    for name in names() {
        let asset = asset(&name).unwrap_or_else(|| panic!("{name} has no content type"));
        assert!(!asset.bytes.is_empty(), "{name} is empty");
        assert!(
            asset.content_type.contains("charset=utf-8") || name.ends_with(".svg"),
            "{name} has no charset"
        );
        assert!(
            asset.etag.len() == 18 && asset.etag.starts_with('"') && asset.etag.ends_with('"'),
            "{}",
            asset.etag
        );
        assert!(tags.insert(asset.etag), "{name} shares its tag with another file");
    }
}

#[test]
fn only_names_of_assets_are_answered() {
    for path in [
        "",
        "/",
        "index",
        "Index.html",
        "/index.html",
        "../src/lib.rs",
        "assets/index.html",
        "main.js\0",
        "x.js",
    ] {
        assert!(asset(path).is_none(), "{path:?} is answered");
    }
}

#[test]
fn asset_names_fit_into_one_path_segment() {
    for name in names() {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'-');
        assert!(plain, "{name} is no plain file name");
    }
}

#[test]
fn the_page_stays_small_and_each_file_short() {
    let mut total = 0;
    for name in names() {
        let source = text(&name);
        total += source.len();
        assert!(source.lines().count() <= 400, "{name} has grown past 400 lines");
        assert!(source.lines().all(|line| line.len() <= 200), "{name} has a line that nobody reads");
    }
    assert!(total <= 128 * 1024, "the page weighs {total} bytes; 131072 are allowed");
}

#[test]
fn the_policy_allows_nothing_inline_and_no_other_origin() {
    for directive in CONTENT_SECURITY_POLICY.split("; ") {
        for word in directive.split(' ').skip(1) {
            let fine =
                ["'none'", "'self'", "'script'"].contains(&word) || directive == "img-src 'self' data:";
            assert!(fine, "{directive} allows {word}");
        }
    }
    assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none'; "));
    for directive in ["base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"] {
        assert!(CONTENT_SECURITY_POLICY.contains(directive), "{directive} is missing");
    }
}
