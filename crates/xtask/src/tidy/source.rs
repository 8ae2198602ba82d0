//! The files of the project, read once for all checks.

use std::path::{Path, PathBuf};

use crate::outcome::Failure;

/// What a check reads. Everything else (images, databases) has no rules.
const EXTENSIONS: [&str; 9] = ["rs", "toml", "md", "py", "sh", "js", "css", "html", "txt"];

/// Files without an extension that are text of ours.
const NAMES: [&str; 2] = [".gitignore", "run"];

/// One text file: its path relative to the root, with `/`.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    pub(crate) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// The text of one file, empty if it is not there.
pub(crate) fn text<'a>(files: &'a [SourceFile], path: &str) -> &'a str {
    files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str())
}

/// The names at the top, directories with a trailing `/`.
pub(crate) fn top_level(root: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for (path, directory) in entries(root)? {
        let Some(name) = path.file_name() else { continue };
        names.push(format!("{}{}", name.to_string_lossy(), if directory { "/" } else { "" }));
    }
    Ok(names)
}

/// Every text file of the project, sorted by path.
pub(crate) fn read_all(root: &Path) -> Result<Vec<SourceFile>, Failure> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for (path, is_directory) in entries(&directory)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if is_directory {
                let hidden = name.starts_with('.') && name != ".ci" && name != ".cargo";
                if !hidden && name != "target" && name != "hoplog-data" && name != "__pycache__" {
                    open.push(path);
                }
            } else if is_source(&name) {
                let text = std::fs::read_to_string(&path)
                    .map_err(|error| Failure::io("read as UTF-8 text", &path, &error))?;
                let relative = path.strip_prefix(root).unwrap_or(&path);
                files.push(SourceFile { path: relative.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Other people's assets arrive minified; our rules do not bind them.
fn is_source(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    (EXTENSIONS.contains(&extension) && !name.contains(".min.")) || NAMES.contains(&name)
}

fn entries(directory: &Path) -> Result<Vec<(PathBuf, bool)>, Failure> {
    let failed = |error| Failure::io("list", directory, &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        found.push((entry.path(), entry.file_type().map_err(failed)?.is_dir()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_ours_is_read_and_nothing_else() {
        for name in ["lib.rs", "Cargo.toml", "README.md", "app.js", "run", ".gitignore", "limits.txt"] {
            assert!(is_source(name), "{name}");
        }
        for name in ["uPlot.min.js", "page.png", "Cargo.lock", "logs.db", "LICENSE-MIT"] {
            assert!(!is_source(name), "{name}");
        }
    }

    #[test]
    fn the_walk_finds_this_file_and_skips_what_cargo_built() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let files = read_all(&root).unwrap();
        assert!(files.iter().any(|file| file.path == "crates/xtask/src/tidy/source.rs"));
        assert!(!files.iter().any(|file| file.path.starts_with("target/")));
    }
}
