//! The parts of an entry that are always the same text, made when the program is compiled.

use hoplog_entry::{Field, Kind, KnownHeader, Level, Outcome};

/// A text in a place of fixed size: copied whole, which takes an instruction or two, and cut after that.
#[derive(Clone, Copy)]
pub(super) struct Fragment([u8; ROOM]);

/// The last byte is the text's length.
const ROOM: usize = 32;

impl Fragment {
    /// The parts joined; they have to fit.
    const fn of(parts: [&str; 3]) -> Self {
        let (mut text, mut len) = ([0; ROOM], 0);
        let mut part = 0;
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                text[len] = parts[part].as_bytes()[at];
                len += 1;
                at += 1;
            }
            part += 1;
        }
        assert!(len < ROOM, "no place for the length");
        text[ROOM - 1] = len as u8;
        Self(text)
    }

    #[inline]
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let end = out.len() + usize::from(self.0[ROOM - 1]);
        out.extend_from_slice(&self.0);
        out.truncate(end);
    }
}

/// A function that gives a fragment for each member of a list, by its number.
macro_rules! fragments {
    ($(#[$doc:meta])* $name:ident, $list:ty, $number:ident, $before:literal, $word:ident, $behind:literal) => {
        $(#[$doc])*
        #[inline]
        pub(super) fn $name(member: $list) -> &'static Fragment {
            // The numbers of fields begin with 1.
            static TABLE: [Fragment; <$list>::ALL.len() + 1] = {
                let mut table = [Fragment::of(["", "", ""]); <$list>::ALL.len() + 1];
                let mut i = 0;
                while i < <$list>::ALL.len() {
                    let member = <$list>::ALL[i];
                    table[member.$number() as usize] = Fragment::of([$before, member.$word(), $behind]);
                    i += 1;
                }
                table
            };
            &TABLE[usize::from(member.$number())]
        }
    };
}

fragments! {
    /// `,"name":`
    key, Field, id, ",\"", name, "\":"
}
fragments! {
    /// `"name":[`
    header, KnownHeader, code, "\"", as_str, "\":["
}
fragments! {
    /// `,"kind":"…"`
    kind, Kind, code, ",\"kind\":\"", as_str, "\""
}
fragments! {
    /// `,"level":"…"`
    level, Level, code, ",\"level\":\"", as_str, "\""
}
fragments! {
    /// `,"outcome":"…"`
    outcome, Outcome, code, ",\"outcome\":\"", as_str, "\""
}
