//! How serious an exchange's end is.

use hoplog_entry::{Level, Outcome};

/// 5xx, panics and failed services are errors; 4xx and what did not come to its end are warnings.
#[inline]
pub(super) fn of(outcome: Outcome, status: u16, grpc_status: Option<u16>) -> Level {
    match (outcome, status) {
        (Outcome::Panicked | Outcome::ServiceError | Outcome::ProcessDied, _) | (_, 500..) => Level::Error,
        (Outcome::Cancelled | Outcome::BodyAborted | Outcome::TimedOut, _) | (_, 400..) => Level::Warn,
        // gRPC answers 200 and says in its status how it went: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
        // UNAVAILABLE and DATA_LOSS are the server's fault (OpenTelemetry's rule for server spans).
        _ => match grpc_status {
            Some(2 | 4 | 12 | 13 | 14 | 15) => Level::Error,
            Some(1..) => Level::Warn,
            _ => Level::Info,
        },
    }
}
