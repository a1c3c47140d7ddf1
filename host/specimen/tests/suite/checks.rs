//! Checks against roots and hashes that alloy computes from its own transaction types.

use alloy_consensus::{
    EMPTY_ROOT_HASH, SignableTransaction, Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxEnvelope, TxLegacy,
    proofs::{calculate_transaction_root, calculate_withdrawals_root},
};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{B256, Signature, TxKind, U256, keccak256};
use refiner_specimen::{
    CodeRead, Layout, Specimen, Transaction, UnknownTransactionType,
    check::{self, CheckName, Outcome},
    transaction_hash, transaction_hashes,
};

use crate::random;

/// Every type that alloy can sign, from random fields.
fn transactions() -> Vec<Transaction> {
    let random = (0..60).flat_map(|seed| random::specimen(Layout::V0_38, seed).block.transactions);
    random.enumerate().map(|(position, transaction)| signable(transaction, position)).collect()
}

/// Gives a random transaction what its type must have.
fn signable(mut transaction: Transaction, position: usize) -> Transaction {
    let parity = u64::try_from(position % 2).unwrap();
    transaction.tx_type = u8::try_from(position % 5).unwrap();
    transaction.chain_id %= 1 << 40;
    transaction.v = match (transaction.tx_type, position % 3) {
        // Before and after EIP-155.
        (0, 0) => Some(U256::from(27 + parity)),
        (0, _) => Some(U256::from(35 + 2 * transaction.chain_id + parity)),
        // The producer writes zero as null.
        _ => (parity == 1).then_some(U256::ONE),
    };
    if transaction.tx_type >= 3 {
        transaction.to = Some(transaction.to.unwrap_or_default());
    }
    for authorization in transaction.authorization_list.iter_mut().flatten() {
        authorization.y_parity = U256::from(parity);
    }
    transaction
}

fn in_alloy(from: &Transaction) -> TxEnvelope {
    let v = from.v.unwrap_or_default().to::<u64>();
    let odd = if from.tx_type == 0 && v >= 35 { (v - 35) % 2 == 1 } else { v == 1 || v == 28 };
    let signature = Signature::new(from.r.unwrap_or_default(), from.s.unwrap_or_default(), odd);
    let to = from.to.map_or(TxKind::Create, TxKind::Call);
    let access_list = from.access_list.clone();
    let (chain_id, nonce, gas_limit, value, input) =
        (from.chain_id, from.nonce, from.gas, from.value, from.input.clone());
    let (gas_price, max_fee_per_gas, max_priority_fee_per_gas) = (from.gas_price, from.gas_fee_cap, from.gas_tip_cap);
    match from.tx_type {
        0 => {
            let chain_id = (v >= 35).then_some(chain_id);
            signed(TxLegacy { chain_id, nonce, gas_price, gas_limit, to, value, input }, signature).into()
        }
        1 => {
            signed(TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }, signature).into()
        }
        2 => {
            let transaction = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                input,
            };
            signed(transaction, signature).into()
        }
        3 => {
            let transaction = TxEip4844 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                value,
                access_list,
                input,
                to: from.to.unwrap(),
                blob_versioned_hashes: from.blob_hashes.clone().unwrap_or_default(),
                max_fee_per_blob_gas: from.blob_fee_cap.unwrap_or_default(),
            };
            signed(transaction, signature).into()
        }
        _ => {
            let transaction = TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                value,
                access_list,
                input,
                to: from.to.unwrap(),
                authorization_list: from.authorization_list.iter().flatten().map(authorization).collect(),
            };
            signed(transaction, signature).into()
        }
    }
}

fn authorization(from: &refiner_specimen::Authorization) -> SignedAuthorization {
    let authorization = Authorization { chain_id: from.chain_id, address: from.address, nonce: from.nonce };
    SignedAuthorization::new_unchecked(authorization, from.y_parity.to(), from.r, from.s)
}

fn signed<T: SignableTransaction<Signature>>(transaction: T, signature: Signature) -> Signed<T> {
    transaction.into_signed(signature)
}

/// A block whose header says of its lists what they are.
fn consistent() -> Specimen {
    let mut specimen = (0..)
        .map(|seed| random::specimen(Layout::V0_38, seed))
        .find(|specimen| specimen.block.withdrawals.is_some() && specimen.block.state.codes.len() > 1)
        .unwrap();
    let block = &mut specimen.block;
    block.transactions = transactions();
    block.state.codes.iter_mut().for_each(|read| read.hash = keccak256(&read.code));
    let envelopes: Vec<_> = block.transactions.iter().map(in_alloy).collect();
    block.header.transactions_root = calculate_transaction_root(&envelopes);
    block.header.withdrawals_root = block.withdrawals.as_deref().map(calculate_withdrawals_root);
    block.hash = block.header.hash_slow();
    specimen
}

