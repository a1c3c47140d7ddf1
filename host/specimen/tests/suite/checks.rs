//! Checks against roots and hashes that alloy computes from its own transaction types.

use std::sync::LazyLock;

use alloy_consensus::{
    EMPTY_ROOT_HASH, Header, SignableTransaction, Signed, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxEnvelope,
    TxLegacy,
    proofs::{calculate_ommers_root, calculate_transaction_root, calculate_withdrawals_root},
};
use alloy_eips::{
    eip2930::AccessList,
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use refiner_specimen::{
    Block, BlockHashRead, CodeRead, Layout, Specimen, StorageRead, Transaction, UnknownTransactionType,
    check::{self, CheckName, Outcome, Quantity},
    encode, sha256, specimen_hash, transaction_hash, transaction_hashes,
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

/// The chain of [`consistent`].
const CHAIN: u64 = 77;

/// A specimen that agrees with itself in everything that shows without execution.
fn consistent() -> Specimen {
    static CONSISTENT: LazyLock<Specimen> = LazyLock::new(made_consistent);
    CONSISTENT.clone()
}

fn made_consistent() -> Specimen {
    let mut specimen = (0..)
        .map(|seed| random::specimen(Layout::V0_38, seed))
        .find(|specimen| {
            let Block { withdrawals, uncles, state, .. } = &specimen.block;
            let ommers = uncles.as_ref().is_some_and(|ommers| !ommers.is_empty());
            let rows = state.accounts.len() > 1 && state.storage.len() > 1 && state.block_hashes.len() > 1;
            withdrawals.is_some() && ommers && rows && state.codes.len() > 1
        })
        .unwrap();
    let block = &mut specimen.block;
    block.kind = "block-replica".into();
    block.network_id = CHAIN;
    block.transactions = transactions().into_iter().map(|transaction| of_chain(transaction, &block.header)).collect();
    block.senders = vec![Address::repeat_byte(1); block.transactions.len()];
    block.state.codes.iter_mut().for_each(|read| read.hash = keccak256(&read.code));
    let envelopes: Vec<_> = block.transactions.iter().map(in_alloy).collect();
    block.header.transactions_root = calculate_transaction_root(&envelopes);
    block.header.withdrawals_root = block.withdrawals.as_deref().map(calculate_withdrawals_root);
    block.header.ommers_hash = calculate_ommers_root(block.uncles.as_deref().unwrap());
    block.hash = block.header.hash_slow();
    let (hash, height) = (block.hash, block.header.number);
    Specimen { event_hash: hash, start_block: height, end_block: height, elements: 1, ..specimen }
}

/// Gives a transaction its chain, and the fields that a producer repeats or leaves empty.
fn of_chain(mut transaction: Transaction, header: &Header) -> Transaction {
    let parity = transaction.v.unwrap_or_default().is_zero();
    (transaction.from, transaction.data, transaction.blob_gas) = (None, None, None);
    if transaction.tx_type == 0 {
        transaction.access_list = AccessList::default();
        let any_chain = transaction.signed_chain_id().is_none();
        transaction.chain_id = if any_chain { 0 } else { CHAIN };
        let base = if any_chain { 27 } else { 35 + 2 * CHAIN };
        transaction.v = Some(U256::from(base + u64::from(parity)));
    } else {
        transaction.chain_id = CHAIN;
    }
    if transaction.tx_type < 2 {
        (transaction.gas_tip_cap, transaction.gas_fee_cap) = (transaction.gas_price, transaction.gas_price);
    } else {
        let base_fee = u128::from(header.base_fee_per_gas.unwrap_or_default());
        let effective = transaction.gas_fee_cap.min(base_fee.saturating_add(transaction.gas_tip_cap));
        transaction.gas_price = if parity { effective } else { transaction.gas_fee_cap };
    }
    if transaction.tx_type == 3 {
        let hashes = transaction.blob_hashes.get_or_insert_default().len() as u64;
        transaction.blob_gas = Some(hashes << 17);
    } else {
        (transaction.blob_hashes, transaction.blob_fee_cap) = (None, None);
    }
    if transaction.tx_type == 4 {
        transaction.authorization_list.get_or_insert_default();
    } else {
        transaction.authorization_list = None;
    }
    transaction
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
    use CheckName::{
        BlockHash, ChainId, CodeHashes, OmmersHash, Segment, StateRows, TransactionFields, TransactionsRoot,
        WithdrawalsRoot,
    };
    let lies: [(&[CheckName], Lie); 41] = [
        (&[], |_| ()),
        (&[Segment], |specimen| specimen.elements = 2),
        (&[Segment], |specimen| specimen.start_block -= 1),
        (&[Segment], |specimen| specimen.end_block += 1),
        (&[Segment], |specimen| specimen.event_hash = B256::ZERO),
        (&[Segment], |specimen| specimen.block.kind = "block".into()),
        (&[], |specimen| specimen.block.kind = "block-specimen".into()),
        (&[Segment, BlockHash], |specimen| specimen.block.hash = B256::ZERO),
        (&[BlockHash], |specimen| specimen.block.header.gas_used += 1),
        (&[OmmersHash], |specimen| specimen.block.uncles = None),
        (&[OmmersHash], |specimen| specimen.block.uncles.as_mut().unwrap()[0].gas_used += 1),
        (&[TransactionsRoot], |specimen| specimen.block.transactions[7].nonce += 1),
        (&[TransactionsRoot], |specimen| specimen.block.transactions.swap(0, 1)),
        (&[TransactionsRoot, TransactionFields], |specimen| specimen.block.transactions.truncate(2)),
        (&[TransactionFields], |specimen| specimen.block.senders.truncate(1)),
        (&[TransactionFields], |specimen| specimen.block.transactions[3].from = Some(Address::ZERO)),
        (&[], |specimen| specimen.block.transactions[3].from = Some(Address::repeat_byte(1))),
        (&[TransactionFields], |specimen| {
            specimen.block.transactions[0].access_list = AccessList(vec![Default::default()]);
        }),
        (&[TransactionFields], |specimen| specimen.block.transactions[0].gas_tip_cap ^= 1),
        (&[TransactionFields], |specimen| specimen.block.transactions[1].gas_fee_cap ^= 1),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].gas_price ^= 1),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].blob_fee_cap = Some(1)),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].blob_gas = Some(1)),
        (&[], |specimen| specimen.block.transactions[2].blob_gas = Some(0)),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].blob_hashes = Some(vec![B256::ZERO])),
        (&[TransactionFields], |specimen| specimen.block.transactions[3].blob_gas = Some(1)),
        (&[TransactionFields], |specimen| {
            specimen.block.transactions[2].authorization_list = Some(vec![signed_by_any(0)]);
        }),
        (&[], |specimen| specimen.block.transactions[2].authorization_list = Some(Vec::new())),
        (&[TransactionFields], |specimen| specimen.block.transactions[2].data = Some("0x00".into())),
        (&[TransactionsRoot, TransactionFields], |specimen| specimen.block.transactions[2].v = Some(U256::from(2))),
        (&[TransactionFields], |specimen| {
            specimen.block.transactions[4].authorization_list = Some(vec![signed_by_any(256)]);
        }),
        (&[TransactionsRoot], |specimen| {
            specimen.block.transactions[4].authorization_list = Some(vec![signed_by_any(255)]);
        }),
        (&[ChainId], |specimen| specimen.block.transactions[0].chain_id ^= 1),
        (&[TransactionsRoot, ChainId], |specimen| specimen.block.transactions[1].chain_id = 1),
        (&[ChainId], |specimen| specimen.block.network_id += 1),
        (&[WithdrawalsRoot], |specimen| specimen.block.withdrawals = None),
        (&[BlockHash, WithdrawalsRoot], |specimen| {
            specimen.block.withdrawals.get_or_insert_default().push(Default::default());
            specimen.block.header.withdrawals_root = None;
        }),
        (&[StateRows], |specimen| specimen.block.state.accounts.push(specimen.block.state.accounts[0].clone())),
        (&[StateRows], |specimen| {
            let first = specimen.block.state.storage[0].clone();
            specimen.block.state.storage.push(StorageRead { value: B256::repeat_byte(0xee), ..first });
        }),
        (&[StateRows], |specimen| {
            let first = specimen.block.state.block_hashes[0].clone();
            specimen.block.state.block_hashes.push(first);
        }),
        (&[CodeHashes], |specimen| specimen.block.state.codes[1].hash = B256::ZERO),
    ];
    for (position, (names, lie)) in lies.into_iter().enumerate() {
        let mut specimen = consistent();
        lie(&mut specimen);
        let failed: Vec<_> =
            check::all(&specimen).iter().filter(|check| check.failed()).map(|check| check.name).collect();
        assert_eq!(failed, names, "lie {position}");
    }
}

