//! A file has one role and a bounded length; every test runs; nothing is a placeholder.

use super::Finding;
use super::source::SourceFile;

/// Lines of a Rust file, its inline tests not counted.
const MAX_LINES: usize = 400;
/// Lines of an inline test module.
const MAX_TEST_LINES: usize = 100;

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        if file.extension() == "rs" {
            findings.extend(length(file));
            findings.extend(ignored_tests(file));
        }
        findings.extend(placeholders(file));
    }
    findings
}

fn length(file: &SourceFile) -> Vec<Finding> {
    let exempt = ["tests", "benches"];
    let mut parts = file.path.split('/').skip(1);
    if file.path.ends_with("/tests.rs") || parts.any(|part| exempt.contains(&part)) {
        return Vec::new();
    }
    let (code, tests) = measure(&file.text);
    let mut findings = Vec::new();
    if code > MAX_LINES {
        let what = format!("{code} lines without its tests, {MAX_LINES} are the limit");
        findings.push(Finding::new(&file.path, MAX_LINES, what, "split it by role"));
    }
    if tests.lines > MAX_TEST_LINES {
        let what = format!("{} lines of inline tests, {MAX_TEST_LINES} are the limit", tests.lines);
        findings.push(Finding::new(&file.path, tests.start, what, "move them to a tests.rs next door"));
    }
    findings
}

#[derive(Debug, PartialEq, Eq)]
struct InlineTests {
    start: usize,
    lines: usize,
}

/// Lines of code, and the module of tests at the file's end. rustfmt puts its closing brace in column 0.
fn measure(text: &str) -> (usize, InlineTests) {
    let lines: Vec<&str> = text.lines().collect();
    let opens = |index: usize| {
        lines[index].trim_end() == "#[cfg(test)]"
            && lines.get(index + 1).is_some_and(|next| next.starts_with("mod tests {"))
    };
    let Some(start) = (0..lines.len()).find(|index| opens(*index)) else {
        return (lines.len(), InlineTests { start: 0, lines: 0 });
    };
    let end = lines[start..].iter().position(|line| *line == "}").map_or(lines.len(), |at| start + at + 1);
    (lines.len() - (end - start), InlineTests { start: start + 1, lines: end - start })
}

fn ignored_tests(file: &SourceFile) -> Vec<Finding> {
    let marks = numbered(&file.text).filter(|(_, line)| line.trim_start().starts_with("#[ignore"));
    marks.map(|(line, _)| Finding::new(&file.path, line, "an ignored test", "run it or remove it")).collect()
}

fn placeholders(file: &SourceFile) -> Vec<Finding> {
    // Spelled in pieces: this file is checked too.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let macros = [concat!("unimplemented", "!"), concat!("todo", "!")];
    let mut findings = Vec::new();
    for (number, line) in numbered(&file.text) {
        let found = words.iter().find(|word| has_word(line, word));
        let found =
            found.or_else(|| macros.iter().find(|each| file.extension() == "rs" && line.contains(**each)));
        if let Some(found) = found {
            let what = format!("`{found}` stands for work not done");
            findings.push(Finding::new(
                &file.path,
                number,
                what,
                "do it, or say plainly what is not supported",
            ));
        }
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&[SourceFile::new(path, text)]).iter().map(Finding::to_string).collect()
    }

    fn with_tests(code: usize, tests: usize) -> String {
        let module = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // t\n".repeat(tests - 3));
        format!("{}{module}", "// c\n".repeat(code))
    }

    #[test]
    fn a_file_at_the_limits_passes_and_one_line_more_is_found() {
        assert_eq!(found("crates/a/src/lib.rs", &with_tests(400, 100)), Vec::<String>::new());
        let long = found("crates/a/src/lib.rs", &with_tests(401, 100));
        assert!(long[0].starts_with("crates/a/src/lib.rs:400: 401 lines"), "{long:?}");
        let tests = found("crates/a/src/lib.rs", &with_tests(20, 101));
        assert!(tests[0].starts_with("crates/a/src/lib.rs:21: 101 lines of inline tests"), "{tests:?}");
    }

    #[test]
    fn tests_and_benches_may_be_long() {
        let long = "// t\n".repeat(500);
        for path in ["crates/a/src/tests.rs", "crates/a/tests/it.rs", "crates/a/benches/b.rs"] {
            assert_eq!(found(path, &long), Vec::<String>::new(), "{path}");
        }
        assert_eq!(found("tests/src/lib.rs", &long).len(), 1, "the package tests has code too");
    }

    #[test]
    fn code_after_the_test_module_counts() {
        let text = format!("{}{}", with_tests(10, 50), "// c\n".repeat(7));
        assert_eq!(measure(&text), (17, InlineTests { start: 11, lines: 50 }));
    }

    #[test]
    fn an_ignored_test_is_found() {
        let text = "#[test]\n#[ignore = \"slow\"]\nfn it_is_slow() {}\n";
        assert_eq!(
            found("crates/a/tests/it.rs", text),
            ["crates/a/tests/it.rs:2: an ignored test; run it or remove it"]
        );
    }

    #[test]
    fn placeholders_are_found_in_code_and_prose_but_not_inside_words() {
        let word = concat!("TO", "DO");
        assert_eq!(found("docs/a.md", &format!("fine\n{word}: write\n")).len(), 1);
        assert_eq!(found("crates/a/src/lib.rs", concat!("fn f() { to", "do!() }")).len(), 1);
        assert_eq!(found("crates/a/src/lib.rs", concat!("fn f() { unimplemented", "!() }")).len(), 1);
        assert_eq!(found("docs/a.md", &format!("{word}S and MY_{word} are names\n")), Vec::<String>::new());
    }
}
