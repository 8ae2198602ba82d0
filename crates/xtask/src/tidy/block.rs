//! A table in the docs that is generated: it stands between `<!-- begin:NAME -->` and `<!-- end:NAME -->`.

use super::Finding;
use super::source::{SourceFile, text};

/// What must stand in the block `name` of a Markdown file.
pub(super) struct Block {
    pub(super) file: &'static str,
    pub(super) name: &'static str,
    /// Without the marks; ends with a line end.
    pub(super) content: String,
}

impl Block {
    /// A finding where the file and the generated text part.
    pub(super) fn check(&self, files: &[SourceFile]) -> Option<Finding> {
        let text = text(files, self.file);
        let Some((start, end)) = self.find(text) else {
            let what = format!("has no block between `{}` and `{}`", self.begin(), self.end());
            return Some(Finding::new(
                self.file,
                1,
                what,
                "add the two lines, then cargo xtask tidy --write",
            ));
        };
        let (old, new) = (&text[start..end], self.content.as_str());
        if old == new {
            return None;
        }
        let same = old.lines().zip(new.lines()).take_while(|(a, b)| a == b).count();
        let line = text[..start].lines().count() + same + 1;
        let what = format!("the block `{}` is out of step", self.name);
        Some(Finding::new(self.file, line, what, "cargo xtask tidy --write"))
    }

    /// The text with the block brought up to date; `None` if it has no such block.
    pub(super) fn replaced(&self, text: &str) -> Option<String> {
        let (start, end) = self.find(text)?;
        Some(format!("{}{}{}", &text[..start], self.content, &text[end..]))
    }

    /// Where the content lies: from the line after the first mark to the line of the last.
    fn find(&self, text: &str) -> Option<(usize, usize)> {
        let begin = self.begin() + "\n";
        let start = text.find(&begin)? + begin.len();
        let end = start + text[start..].find(&self.end())?;
        Some((start, end))
    }

    fn begin(&self) -> String {
        format!("<!-- begin:{} -->", self.name)
    }

    fn end(&self) -> String {
        format!("<!-- end:{} -->", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n\n<!-- begin:t -->\n| a |\n| b |\n<!-- end:t -->\ntail\n";

    fn block(content: &str) -> Block {
        Block { file: "docs/page.md", name: "t", content: content.into() }
    }

    fn found(content: &str, page: &str) -> Option<Finding> {
        block(content).check(&[SourceFile::new("docs/page.md", page)])
    }

    #[test]
    fn a_block_in_step_passes_and_one_out_of_step_is_found_at_its_first_different_line() {
        assert_eq!(found("| a |\n| b |\n", PAGE), None);
        assert_eq!(found("| a |\n| c |\n", PAGE).map(|finding| finding.line), Some(5));
        assert_eq!(found("| a |\n", PAGE).map(|finding| finding.line), Some(5));
        assert_eq!(found("| a |\n| b |\n| c |\n", PAGE).map(|finding| finding.line), Some(6));
    }

    #[test]
    fn a_missing_block_or_file_is_found() {
        assert!(found("", "# Page\n").is_some());
        assert!(block("").check(&[]).is_some());
    }

    #[test]
    fn writing_brings_it_into_step_and_touches_nothing_else() {
        let new = block("| z |\n").replaced(PAGE).unwrap();
        assert_eq!(new, "# Page\n\n<!-- begin:t -->\n| z |\n<!-- end:t -->\ntail\n");
        assert_eq!(found("| z |\n", &new), None);
        assert_eq!(block("").replaced("# Page\n"), None);
    }
}
