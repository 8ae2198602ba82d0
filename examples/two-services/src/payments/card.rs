//! Where money moves: knows nothing of requests, nor of hoplog.

use super::ChargeDeclined;
use tracing::{info, instrument, warn};

#[instrument(fields(card = "visa"))]
pub(super) fn charge(order: u32) -> Result<(), ChargeDeclined> {
    let authorisation = authorise(order)?;
    info!(authorisation, "charged");
    Ok(())
}

#[instrument(skip_all)]
fn authorise(order: u32) -> Result<u32, ChargeDeclined> {
    if order.is_multiple_of(13) {
        warn!(limit = 100, "over the limit");
        return Err(ChargeDeclined);
    }
    Ok(1_000_000 + order)
}
