//! Memory in which a key was.
//!
//! A key rests in one place on the heap, which is overwritten when it is dropped. Whoever computes with it has copies on the stack that
//! no type can overwrite: a value that is moved leaves its bytes behind, and so does a register that is saved. What a function left below
//! its caller is therefore overwritten after each use.

use std::hint::black_box;

use zeroize::{Zeroize as _, Zeroizing};

/// The bytes of a key. They are moved by their address alone.
pub(super) type KeyBytes = Box<Zeroizing<[u8; 32]>>;

/// Stack that computing with a key takes at most, several times over: signing takes some 6 KiB.
const STACK_BYTES: usize = 64 << 10;

/// Room for a key.
pub(super) fn empty() -> KeyBytes {
    Box::new(Zeroizing::new([0; 32]))
}

/// Computes with a key, and overwrites the stack that it used.
pub(super) fn with_clean_stack<T>(work: impl FnOnce() -> T) -> T {
    let done = below(work);
    overwrite_stack();
    done
}

/// Not a part of its caller, so that the frame of `work` is below it.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite_stack() {
    let mut area = [0_u8; STACK_BYTES];
    black_box(&mut area).zeroize();
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        os::unix::fs::{FileExt as _, PermissionsExt as _},
        path::Path,
    };

    use alloy_primitives::B256;

    use super::super::{LocalKey, Secret, SecretFile};

    /// Added to each byte of what is looked for, so that the memory does not hold it for the sake of looking.
    const MASK: u8 = 0x5a;

    /// The key number `number`, masked. No constant holds its bytes.
    fn masked(number: u8) -> [u8; 32] {
        std::array::from_fn(|at| {
            u8::try_from(at).unwrap().wrapping_mul(37).wrapping_add(number).wrapping_mul(113) ^ MASK
        })
    }

    fn digit(nibble: u8) -> u8 {
        b"0123456789abcdef"[usize::from(nibble)]
    }

    /// Halves of the key in the forms that a copy can have, masked: bytes, bytes in the other order, and digits.
    fn forms(number: u8) -> Vec<(&'static str, Vec<u8>)> {
        let masked = masked(number);
        let mut forms = Vec::new();
        for half in masked.chunks(16) {
            let digits = half.iter().flat_map(|byte| [(byte ^ MASK) >> 4, (byte ^ MASK) & 15]);
            forms.push(("bytes", half.to_vec()));
            forms.push(("limbs", half.iter().rev().copied().collect()));
            forms.push(("digits", digits.map(|nibble| digit(nibble) ^ MASK).collect()));
        }
        forms
    }

    /// Writes the key's digits into a file, by way of memory that is overwritten.
    fn write_key(path: &Path, number: u8) {
        super::with_clean_stack(|| {
            let mut digits = [0_u8; 64];
            for (pair, byte) in digits.chunks_mut(2).zip(masked(number)) {
                pair.copy_from_slice(&[digit((byte ^ MASK) >> 4), digit((byte ^ MASK) & 15)]);
            }
            fs::write(path, digits.as_slice()).unwrap();
            std::hint::black_box(&mut digits).fill(0);
        });
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Bytes that are read at once.
    const CHUNK: usize = 64 << 10;

    /// Copies of the key in the writable memory of this process, by their form.
    fn copies(number: u8) -> Vec<(&'static str, usize)> {
        let forms = forms(number);
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut bytes = vec![0; CHUNK];
        let own = u64::try_from(bytes.as_ptr().addr()).unwrap();
        let own = own..own + CHUNK as u64;
        let mut found = vec![0; forms.len()];
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [start, end] = [start, end].map(|digits| u64::from_str_radix(digits, 16).unwrap());
            // All but what is read into, where everything would be found again.
            let parts = [start..end.min(own.start), start.max(own.end)..end];
            // Chunks overlap, so that no copy lies across two of them.
            let chunks =
                parts.into_iter().flat_map(|part| part.clone().step_by(CHUNK - 64).map(move |at| (at, part.end)));
            for (at, end) in chunks {
                let room = CHUNK.min(usize::try_from(end - at).unwrap());
                let length = memory.read_at(&mut bytes[..room], at).unwrap_or_default();
                for ((_, masked), found) in forms.iter().zip(&mut found) {
                    let is_copy =
                        |window: &[u8]| window.iter().zip(masked).all(|(byte, masked)| byte ^ MASK == *masked);
                    // Copies in the part that overlaps are counted in the chunk that comes next.
                    let counted = length.min(CHUNK - 64 + masked.len() - 1);
                    *found += bytes[..counted].windows(masked.len()).filter(|window| is_copy(window)).count();
                }
                std::hint::black_box(&mut bytes).fill(0);
            }
        }
        let found = forms.iter().map(|(form, _)| *form).zip(found);
        found.filter(|(_, count)| *count > 0).collect()
    }

    #[test]
    fn search_finds_a_key_that_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write_key(&path, 1);
        assert_eq!(copies(1), [], "the file is in no memory of this process");
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(copies(1), [("digits", 1), ("digits", 1)]);
        drop(text);
    }

    #[test]
    fn key_of_a_file_leaves_no_copy_of_its_digits_or_bytes_but_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write_key(&path, 2);
        let key = LocalKey::from_file(&SecretFile::new(&path)).unwrap();
        for number in 0..8 {
            key.sign(B256::repeat_byte(number)).unwrap();
        }
        assert_eq!(copies(2), [("bytes", 1), ("bytes", 1)]);
        drop(key);
        assert_eq!(copies(2), []);
    }

    #[test]
    fn key_of_a_keystore_leaves_no_copy() {
        let directory = tempfile::tempdir().unwrap();
        let [path, keystore] = ["key", "keystore"].map(|name| directory.path().join(name));
        write_key(&path, 3);
        let password = Secret::new("a password".into());
        let key = LocalKey::from_file(&SecretFile::new(&path)).unwrap();
        key.write_keystore(&keystore, &password).unwrap();
        drop(key);
        let key = LocalKey::from_keystore(&SecretFile::new(&keystore), &password).unwrap();
        key.sign(B256::repeat_byte(1)).unwrap();
        drop(key);
        assert_eq!(copies(3), []);
    }
}
