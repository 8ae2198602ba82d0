//! Outgoing calls through reqwest: trace headers injected, each call an entry.
