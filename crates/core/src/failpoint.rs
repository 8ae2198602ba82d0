//! Places where a test has hoplog's own code panic. Outside of our unit tests there is nothing in them.

#[cfg(test)]
pub(crate) use armed::*;
#[cfg(not(test))]
pub(crate) use nothing::*;

#[cfg(not(test))]
mod nothing {
    use hoplog_entry::Record;

    #[inline(always)]
    pub(crate) fn pass(_: &str, _: &'static str) {}

    #[inline(always)]
    pub(crate) fn encode(_: &Record<'_>) {}
}

#[cfg(test)]
mod armed {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Mutex;

    use hoplog_entry::{EntryId, Field, Record, Value};

    /// By service, so that tests do not meet, and place: how many times more.
    static ARMED: Mutex<BTreeMap<(String, &str), u32>> = Mutex::new(BTreeMap::new());

    /// The message of an entry over which its encoding panics.
    pub(crate) const POISON: &str = "poison for the encoder";
    /// Likewise, the first time.
    pub(crate) const POISON_ONCE: &str = "poison for the encoder, once";
    static ENCODED: Mutex<BTreeSet<EntryId>> = Mutex::new(BTreeSet::new());

    pub(crate) fn arm(service: &str, place: &'static str, times: u32) {
        ARMED.lock().unwrap().insert((service.to_owned(), place), times);
    }

    /// How many times it did not panic yet.
    pub(crate) fn left(service: &str, place: &'static str) -> u32 {
        ARMED.lock().unwrap().get(&(service.to_owned(), place)).copied().unwrap_or_default()
    }

    pub(crate) fn pass(service: &str, place: &'static str) {
        let fires = {
            let mut armed = ARMED.lock().unwrap();
            let times = armed.get_mut(&(service.to_owned(), place)).filter(|times| **times > 0);
            times.map(|times| *times -= 1).is_some()
        };
        assert!(!fires, "by a failpoint: {place}");
    }

    pub(crate) fn encode(record: &Record<'_>) {
        let fires = match record.get(Field::Message) {
            Some(Value::Text(POISON)) => true,
            Some(Value::Text(POISON_ONCE)) => ENCODED.lock().unwrap().insert(record.id()),
            _ => false,
        };
        assert!(!fires, "by a failpoint: encode");
    }
}