fn signed_by_any(y_parity: u64) -> refiner_specimen::Authorization {
    let (chain_id, one) = (U256::from(CHAIN), U256::ONE);
    let y_parity = U256::from(y_parity);
    refiner_specimen::Authorization { chain_id, address: Address::ZERO, nonce: 0, y_parity, r: one, s: one }
}

#[test]
fn second_row_of_one_key_is_told_from_one_that_contradicts_the_first() {
    for (nonce, words) in [(0, "a second row of one key"), (1, "a second row that contradicts the first")] {
        let mut specimen = consistent();
        let mut row = specimen.block.state.accounts[0].clone();
        row.nonce ^= nonce;
        specimen.block.state.accounts.push(row);
        let Outcome::Failed { stated, .. } = check::state_rows(&specimen).outcome else { panic!() };
        assert_eq!(stated, Quantity::Words(words));
    }
}

#[test]
fn one_piece_of_code_may_stand_twice() {
    let mut specimen = consistent();
    let first = specimen.block.state.codes[0].clone();
    specimen.block.state.codes.push(first);
    assert_eq!(check::state_rows(&specimen).outcome, Outcome::Passed);
}

#[test]
fn total_difficulty_of_mainnet_after_its_merge_is_the_terminal_one_or_zero() {
    let terminal = U256::from(0x0c70_d815_d562_d3cf_a955_u128);
    for (network_id, difficulty, total, passes) in [
        (1, 0, terminal, true),
        (1, 0, U256::ZERO, true),
        (1, 0, terminal + U256::ONE, false),
        (1, 1, U256::ONE, true),
        (2, 0, U256::ONE, true),
    ] {
        let mut specimen = consistent();
        specimen.block.network_id = network_id;
        specimen.block.header.difficulty = U256::from(difficulty);
        specimen.block.total_difficulty = total;
        assert_eq!(check::segment(&specimen).failed(), !passes, "{network_id} {difficulty} {total}");
    }
}

