//! Keccak-f\[1600\], FIPS 202 section 3, of as many states at once as a vector has lanes.

use std::array;

use fearless_simd::{Simd, SimdBase};

/// 64-bit words of a state.
pub(crate) const STATE_WORDS: usize = 25;

/// Constants of the rounds, FIPS 202, 3.2.5.
const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// Bits by which rho rotates the word at x + 5y, FIPS 202, 3.2.2.
const ROTATIONS: [u32; STATE_WORDS] =
    [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14];

/// Words of each lane's state: the word at x + 5y is the field's (x, y).
pub(crate) type States<S> = [<S as Simd>::u64s; STATE_WORDS];

// Everything is inlined where the processor's vectors are known to be there; a call in between would be compiled for any processor.
#[inline(always)]
pub(crate) fn permute<S: Simd>(simd: S, states: &mut States<S>) {
    let mut words = *states;
    for constant in ROUND_CONSTANTS {
        words = chi::<S>(rho_and_pi::<S>(theta::<S>(words)));
        words[0] ^= S::u64s::splat(simd, constant);
    }
    *states = words;
}

#[inline(always)]
fn theta<S: Simd>(a: States<S>) -> States<S> {
    let columns: [S::u64s; 5] = array::from_fn(|x| a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20]);
    let parities: [S::u64s; 5] = array::from_fn(|x| columns[(x + 4) % 5] ^ rotated::<S>(columns[(x + 1) % 5], 1));
    array::from_fn(|word| a[word] ^ parities[word % 5])
}

/// The word at (x, y) goes to (y, 2x + 3y).
#[inline(always)]
fn rho_and_pi<S: Simd>(a: States<S>) -> States<S> {
    array::from_fn(|word| {
        let (y, sum) = (word % 5, word / 5);
        let x = 3 * (sum + 2 * y) % 5;
        rotated::<S>(a[x + 5 * y], ROTATIONS[x + 5 * y])
    })
}

#[inline(always)]
fn chi<S: Simd>(a: States<S>) -> States<S> {
    array::from_fn(|word| {
        let (x, row) = (word % 5, word - word % 5);
        a[word] ^ (!a[row + (x + 1) % 5] & a[row + (x + 2) % 5])
    })
}

#[inline(always)]
fn rotated<S: Simd>(word: S::u64s, bits: u32) -> S::u64s {
    if bits == 0 { word } else { word << bits | word >> (u64::BITS - bits) }
}
