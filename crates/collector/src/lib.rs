//! hoplog's collector: takes entries in, stores them, answers questions about them.
