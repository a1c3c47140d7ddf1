//! Receipts before Byzantium, which hold the state's root in the place of a status.

use alloy_consensus::{
    Eip658Value, Receipt as ChainReceipt, ReceiptEnvelope, ReceiptWithBloom, proofs::calculate_receipt_root,
};
use alloy_primitives::{B256, Bytes};
use refiner_evm::{ExecuteError, Rejected};
use refiner_specimen::check::{CheckName, Outcome};
use refiner_testblocks::devnet::{CONTRACT, TestBlock, mainnet::*, old_call};
use revm::bytecode::opcode as op;

/// Roots that the receipts of two transactions before Byzantium hold.
const ROOTS: [B256; 2] = [B256::repeat_byte(0x51), B256::repeat_byte(0x52)];

fn with_recorded_states(block: TestBlock, roots: [B256; 2]) -> TestBlock {
    block.settled().with_producer_receipts().with(|block| {
        for (receipt, root) in block.receipts.iter_mut().zip(roots) {
            receipt.post_state_or_status = Bytes::copy_from_slice(&root[..]);
        }
    })
}

#[test]
fn receipts_before_byzantium_hold_the_recorded_state_roots() {
    let block = |at| {
        let block = mainnet(at).contract(&logging(&[op::NUMBER]));
        block.transaction(old_call(CONTRACT)).transaction(old_call(CONTRACT))
    };
    let settled = with_recorded_states(block(BYZANTIUM - 1), ROOTS).settled();
    let execution = settled.clone().executed();
    assert_eq!([0, 1].map(|index| execution.receipts[index].post_state), ROOTS.map(Some));
    let envelopes = execution.receipts.iter().map(|receipt| {
        let logs = receipt
            .logs
            .iter()
            .map(|log| alloy_primitives::Log::new_unchecked(log.address, log.topics.clone(), log.data.clone()));
        let status = Eip658Value::PostState(receipt.post_state.unwrap());
        let chain = ChainReceipt { status, cumulative_gas_used: receipt.cumulative_gas_used, logs: logs.collect() };
        ReceiptEnvelope::Legacy(ReceiptWithBloom::from(chain))
    });
    let root = calculate_receipt_root(&envelopes.collect::<Vec<_>>());
    assert_eq!(settled.block().header.receipts_root, root);

    let other = with_recorded_states(settled, [ROOTS[0], ROOTS[0]]).refused();
    let ExecuteError::Rejected(Rejected::HeaderMismatch(check)) = other else { panic!("{other}") };
    assert_eq!(check.name, CheckName::ReceiptsRoot);

    // The fork decides, not what the specimen records.
    let since = with_recorded_states(block(BYZANTIUM), ROOTS).refused();
    let ExecuteError::Rejected(Rejected::CheckFailed(check)) = since else { panic!("{since}") };
    assert_eq!(check.name, CheckName::RecordedReceipts);
}

#[test]
fn receipts_root_is_not_checkable_where_a_state_root_is_not_recorded() {
    let block = mainnet(FRONTIER).contract(&logging(&[op::NUMBER])).transaction(old_call(CONTRACT));
    let settled = block.with(|block| block.header.receipts_root = B256::repeat_byte(9)).settled();
    let execution = settled.clone().executed();
    let outcome = |name| &execution.checks.iter().find(|check| check.name == name).unwrap().outcome;
    assert!(matches!(outcome(CheckName::ReceiptsRoot), Outcome::NotCheckable(_)));
    assert_eq!(outcome(CheckName::GasUsed), &Outcome::Passed);
    assert_eq!(outcome(CheckName::LogsBloom), &Outcome::Passed);

    type Spoil = fn(&mut refiner_specimen::Block);
    let spoils: [(CheckName, Spoil); 2] = [
        (CheckName::GasUsed, |block| block.header.gas_used += 1),
        (CheckName::LogsBloom, |block| block.header.logs_bloom.0[0] ^= 1),
    ];
    for (name, spoil) in spoils {
        let error = settled.clone().with(spoil).refused();
        let ExecuteError::Rejected(Rejected::HeaderMismatch(check)) = error else { panic!("{error}") };
        assert_eq!(check.name, name);
    }
}
