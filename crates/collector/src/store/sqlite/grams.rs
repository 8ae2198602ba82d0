//! What texts are made of, so that a search passes over rows in which its words cannot stand.
//!
//! For each block of 4 096 rows, one bit set: a bit for every three and every five bytes that follow each other in a
//! message, a path or an error of theirs, in lower case. A word of which a bit is missing is in none of these rows; the
//! others are read. What it takes of the file is printed by the tests of `words`. SQLite's own index of three-letter pieces
//! (FTS5 `trigram`) was tried once and left: it took more than half of the time and of the bytes that all else takes.

use crate::fields::Field;
use rusqlite::{Connection, params};

/// A row's block is `seq >> BLOCK`.
pub(super) const BLOCK: u32 = 12;
/// Bits of a block while it grows, as a power of two: 32 KiB.
const BITS: u32 = 18;
const WORDS: usize = 1 << (BITS - 6);
/// A set is halved as long as no more than one bit in so many is set afterwards.
const SPARSE: usize = 4;
/// Pieces of a text: the shorter ones for short words, the longer ones since any three digits stand everywhere.
const SHORT: usize = 3;
const LONG: usize = 5;

/// The fields that words are looked for in.
pub(super) const TEXTS: [Field; 4] = [Field::Message, Field::Path, Field::ErrorType, Field::ErrorMessage];

/// The bits of a block to which rows are still added.
#[derive(Default)]
pub(super) struct Growing {
    block: i64,
    bits: Vec<u64>,
}

impl Growing {
    /// Reads what the last block of a file has: that of its last row, so that a full one is written by the next.
    pub(super) fn read(connection: &Connection, next_seq: i64) -> rusqlite::Result<Self> {
        let mut growing = Self { block: (next_seq - 1) >> BLOCK, bits: vec![0; WORDS] };
        let [a, b, c, d] = TEXTS.map(Field::name);
        let mut statement =
            connection.prepare(&format!("SELECT {a}, {b}, {c}, {d} FROM entries WHERE seq >= ?1"))?;
        let mut rows = statement.query([growing.block << BLOCK])?;
        while let Some(row) = rows.next()? {
            for column in 0..TEXTS.len() {
                growing.text(row.get_ref(column)?.as_str_or_null().unwrap_or_default().unwrap_or_default());
            }
        }
        Ok(growing)
    }

    /// The next row will have this place: writes the block before, if that is full.
    pub(super) fn turn_to(&mut self, connection: &Connection, seq: i64) -> rusqlite::Result<()> {
        let block = seq >> BLOCK;
        if block != self.block {
            connection.execute(
                "INSERT OR REPLACE INTO grams (block, bits) VALUES (?1, ?2)",
                params![self.block, folded(&self.bits)],
            )?;
            self.block = block;
            self.bits.fill(0);
        }
        Ok(())
    }

    /// Adds a text of a row.
    pub(super) fn text(&mut self, text: &str) {
        each(text, |place| {
            if let Some(word) = self.bits.get_mut(place >> 6) {
                *word |= 1 << (place & 63);
            }
        });
    }
}

/// The places of all pieces of a text.
fn each(text: &str, mut take: impl FnMut(usize)) {
    // The last five bytes, the newest lowest.
    let mut window = 0_u64;
    for (n, byte) in text.bytes().enumerate() {
        window = (window << 8 | u64::from(byte.to_ascii_lowercase())) & 0xff_ffff_ffff;
        if n + 1 >= SHORT {
            take(place(window & 0xff_ffff));
        }
        if n + 1 >= LONG {
            take(place(window | 1 << 40));
        }
    }
}

/// The places that a word needs: its longest pieces alone, which say the most.
fn needed(word: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let long = word.len() >= LONG;
    let mut window = 0_u64;
    for (n, byte) in word.bytes().enumerate() {
        window = (window << 8 | u64::from(byte.to_ascii_lowercase())) & 0xff_ffff_ffff;
        match long {
            true if n + 1 >= LONG => places.push(place(window | 1 << 40)),
            false if n + 1 >= SHORT => places.push(place(window & 0xff_ffff)),
            _ => {}
        }
    }
    places
}

/// Multiplication by 2^64 over the golden ratio, of which the upper bits are well mixed.
fn place(piece: u64) -> usize {
    usize::try_from(piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)).unwrap_or_default()
}

