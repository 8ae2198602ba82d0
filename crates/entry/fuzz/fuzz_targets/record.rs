//! Any byte string is read or refused; what is read can be read to its end again, to the same items.
#![no_main]

use hoplog_entry::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok((record, after)) = Record::read(rest) {
        assert_eq!(record.bytes().len() + after.len(), rest.len());
        let first: Vec<_> = record.items().collect();
        let (again, _) = Record::read(record.bytes()).expect("what was read once");
        // NaN is not equal to itself; its text is.
        assert_eq!(format!("{first:?}"), format!("{:?}", again.items().collect::<Vec<_>>()));
        rest = after;
    }
});
