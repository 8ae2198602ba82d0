//! What a model can be told to do wrong, to show that it would be found.

use std::cell::Cell;

/// A mistake in what threads meet in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// None.
    #[default]
    None,
    /// A wake-up is forgotten where nobody waits for it yet.
    ForgottenWakeUp,
    /// A count is read, changed and written in three steps.
    TornCount,
}

thread_local! {
    static FAULT: Cell<Fault> = const { Cell::new(Fault::None) };
}

/// Runs a model with a fault in it.
pub fn with<T>(fault: Fault, model: impl FnOnce() -> T) -> T {
    FAULT.set(fault);
    let done = model();
    FAULT.set(Fault::None);
    done
}

pub(crate) fn is(fault: Fault) -> bool {
    FAULT.get() == fault
}
