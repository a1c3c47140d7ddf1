//! Blocks that are consistent with their headers and too much work.

use alloy_primitives::{Address, B256, Bytes, U256};
use refiner_specimen::AccountRead;
use revm::bytecode::opcode::{
    ADD, CALLDATACOPY, CALLDATASIZE, DUP1, GAS, JUMP, JUMPDEST, KECCAK256, POP, STATICCALL, TSTORE,
};

use super::{Case, address, chain, dynamic, fortune, newest, plan};
use crate::{Assembler, Fork, KitError, Outcome, Plan, Receipt, SealedBlock, Signed, scenario::Cast};

/// A block of one transaction that runs until its gas is used up.
#[derive(Clone, Debug)]
pub struct Flood {
    /// The resource that it uses up.
    pub name: &'static str,
    code: Bytes,
    input: Bytes,
}

/// One flood a resource.
pub fn floods() -> Vec<Flood> {
    vec![
        Flood { name: "jumps", code: endless(Assembler::new(), Assembler::new()), input: Bytes::new() },
        Flood { name: "tstore", code: transient_stores(), input: Bytes::new() },
        Flood { name: "modexp-with-a-long-exponent", code: exponentiations(), input: long_exponent() },
    ]
}

impl Flood {
    /// The flood's block, with this gas limit for transaction and header.
    ///
    /// # Errors
    ///
    /// None, unless the kit itself is broken.
    pub fn case(&self, gas: u64) -> Result<Case, KitError> {
        let block = exhausting(self.name, self.code.clone(), &self.input, &[gas])?;
        Case::new(self.name, newest(&block))
    }

    /// The flood's block under a header that states less gas than it uses.
    ///
    /// # Errors
    ///
    /// None, unless the kit itself is broken.
    pub fn case_that_states(&self, gas_used: u64, gas: u64) -> Result<Case, KitError> {
        let block = exhausting(self.name, self.code.clone(), &self.input, &[gas])?;
        Case::new(self.name, newest(&block.with_header(|header| header.gas_used = gas_used)))
    }
}

/// `count` transactions of this gas each, all of it used for hashing, under a header that states other receipts, beside an
/// account whose code is missing: the search for what asked for that code executes everything once more.
///
/// # Errors
///
/// None, unless the kit itself is broken.
pub fn diagnosis_heavy(count: usize, gas: u64) -> Result<Case, KitError> {
    let name = "diagnosis-heavy";
    let hashing = endless(Assembler::new(), Assembler::new().push(1024).push(0).ops(&[KECCAK256, POP]));
    let block = exhausting(name, hashing, &Bytes::new(), &vec![gas; count])?;
    let block = block.with_header(|header| header.receipts_root = B256::repeat_byte(0x77));
    let mut specimen = newest(&block);
    specimen.block.state.accounts.push(AccountRead {
        address: address("account whose code is not asked for"),
        nonce: 1,
        balance: U256::ZERO,
        code_hash: B256::repeat_byte(0x12),
    });
    Case::new(name, specimen)
}

/// A block of transactions that call `code` and use all of their gas.
fn exhausting(name: &str, code: Bytes, input: &Bytes, gas: &[u64]) -> Result<SealedBlock, KitError> {
    /// Enough for one transaction to begin with.
    const TASTE: u64 = 200_000;
    let (alice, contract) = (Cast::assembled().alice, address(name));
    let call =
        |gas| Plan { from: alice, to: Some(contract), value: U256::ZERO, input: input.clone(), gas, form: dynamic() };
    let mut chain = chain(Fork::Cancun);
    chain.set_gas_limit(gas.iter().sum::<u64>().max(TASTE));
    chain.world.deploy(contract, code);
    chain.world.fund(alice.address(), fortune());
    let reads = chain.clone().seal(plan(vec![call(TASTE)]))?.reads;
    let transactions = gas.iter().map(|gas| call(*gas)).collect();
    Ok(chain.seal_stated(plan(transactions), reads, exhausted))
}

/// The outcome of transactions that all run out of gas.
fn exhausted(transactions: &[Signed], header: &alloy_consensus::Header) -> Outcome {
    use alloy_consensus::{Transaction as _, Typed2718 as _};
    let mut cumulative_gas_used = 0;
    let receipts = transactions.iter().map(|signed| {
        let tx = &signed.envelope;
        cumulative_gas_used += tx.gas_limit();
        Receipt {
            tx_type: tx.ty(),
            transaction_hash: *tx.tx_hash(),
            success: false,
            gas_used: tx.gas_limit(),
            cumulative_gas_used,
            effective_gas_price: tx.effective_gas_price(header.base_fee_per_gas),
            contract_address: None::<Address>,
            logs: Vec::new(),
        }
    });
    Outcome { receipts: receipts.collect(), requests: Vec::new() }
}

/// Runs `body` again and again after `before`.
fn endless(before: Assembler, body: Assembler) -> Bytes {
    let before = before.finish();
    let top = before.len() as u64;
    Assembler::new().ops(&before).ops(&[JUMPDEST]).ops(&body.finish()).push(top).ops(&[JUMP]).finish()
}

/// Stores to one transient slot after another.
fn transient_stores() -> Bytes {
    endless(Assembler::new().push(0), Assembler::new().push(1).ops(&[ADD, DUP1, DUP1, TSTORE]))
}

/// Calls the modexp precompile with the transaction's input.
fn exponentiations() -> Bytes {
    const MODEXP: u64 = 5;
    endless(
        Assembler::new().ops(&[CALLDATASIZE]).push(0).push(0).ops(&[CALLDATACOPY]),
        Assembler::new().push(0).push(0).ops(&[CALLDATASIZE]).push(0).push(MODEXP).ops(&[GAS, STATICCALL, POP]),
    )
}

/// Base and modulus of 32 bytes and an exponent of 1,024: the price counts the exponent's bits, and too few of them.
fn long_exponent() -> Bytes {
    const LENGTHS: [usize; 3] = [32, 1_024, 32];
    let mut input: Vec<u8> = LENGTHS.iter().flat_map(|length| U256::from(*length).to_be_bytes::<32>()).collect();
    input.resize(input.len() + LENGTHS.iter().sum::<usize>(), 0xff);
    input.into()
}