#[test]
fn transaction_hashes_are_those_of_alloy_for_every_type() {
    let specimen = consistent();
    let hashes = transaction_hashes(&specimen.block).unwrap();
    for (index, (transaction, hash)) in std::iter::zip(&specimen.block.transactions, hashes).enumerate() {
        assert_eq!(hash, *in_alloy(transaction).tx_hash(), "transaction {index} of type {}", transaction.tx_type);
        assert_eq!(transaction_hash(&specimen, index), Ok(hash));
    }
}

#[test]
fn transaction_of_an_unknown_type_has_no_hash() {
    let known = Transaction { tx_type: 4, ..Transaction::default() };
    let unknown = Transaction { tx_type: 5, ..Transaction::default() };
    assert!(known.hash().is_ok());
    assert_eq!(unknown.hash(), Err(UnknownTransactionType(5)));
}

#[test]
fn consistent_block_passes_every_check() {
    for check in check::all(&consistent()) {
        assert_eq!(check.outcome, Outcome::Passed, "{check}");
    }
}

#[test]
fn each_lie_fails_the_check_that_is_about_it() {
    type Lie = fn(&mut Specimen);
    let lies: [(&[CheckName], Lie); 10] = [
        (&[], |_| ()),
        (&[CheckName::BlockHash], |specimen| specimen.block.hash = B256::ZERO),
        (&[CheckName::BlockHash], |specimen| specimen.block.header.gas_used += 1),
        (&[CheckName::TransactionsRoot], |specimen| specimen.block.transactions[7].nonce += 1),
        (&[CheckName::TransactionsRoot], |specimen| specimen.block.transactions.swap(0, 1)),
        (&[CheckName::TransactionsRoot], |specimen| specimen.block.transactions.clear()),
        (&[CheckName::WithdrawalsRoot], |specimen| specimen.block.withdrawals = None),
        (&[CheckName::WithdrawalsRoot], |specimen| {
            specimen.block.withdrawals.get_or_insert_default().push(Default::default());
        }),
        (&[CheckName::BlockHash, CheckName::WithdrawalsRoot], |specimen| {
            specimen.block.withdrawals.get_or_insert_default().push(Default::default());
            specimen.block.header.withdrawals_root = None;
        }),
        (&[CheckName::CodeHashes], |specimen| specimen.block.state.codes[1].hash = B256::ZERO),
    ];
    for (position, (names, lie)) in lies.into_iter().enumerate() {
        let mut specimen = consistent();
        lie(&mut specimen);
        let failed: Vec<_> =
            check::all(&specimen).iter().filter(|check| check.failed()).map(|check| check.name).collect();
        assert_eq!(failed, names, "lie {position}");
    }
}

#[test]
fn checks_without_anything_to_compare_say_so() {
    let mut specimen = consistent();
    specimen.block.state.codes.clear();
    assert_eq!(check::code_hashes(&specimen).to_string(), "codeHashes not applicable: the block read no code");
    specimen.block.header.withdrawals_root = None;
    specimen.block.withdrawals = Some(Vec::new());
    assert_eq!(
        check::withdrawals_root(&specimen).to_string(),
        "withdrawalsRoot not applicable: the block has no withdrawals"
    );
    specimen.block.transactions[0].tx_type = 9;
    assert!(matches!(check::transactions_root(&specimen).outcome, Outcome::NotApplicable(_)));
}

#[test]
fn block_of_no_transactions_has_the_root_of_nothing() {
    let mut specimen = consistent();
    specimen.block.transactions.clear();
    specimen.block.header.transactions_root = EMPTY_ROOT_HASH;
    assert_eq!(check::transactions_root(&specimen).outcome, Outcome::Passed);
}

#[test]
fn failed_code_check_shows_the_first_code_that_is_not_its_hash() {
    let mut specimen = consistent();
    let lie = CodeRead { hash: B256::repeat_byte(1), code: Default::default() };
    specimen.block.state.codes.push(lie);
    let text = check::code_hashes(&specimen).to_string();
    let expected = format!("codeHashes failed: stated {}, computed {}", B256::repeat_byte(1), keccak256([]));
    assert_eq!(text, expected);
}
