//! Blocks whose contracts hold any code at all, executed under the meter as `evm serve` does: without the gate.
//!
//! An input is the number of a sample, the number of a piece of its code, the number of a format, and the code that stands in the
//! place of that piece.

use std::sync::LazyLock;

use alloy_primitives::{Bytes, keccak256};
use refiner_evm::{Chains, EmbeddedExecutor, ExecutionPolicy, ResultFormat, Uninterrupted};
use refiner_specimen::{CodeRead, Specimen, decode};

use crate::specimen;

/// Gas that an input may use: some milliseconds.
const GAS_BOUND: u64 = 5_000_000;

static SPECIMENS: LazyLock<Vec<Specimen>> = LazyLock::new(|| {
    let decoded = specimen::seeds().into_iter().map(|bytes| decode(&bytes).expect("a sample is a specimen"));
    decoded.filter(|specimen| !specimen.block.state.codes.is_empty()).collect()
});

static EXECUTOR: LazyLock<EmbeddedExecutor> = LazyLock::new(|| {
    let policy = ExecutionPolicy { gas_bound: GAS_BOUND, ..ExecutionPolicy::default() };
    EmbeddedExecutor::new(Chains::default()).with_policy(policy)
});

pub fn run(bytes: &[u8]) {
    let [sample, piece, format, code @ ..] = bytes else { return };
    let mut specimen = SPECIMENS[usize::from(*sample) % SPECIMENS.len()].clone();
    replace_code(&mut specimen, usize::from(*piece), code);
    let formats: Vec<_> = ResultFormat::ALL.into_iter().collect();
    let format = formats[usize::from(*format) % formats.len()];
    let answer = || {
        let execution = EXECUTOR.answer(&specimen, format, &Uninterrupted).expect("nothing interrupts it");
        let document = execution.and_then(|execution| execution.block_result(&specimen));
        document.map_err(|error| error.to_string())
    };
    assert_eq!(answer(), answer(), "one block has one answer");
}

/// Gives every account that has a piece of code other code in its place.
fn replace_code(specimen: &mut Specimen, piece: usize, code: &[u8]) {
    let state = &mut specimen.block.state;
    let piece = piece % state.codes.len();
    let former = state.codes[piece].hash;
    let hash = keccak256(code);
    state.codes[piece] = CodeRead { hash, code: Bytes::copy_from_slice(code) };
    for account in state.accounts.iter_mut().filter(|account| account.code_hash == former) {
        account.code_hash = hash;
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let pieces = SPECIMENS.iter().zip(0..).flat_map(|(specimen, sample)| {
        specimen.block.state.codes.iter().zip(0..).map(move |(piece, number)| (sample, number, &piece.code))
    });
    let formats = (0..).cycle();
    pieces.zip(formats).map(|((sample, piece, code), format)| [&[sample, piece, format][..], code].concat()).collect()
}
