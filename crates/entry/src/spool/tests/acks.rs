use proptest::prelude::*;

use super::*;

#[test]
fn acks_read_back_and_every_damage_is_noticed() {
    let mut acks = Acks::new(7, WRITER);
    assert!(acks.is_empty());
    for frame in [0, 3, 8, 40, MAX_FRAMES - 1, MAX_FRAMES, u32::MAX] {
        acks.insert(frame);
    }
    assert_eq!((acks.len(), acks.of()), (5, (7, WRITER)));
    assert!(acks.contains(40) && !acks.contains(41) && !acks.contains(MAX_FRAMES));
    let bytes = acks.to_bytes();
    assert_eq!(bytes.len(), Acks::MAX_LEN);
    assert_eq!(Acks::read(&bytes), Ok(acks));

    let mut few = Acks::new(7, WRITER);
    few.insert(9);
    let bytes = few.to_bytes();
    for at in 0..bytes.len() {
        assert!(Acks::read(&bytes[..at]).is_err(), "cut at {at}");
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(Acks::read(&flipped).is_err(), "flipped at {at}");
    }
    let mut later = bytes[..bytes.len() - 4].to_vec();
    later[8] = 9;
    later.extend_from_slice(&checksum(&[&later]).to_le_bytes());
    assert_eq!(Acks::read(&later), Err(BadHeader::Unknown { version: 9 }));
}

proptest! {
    #[test]
    fn any_bytes_are_acks_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut made_up = b"HOPSPACK\x01\0\0\0".to_vec();
        made_up.extend_from_slice(&bytes);
        let sealed = [&made_up[..], &checksum(&[&made_up]).to_le_bytes()].concat();
        for bytes in [bytes, made_up, sealed] {
            if let Ok(acks) = Acks::read(&bytes) {
                prop_assert_eq!(acks.to_bytes(), bytes);
            }
        }
    }
}
