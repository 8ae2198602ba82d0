//! `[network]`.

use super::section::Section;
use super::values;
use crate::config::Network;

pub(super) fn network(mut section: Section<'_>) -> Network {
    let mut network = Network::new();
    if let Some(url) = section.take("proxy", values::text) {
        network = network.proxy(url);
    }
    if let Some(path) = section.take("root_certificates", values::text) {
        network = network.root_certificates(path);
    }
    if let Some(path) = section.take("client_certificate", values::text) {
        network = network.client_certificate(path);
    }
    if let Some(timeout) = section.take("connect_timeout", values::duration) {
        network = network.connect_timeout(timeout);
    }
    if let Some(timeout) = section.take("timeout", values::duration) {
        network = network.timeout(timeout);
    }
    section.end();
    network
}
