//! A proxy for TCP that does to a connection what networks do: it is slow, drips, swallows, and cuts.
//!
//! ```text
//! client ──up──► Proxy ──► server        each way has its treatment, for what passes from now on
//!        ◄─down─       ◄──               cuts: [Cut, Cut, …]  one per exchange, in their order
//! ```
//!
//! It knows nothing of what it carries. How often a fault came to pass is counted ([`Proxy::fired`]): a test whose fault
//! never fired has shown nothing.

mod cut;
mod fired;
mod relay;
mod server;

pub use cut::{Cut, Way};
pub use fired::Fired;
pub use relay::Treatment;
pub use server::Proxy;

#[cfg(test)]
mod tests;
