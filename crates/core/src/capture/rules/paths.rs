//! Paths to compare with: exact ones, and whole beginnings.

/// A set of exact paths. A path of another length is told apart by one shift.
#[derive(Debug, Default)]
pub(super) struct PathSet {
    /// A bit for each length that occurs; the last bit is for all longer ones.
    lengths: u64,
    /// Sorted.
    paths: Vec<String>,
}

impl PathSet {
    pub(super) fn new<'p>(paths: impl IntoIterator<Item = &'p str>) -> Self {
        let mut paths: Vec<String> = paths.into_iter().map(Into::into).collect();
        paths.sort_unstable();
        Self { lengths: paths.iter().fold(0, |all, path| all | bit(path.len())), paths }
    }

    #[inline]
    pub(super) fn contains(&self, path: &str) -> bool {
        self.lengths & bit(path.len()) != 0 && self.find(path)
    }

    #[inline(never)] // rare
    fn find(&self, path: &str) -> bool {
        self.paths.binary_search_by(|p| p.as_str().cmp(path)).is_ok()
    }
}

#[inline]
fn bit(len: usize) -> u64 {
    1 << len.min(63)
}

/// Whether `path` is `prefix` or below it, segment by segment. A path that climbs (`..`, also percent-encoded) may lead
/// anywhere and is below nothing.
pub(super) fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    match path.strip_prefix(prefix) {
        Some(rest) => rest.is_empty() || (rest.starts_with('/') && !climbs(rest)),
        None => false,
    }
}

fn climbs(path: &str) -> bool {
    path.split('/').any(|segment| {
        let mut rest = segment;
        let mut dots = 0;
        while let Some(after) = rest.strip_prefix('.').or_else(|| strip_encoded_dot(rest)) {
            (rest, dots) = (after, dots + 1);
        }
        dots == 2 && rest.is_empty()
    })
}

fn strip_encoded_dot(text: &str) -> Option<&str> {
    text.strip_prefix("%2e").or_else(|| text.strip_prefix("%2E"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_its_paths_and_no_others() {
        let long = format!("/{}", "x".repeat(200));
        let set = PathSet::new(["/healthz", "/", long.as_str(), "/ping"]);
        for path in ["/healthz", "/", &long, "/ping"] {
            assert!(set.contains(path), "{path}");
        }
        for path in
            ["", "/health", "/healthz/", "/HEALTHZ", "/pong", "/%70ing", &long[1..], &long.replace('x', "y")]
        {
            assert!(!set.contains(path), "{path}");
        }
        assert!(!PathSet::default().contains("/"));
    }

    #[test]
    fn below_means_whole_segments_and_no_way_up() {
        for (path, prefix, below) in [
            ("/assets", "/assets", true),
            ("/assets/", "/assets", true),
            ("/assets/a/b.css", "/assets/", true),
            ("/assets/.../x", "/assets", true),
            ("/assets/..a", "/assets", true),
            ("/assetsx", "/assets", false),
            ("/asset", "/assets", false),
            ("/a/assets/x", "/assets", false),
            ("/assets/../admin", "/assets", false),
            ("/assets/%2e%2E/admin", "/assets", false),
            ("/assets/.%2e", "/assets", false),
        ] {
            assert_eq!(is_below(path, prefix), below, "{path} below {prefix}");
        }
    }
}
