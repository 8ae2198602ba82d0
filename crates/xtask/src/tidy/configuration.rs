//! The README's table of settings is the one in the documentation of `ClientBuilder`.

use super::block::Block;
use crate::workspace::Workspace;

const SOURCE: &str = "crates/core/src/config.rs";

pub(super) fn table(workspace: &Workspace) -> Block {
    let source = std::fs::read_to_string(workspace.root.join(SOURCE)).unwrap_or_default();
    Block { file: "README.md", name: "configuration", content: from_docs(&source) }
}

/// The lines between the marks in a doc comment, without its slashes.
fn from_docs(source: &str) -> String {
    source
        .lines()
        .skip_while(|line| !line.contains("begin:configuration"))
        .skip(1)
        .take_while(|line| !line.contains("end:configuration"))
        .flat_map(|line| [line.trim_start_matches("///").trim_start(), "\n"])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_taken_out_of_the_doc_comment() {
        let source = "/// Text.\n/// <!-- begin:configuration -->\n/// | a | b |\n/// |---|---|\n/// <!-- end:configuration -->\nx";
        assert_eq!(from_docs(source), "| a | b |\n|---|---|\n");
        assert_eq!(from_docs("nothing"), "");
    }
}
