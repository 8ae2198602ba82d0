//! A model with a fault in it, in a process of its own: a scheduler that finds a deadlock may end its process.

use std::process::Command;

const FAULT: &str = "HOPLOG_MODEL_FAULT";

/// Whether the model fails. `test` is the name of the calling test, which is run again with this fault.
pub(crate) fn is_red<T>(test: &str, fault: &str, model: impl FnOnce() -> T) -> bool {
    match std::env::var(FAULT) {
        Ok(told) if told == fault => {
            model();
            // The model held.
            std::process::exit(0);
        }
        Ok(_) => false,
        Err(_) => {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", test, "--nocapture"]).env(FAULT, fault).env("RUST_BACKTRACE", "0");
            !child.output().unwrap().status.success()
        }
    }
}
