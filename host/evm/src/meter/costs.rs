//! The measured cost of work whose gas does not pay for its time.
//!
//! Gas is priced for other implementations than ours. Where ours takes longer than [`NANOSECONDS_A_GAS`] for a unit of
//! gas, the meter counts the time instead. Figures: `cargo bench -p refiner-evm --bench hostile`, on one core of a 2020s
//! server, rounded up; they are constants, so that a verdict is the same on every machine.

use revm::precompile::PrecompileId;

/// Time that one unit of gas pays for. The gas bound of 10^9 then stands for 20 seconds of precompiles; instructions
/// take at most half of that.
const NANOSECONDS_A_GAS: u64 = 20;

/// Init code that a unit of gas pays for, which is copied, analysed and, by CREATE2, hashed.
pub(super) const INIT_CODE_BYTES_A_GAS: u64 = 8;

/// The most by which a precompile's measured cost exceeds its gas.
pub(super) const MOST_RATIO: u64 = 8;

/// The measured cost of a precompile over an input, in gas.
pub(super) fn of_precompile(id: &PrecompileId, input: &[u8]) -> u64 {
    nanoseconds(id, input) / NANOSECONDS_A_GAS
}

fn nanoseconds(id: &PrecompileId, input: &[u8]) -> u64 {
    let bytes = input.len() as u64;
    let items = |size: u64, first: u64, each: u64| first + bytes / size * each;
    match id {
        PrecompileId::EcRec => 60_000,
        PrecompileId::Sha256 => 200 + 4 * bytes,
        PrecompileId::Ripemd160 => 400 + 8 * bytes,
        PrecompileId::ModExp => modexp(input),
        PrecompileId::Bn254Add => 5_000,
        PrecompileId::Bn254Mul => 130_000,
        PrecompileId::Bn254Pairing => items(192, 1_500_000, 900_000),
        PrecompileId::Blake2F => 500 + 10 * blake2f_rounds(input),
        PrecompileId::KzgPointEvaluation => 1_500_000,
        PrecompileId::Bls12G1Add => 6_000,
        PrecompileId::Bls12G1Msm => items(160, 20_000, 120_000),
        PrecompileId::Bls12G2Add => 10_000,
        PrecompileId::Bls12G2Msm => items(288, 40_000, 250_000),
        PrecompileId::Bls12Pairing => items(384, 700_000, 500_000),
        PrecompileId::Bls12MapFpToGp1 => 70_000,
        PrecompileId::Bls12MapFp2ToGp2 => 250_000,
        PrecompileId::P256Verify => 250_000,
        PrecompileId::Identity | PrecompileId::Custom(_) => 0,
    }
}

fn blake2f_rounds(input: &[u8]) -> u64 {
    input.first_chunk().map_or(0, |rounds| u32::from_be_bytes(*rounds).into())
}

/// One multiplication for each bit of the exponent, quadratic in the words of the larger operand.
fn modexp(input: &[u8]) -> u64 {
    let [base, exponent, modulus] = [0, 32, 64].map(|at| length_at(input, at));
    let words = base.max(modulus).div_ceil(8);
    let bits = exponent.saturating_mul(8);
    let each = 40_u64.saturating_add(words.saturating_mul(words).saturating_mul(4));
    each.saturating_mul(bits).saturating_add(2_000)
}

/// A 32-byte length, at most what can be counted; bytes that are not there are zero.
fn length_at(input: &[u8], at: usize) -> u64 {
    let byte = |index: usize| input.get(at + index).copied().unwrap_or_default();
    if (0..24).any(|index| byte(index) != 0) {
        return u64::MAX;
    }
    (24..32).fold(0, |length, index| length << 8 | u64::from(byte(index)))
}
