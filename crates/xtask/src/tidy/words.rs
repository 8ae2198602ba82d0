//! The docs promise no more than the code does.

use super::Finding;
use super::source::SourceFile;

/// What no delivery over a network can promise.
const FORBIDDEN: [[&str; 2]; 2] = [["zero", "loss"], ["exactly", "once"]];

const FIX: &str = "say at-least-once from durable on, effectively once in the store, and within which limits";

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let prose = |file: &&SourceFile| file.path == "README.md" || file.path.starts_with("docs/");
    files.iter().filter(prose).flat_map(promises).collect()
}

fn promises(file: &SourceFile) -> Vec<Finding> {
    let words = words(&file.text);
    let pairs = words.windows(2).filter_map(|pair| {
        let [(line, first), (_, second)] = pair else { return None };
        FORBIDDEN.contains(&[first.as_str(), second.as_str()]).then_some((*line, first, second))
    });
    pairs.map(|(line, a, b)| Finding::new(&file.path, line, format!("promises \"{a} {b}\""), FIX)).collect()
}

/// Lower-case words with their lines, whatever is in backticks left out: a hyphen or a line's end between
/// two words does not hide them.
fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut line, mut quoted) = (1, false);
    for c in text.chars().chain(['\n']) {
        if !quoted && c.is_alphanumeric() {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push((line, std::mem::take(&mut word)));
        }
        match c {
            '\n' => line += 1,
            '`' => quoted = !quoted,
            '.' | ';' | ',' | ':' if !quoted => words.push((line, c.to_string())),
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        check(&[SourceFile::new(path, text)]).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_promise_nobody_can_keep_is_found_however_it_is_written() {
        assert_eq!(found("README.md", "It has **zero loss**.\n"), [1]);
        assert_eq!(found("docs/a.md", "fine\nZero-Loss\ndelivered exactly\nonce\n"), [2, 3]);
    }

    #[test]
    fn quoted_words_and_other_files_are_left_alone() {
        assert_eq!(found("docs/a.md", "never say `exactly once` nor\n```text\nzero loss\n```\n"), [0; 0]);
        assert_eq!(found("crates/a/src/lib.rs", "// finishes exactly once\n"), [0; 0]);
        assert_eq!(found("docs/a.md", "more than zero. Loss is counted, exactly. Once more\n"), [0; 0]);
    }
}
