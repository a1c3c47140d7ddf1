//! Unsigned LEB128 numbers, as ids, dag-pb and CAR write them.

/// Bytes of the largest number: nine groups of seven bits and one more bit.
const BYTES_MAX: usize = 10;

pub(crate) fn write(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = value.to_le_bytes()[0];
        value >>= 7;
        if value == 0 {
            return out.push(low & 0x7f);
        }
        out.push(low | 0x80);
    }
}

/// Reads a number from the front and moves past it. `None` when it is cut off, above 64 bits, or longer than it need be.
pub(crate) fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(BYTES_MAX).enumerate() {
        let group = u64::from(byte & 0x7f);
        if at == BYTES_MAX - 1 && group > 1 {
            return None;
        }
        value |= group << (7 * at);
        if byte & 0x80 == 0 {
            let shortest = *byte != 0 || at == 0;
            *bytes = &bytes[at + 1..];
            return shortest.then_some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        let check = |value: u64, spelling: &[u8]| {
            let mut out = Vec::new();
            write(&mut out, value);
            assert_eq!(out, spelling);
            let mut rest = spelling;
            assert_eq!(read(&mut rest), Some(value));
            assert!(rest.is_empty());
        };
        check(0, &[0]);
        check(127, &[0x7f]);
        check(128, &[0x80, 1]);
        check(262_144, &[0x80, 0x80, 0x10]);
        check(u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]);

        for wrong in [
            &[][..],
            &[0x80],
            &[0x80, 0],
            &[0xff; 10],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
        ] {
            assert_eq!(read(&mut &*wrong), None, "{wrong:02x?}");
        }
    }
}
