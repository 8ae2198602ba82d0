//! Who is at the far end, where proxies stand between: the client's address, its port, the scheme and the host that it
//! asked for. Pure functions of bytes.
//!
//! ```text
//! Forwarded: for=spoofed, for=203.0.113.7;proto=https, for=10.0.0.2        peer 10.0.0.1
//!                │              │                          │                   │ trusted? look left
//!                │              │                          └ trusted? ◄────────┘
//!                │              └ not trusted: the client
//!                └ never looked at
//! ```
//!
//! Each proxy writes down, at the right end, who connected to it. What stands left of the first address that is not a
//! trusted proxy's was written by somebody else, and is not read: nothing in it changes the answer.
//!
//! ```
//! use hoplog_entry::forwarded::{ForwardedBy, Proxies};
//!
//! let proxies = Proxies::parse(["10.0.0.0/8"]).unwrap();
//! let headers = [("x-forwarded-for", &b"1.1.1.1, 203.0.113.7, 10.0.0.2"[..])];
//! let client = ForwardedBy::XForwarded.client(Some("10.0.0.1".parse().unwrap()), &proxies, headers);
//! assert_eq!(client.ip, Some("203.0.113.7".parse().unwrap()));
//! ```

mod element;
mod list;
mod node;
mod proxies;
#[cfg(test)]
mod tests;
mod walk;

pub use proxies::{InvalidProxy, Proxies};
pub use walk::{Client, ForwardedBy};

/// The most proxies that are walked past. What is beyond is not read: the last one reached is the client then.
pub const MAX_HOPS: usize = 20;
