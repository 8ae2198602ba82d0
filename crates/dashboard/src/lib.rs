//! The page of hoplog's collector: assets and their embedding.