/// The bits, their upper half laid over the lower one as often as they stay sparse.
fn folded(bits: &[u64]) -> Vec<u8> {
    let mut bits = bits.to_vec();
    while bits.len() > 1 {
        let half = bits.len() / 2;
        let (low, high) = bits.split_at(half);
        let over: Vec<u64> = low.iter().zip(high).map(|(low, high)| low | high).collect();
        let set: usize = over.iter().map(|word| word.count_ones() as usize).sum();
        if set * SPARSE > half * 64 {
            break;
        }
        bits = over;
    }
    bits.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Blocks of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Candidates {
    /// In which the words may stand, in order.
    pub(super) blocks: Vec<i64>,
    pub(super) all: usize,
}

/// The blocks in which all of these words may stand; `None` where that cannot be told.
pub(super) fn candidates(connection: &Connection, words: &[String]) -> rusqlite::Result<Option<Candidates>> {
    let needed: Vec<usize> = words.iter().flat_map(|word| needed(word)).collect();
    if needed.is_empty() {
        return Ok(None);
    }
    let ends = |order: &str| {
        connection
            .query_row(&format!("SELECT {order}(seq) FROM entries"), [], |row| row.get::<_, Option<i64>>(0))
    };
    let (Some(first), Some(last)) = (ends("min")?, ends("max")?) else { return Ok(None) };
    let (first, last) = (first >> BLOCK, last >> BLOCK);
    let mut statement =
        connection.prepare("SELECT block, bits FROM grams WHERE block BETWEEN ?1 AND ?2 ORDER BY block")?;
    let mut rows = statement.query([first, last])?;
    let (mut blocks, mut next) = (Vec::new(), first);
    while let Some(row) = rows.next()? {
        let block = row.get(0)?;
        // Blocks of which nothing is known are read.
        blocks.extend(next..block);
        next = block + 1;
        if may_have(row.get_ref(1)?.as_blob().unwrap_or_default(), &needed) {
            blocks.push(block);
        }
    }
    blocks.extend(next..=last);
    let all = usize::try_from(last - first + 1).unwrap_or(usize::MAX);
    Ok(Some(Candidates { blocks, all }))
}

fn may_have(bits: &[u8], needed: &[usize]) -> bool {
    // A length that is no power of two was not written here: nothing is known.
    if !bits.len().is_power_of_two() {
        return true;
    }
    let mask = bits.len() * 8 - 1;
    needed
        .iter()
        .map(|place| place & mask)
        .all(|place| bits.get(place >> 3).is_none_or(|byte| byte >> (place & 7) & 1 == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_of(texts: &[String]) -> Vec<u8> {
        let mut growing = Growing { block: 0, bits: vec![0; WORDS] };
        texts.iter().for_each(|text| growing.text(text));
        folded(&growing.bits)
    }

    #[test]
    fn what_stands_in_a_text_is_never_passed_over() {
        let texts: Vec<String> =
            (0..4_096).map(|n| format!("Order {n} of Größe {} placed at /shop/{}", n * 7, n * 31)).collect();
        let bits = set_of(&texts);
        for text in texts.iter().step_by(500) {
            for from in 0..text.len() {
                for to in from + 1..=text.len().min(from + 9) {
                    let Some(word) = text.get(from..to) else { continue };
                    for word in [word.to_owned(), word.to_ascii_uppercase()] {
                        let needed = needed(&word);
                        assert!(
                            needed.is_empty() == (word.len() < SHORT) && may_have(&bits, &needed),
                            "{word}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn most_of_what_does_not_stand_there_is() {
        let texts: Vec<String> = (0..4_096).map(|n| format!("GET /api/v1/users/{n}/orders 200")).collect();
        let bits = set_of(&texts);
        // Longer numbers than any of theirs.
        let absent = (10_000..20_000).map(|n| format!("/users/{}", n * 97));
        let (passed, all) = absent.fold((0, 0), |(passed, all), word| {
            (passed + u32::from(may_have(&bits, &needed(&word))), all + 1)
        });
        println!("FIGURE grams.false_positives {:.1} %", f64::from(passed) * 100.0 / f64::from(all));
        println!("FIGURE grams.bytes_per_row {:.2} B", bits.len() as f64 / 4_096.0);
        assert!(passed * 20 < all, "{passed} of {all}");
        assert_eq!(set_of(&[]).len(), 8);
        assert!(may_have(&[1, 2, 3], &[5]));
    }
}