#[test]
fn total_difficulty_of_mainnet_is_zero_in_no_layout_before_0_38() {
    for layout in Layout::NEWEST_FIRST {
        let mut specimen = consistent();
        specimen.layout = layout;
        specimen.block.network_id = 1;
        specimen.block.header.difficulty = U256::ZERO;
        specimen.block.total_difficulty = U256::ZERO;
        assert_eq!(check::segment(&specimen).failed(), layout < Layout::V0_38, "{layout}");
    }
}

#[test]
fn block_hash_row_of_the_parent_is_the_headers_parent_hash() {
    let [parent, other] = [3, 4].map(B256::repeat_byte);
    // Zero is what the producer writes for a hash that it did not find.
    for (back, hash, passes) in [(1, parent, true), (1, other, false), (1, B256::ZERO, true), (2, other, true)] {
        let mut specimen = consistent();
        let header = &mut specimen.block.header;
        header.parent_hash = parent;
        let number = header.number - back;
        specimen.block.state.block_hashes = vec![BlockHashRead { number, hash }];
        let check = check::state_rows(&specimen);
        assert_eq!(check.failed(), !passes, "{back} {hash}: {check}");
    }
}

#[test]
fn signatures_that_name_no_chain_leave_the_chain_id_not_checkable() {
    let mut specimen = consistent();
    specimen.block.transactions.retain(|transaction| transaction.signed_chain_id().is_none());
    assert!(!specimen.block.transactions.is_empty());
    assert!(matches!(check::chain_id(&specimen).outcome, Outcome::NotCheckable(_)));
}

#[test]
fn chain_id_of_a_legacy_transaction_is_that_of_its_signature() {
    for (v, chain_id, fails) in [
        (35 + 2 * CHAIN, CHAIN, false),
        (35 + 2 * 5, CHAIN, true),
        (35 + 2 * CHAIN, 0, true),
        (27, 0, false),
        (27, CHAIN, true),
    ] {
        let mut specimen = consistent();
        let transaction = Transaction { chain_id, v: Some(U256::from(v)), ..Transaction::default() };
        specimen.block.transactions = vec![transaction];
        assert_eq!(check::chain_id(&specimen).failed(), fails, "v {v}, chain {chain_id}");
    }
}

