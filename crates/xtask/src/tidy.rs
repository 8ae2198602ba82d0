//! `cargo xtask tidy`: the rules of the house that no compiler checks.
//!
//! Each check is a pure function from the files and the metadata to findings; a finding names the file,
//! the line and the fix.

mod architecture;
mod block;
mod configuration;
mod dependencies;
mod edges;
mod layout;
mod msrv;
mod roles;
mod source;
mod words;

use std::fmt;

use crate::outcome::{Failure, Outcome};
use crate::workspace::Workspace;
use source::SourceFile;

pub(crate) const HELP: &str = "\
usage: cargo xtask tidy [--write]

Checks what no compiler does, in under two seconds:
  layout        only known entries stand at the top
  edges         no crate depends on one it must not know
  roles         a file has one role and at most 400 lines; no test is ignored, nothing is a placeholder
  words         docs promise no more than the code does
  msrv          rust-version is no lower than what the published crates need
  dependencies  docs/dependencies.md gives a reason for each dependency, and for no other
  architecture  docs/architecture.md names every crate
  tables        generated tables in the docs are up to date: edges of the SDK, the README's settings

  --write       bring the generated tables in the docs up to date first";

/// Something to put right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    file: String,
    /// 1-based.
    line: usize,
    what: String,
    fix: String,
}

impl Finding {
    fn new(file: &str, line: usize, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into(), fix: fix.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.file, self.line, self.what, self.fix)
    }
}

pub(crate) fn run(arguments: &[String]) -> Outcome {
    let write = match arguments {
        [] => false,
        [option] if option == "--write" => true,
        [other, ..] => return Err(Failure::Usage(format!("`cargo xtask tidy` has no option `{other}`"))),
    };
    let workspace = Workspace::load()?;
    if write {
        write_tables(&workspace)?;
    }
    check(&workspace)
}

/// The step of `cargo xtask test`.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    let files = source::read_all(&workspace.root)?;
    let mut findings =
        layout::check(&source::top_level(&workspace.root)?, source::text(&files, ".gitignore"));
    findings.extend(edges::check(workspace, &files));
    findings.extend(roles::check(&files));
    findings.extend(words::check(&files));
    findings.extend(msrv::check(workspace, &files));
    findings.extend(dependencies::check(workspace, &files));
    findings.extend(architecture::check(workspace, &files));
    findings.extend(tables(workspace).iter().filter_map(|table| table.check(&files)));
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing to put right", files.len());
        return Ok(Vec::new());
    }
    Err(Failure::new(format!("tidy found {} to put right, listed above", count(findings.len(), "thing"))))
}

/// Every table in the docs that is generated from code or metadata.
fn tables(workspace: &Workspace) -> Vec<block::Block> {
    vec![dependencies::table(workspace), configuration::table(workspace)]
}

fn write_tables(workspace: &Workspace) -> Result<(), Failure> {
    for table in tables(workspace) {
        let path = workspace.root.join(table.file);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))?;
        let Some(new) = table.replaced(&text) else { continue };
        if new != text {
            std::fs::write(&path, new).map_err(|error| Failure::io("write", &path, &error))?;
            println!("wrote {}", table.file);
        }
    }
    Ok(())
}

fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// The first line of the text that satisfies the predicate; line 1 if none does.
fn line_where(files: &[SourceFile], path: &str, predicate: impl Fn(&str) -> bool) -> usize {
    source::text(files, path).lines().position(|line| predicate(line.trim())).map_or(1, |index| index + 1)
}