#[test]
fn chain_id_without_signatures_is_the_exported_one() {
    for (tx_type, chain_id, fails) in [(0, 0, false), (0, CHAIN, false), (0, 1, true), (2, CHAIN, false), (2, 0, true)]
    {
        let mut specimen = consistent();
        specimen.layout = Layout::V0_2;
        let transaction = Transaction { tx_type, chain_id, ..Transaction::default() };
        specimen.block.transactions = vec![transaction];
        assert_eq!(check::chain_id(&specimen).failed(), fails, "type {tx_type}, chain {chain_id}");
    }
}

#[test]
fn root_of_transactions_with_a_dropped_part_is_not_checkable() {
    type Drops = fn(&mut Specimen);
    let drops: [Drops; 2] = [
        |specimen| specimen.layout = Layout::V0_36,
        |specimen| specimen.block.transactions[4].authorization_list = None,
    ];
    for drop in drops {
        let mut specimen = consistent();
        drop(&mut specimen);
        assert!(matches!(check::transactions_root(&specimen).outcome, Outcome::NotCheckable(_)));
    }
}

#[test]
fn hash_of_an_ommer_whose_difficulty_0_2_rounds_is_checkable_up_to_2_to_the_55() {
    for (layout, difficulty, fails) in [
        (Layout::V0_2, 1_u64 << 55, true),
        (Layout::V0_2, (1 << 55) + 8, false),
        (Layout::V0_2, 1 << 53, true),
        (Layout::V0_38, (1 << 55) + 8, true),
    ] {
        let mut specimen = consistent();
        specimen.layout = layout;
        specimen.block.uncles.as_mut().unwrap()[0].difficulty = U256::from(difficulty);
        let outcome = check::ommers_hash(&specimen).outcome;
        assert_eq!(matches!(outcome, Outcome::Failed { .. }), fails, "{layout} {difficulty}");
        assert_eq!(matches!(outcome, Outcome::NotCheckable(_)), !fails, "{layout} {difficulty}");
        specimen.block.header.ommers_hash = calculate_ommers_root(specimen.block.uncles.as_deref().unwrap());
        assert_eq!(check::ommers_hash(&specimen).outcome, Outcome::Passed, "{layout} {difficulty}");
    }
}

#[test]
fn signing_hashes_are_those_of_alloy_for_every_type() {
    for transaction in consistent().block.transactions {
        assert_eq!(transaction.signing_hash(), Ok(in_alloy(&transaction).signature_hash()));
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
    assert!(matches!(check::transactions_root(&specimen).outcome, Outcome::NotCheckable(_)));
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

#[test]
fn bytes_are_checked_against_an_announced_hash_and_its_other_form_is_no_failure() {
    let outcome = |announced| check::specimen_hash(b"a specimen", announced).outcome;
    assert_eq!(outcome(specimen_hash(b"a specimen")), Outcome::Passed);
    assert!(matches!(outcome(sha256(b"a specimen")), Outcome::NotApplicable(_)));
    assert!(matches!(outcome(B256::ZERO), Outcome::Failed { .. }));
}

#[test]
fn bytes_that_are_not_the_canonical_encoding_are_found_with_the_first_that_differs() {
    let specimen = random::specimen(Layout::V0_38, 1);
    let mut bytes = encode(&specimen, specimen.layout).unwrap();
    assert_eq!(check::canonical_encoding(&bytes, &specimen).outcome, Outcome::Passed);
    bytes[9] ^= 1;
    let Outcome::Failed { stated, .. } = check::canonical_encoding(&bytes, &specimen).outcome else { panic!() };
    assert_eq!(stated, Quantity::Byte { offset: 9, byte: bytes[9] });
}

#[test]
fn replica_of_another_type_is_refused_by_its_type() {
    for (kind, told) in [("block-result", "block-result"), ("something\u{1b}", "another type")] {
        let mut specimen = consistent();
        specimen.block.kind = kind.to_owned();
        let check = check::segment(&specimen);
        let expected = format!("segment failed: Type: stated {told}, expected block-replica or block-specimen");
        assert_eq!(check.to_string(), expected);
    }
}
