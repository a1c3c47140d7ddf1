use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use refiner_specimen::{AccountRead, Block, CodeRead, Layout, StateReads, StorageRead, Transaction};
use serde_json::Value;

mod answers;
mod older;
mod repeated;

use super::*;
use crate::{error::Rejected, interrupt::Uninterrupted, policy::DEFAULT_GAS_BOUND};

const SENDER: Address = Address::repeat_byte(0x5e);
const CONTRACT: Address = Address::repeat_byte(0xc0);
const MIX_HASH: B256 = B256::repeat_byte(0x31);
const BLOB_HASH: B256 = {
    let mut hash = [0xbb; 32];
    hash[0] = 1;
    B256::new(hash)
};

const ERAS: [Era; 5] = [Era::A, Era::B, Era::C, Era::D, Era::E];

/// Times at which mainnet followed a fork, as the block's `timestamp`.
const SHANGHAI: u64 = 1_700_000_000;
const CANCUN: u64 = 1_711_000_000;

/// A mainnet block in which `transactions` call a contract that runs `code`.
fn specimen(timestamp: u64, code: &[u8], transactions: Vec<Transaction>) -> Specimen {
    let header = Header {
        number: 18_000_000,
        timestamp,
        gas_limit: 30_000_000,
        mix_hash: MIX_HASH,
        base_fee_per_gas: Some(7),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    };
    let code = CodeRead { hash: keccak256(code), code: Bytes::copy_from_slice(code) };
    let rich = U256::from(10).pow(U256::from(20));
    let block = Block {
        kind: "block-specimen".to_owned(),
        network_id: 1,
        hash: B256::ZERO,
        total_difficulty: U256::ZERO,
        header,
        senders: vec![SENDER; transactions.len()],
        transactions,
        uncles: None,
        receipts: Vec::new(),
        state: StateReads {
            accounts: vec![
                AccountRead { address: SENDER, nonce: 0, balance: rich, code_hash: KECCAK256_EMPTY },
                AccountRead { address: CONTRACT, nonce: 1, balance: U256::ZERO, code_hash: code.hash },
            ],
            codes: vec![code].into(),
            ..StateReads::default()
        },
        withdrawals: None,
        blob_sidecars: None,
    };
    around(block)
}

fn around(mut block: Block) -> Specimen {
    let blobs = block.transactions.iter().filter_map(|tx| tx.blob_hashes.as_ref()).map(Vec::len).sum::<usize>();
    block.header.blob_gas_used = Some(blobs as u64 * DATA_GAS_PER_BLOB);
    Specimen {
        layout: Layout::V0_37,
        stated_codec_version: 0.37,
        start_block: 18_000_000,
        end_block: 18_000_000,
        elements: 1,
        event_hash: B256::ZERO,
        block,
    }
}

fn call(tx_type: u8) -> Transaction {
    Transaction {
        tx_type,
        chain_id: 1,
        gas_price: 100,
        gas_tip_cap: 1,
        gas_fee_cap: 100,
        gas: 200_000,
        to: Some(CONTRACT),
        v: (tx_type == 0).then(|| U256::from(37)),
        blob_fee_cap: (tx_type == 3).then_some(10),
        blob_hashes: (tx_type == 3).then(|| vec![BLOB_HASH]),
        authorization_list: (tx_type == 4).then(Vec::new),
        ..Transaction::default()
    }
}

fn creation(tx_type: u8) -> Transaction {
    Transaction { to: None, ..call(tx_type) }
}

/// Emits what `push` leaves on the stack as the topic of an empty log.
fn logging(push: &[u8]) -> Vec<u8> {
    const PUSH1: u8 = 0x60;
    const LOG1: u8 = 0xa1;
    [push, &[PUSH1, 0, PUSH1, 0, LOG1]].concat()
}

fn run(specimen: &Specimen, era: Era) -> Result<Execution, ExecuteError> {
    let (chain, budget) = (ChainSpec::builtin(1).unwrap(), Budget::new(DEFAULT_GAS_BOUND, &Uninterrupted));
    execute(specimen, &chain, era, &CodeCache::default(), &budget, SenderGate::Open)
}

#[test]
fn what_an_eras_server_could_not_process_is_refused_by_name() {
    #[track_caller]
    fn check(era: Era, specimen: &Specimen, expected: Result<usize, impl Into<ExecuteError>>) {
        let receipts = run(specimen, era).map(|execution| execution.receipts.len());
        assert_eq!(receipts, expected.map_err(Into::into), "{era:?}");
    }
    let block = |transactions| specimen(SHANGHAI, &[], transactions);
    let accepted = Ok::<usize, Unsupported>;

    for era in ERAS {
        let format = ResultFormat::EvmServer(era);
        let unknown = |tx_type| Unsupported::TransactionType { transaction: 1, tx_type, format: format.as_str() };
        check(era, &block(vec![]), accepted(0));
        check(era, &block(vec![call(0), call(1), call(2), creation(2)]), accepted(4));
        let unsigned = Transaction { authorization_list: None, ..call(4) };
        check(era, &block(vec![call(0), unsigned]), if era < Era::E { Err(unknown(4)) } else { Ok(1) });
        let present = Unsupported::AuthorizationListPresent { transaction: 1, format };
        check(era, &block(vec![call(0), call(4)]), Err(if era < Era::E { unknown(4) } else { present }));
        for tx_type in [0, 1] {
            check(era, &block(vec![call(0), creation(tx_type)]), accepted(2));
        }
        let blob = specimen(CANCUN, &[], vec![call(0), call(3)]);
        check(era, &blob, if era < Era::C { Err(unknown(3)) } else { Ok(2) });
        let blob_creation = specimen(CANCUN, &[], vec![call(0), creation(3)]);
        let panicked = Unsupported::ContractCreation { transaction: 1, tx_type: 3, format };
        let expected = if era < Era::C { Err(unknown(3)) } else { Err(panicked) };
        check(era, &blob_creation, if era == Era::C { Ok(2) } else { expected });

        let mut elsewhere = block(vec![]);
        elsewhere.block.network_id = 5;
        check(era, &elsewhere, Err(Unsupported::EvmServerChain { network_id: 5, format }));
        let mut without_uncles = block(vec![]);
        without_uncles.block.uncles = Some(vec![]);
        check(era, &without_uncles, accepted(0));
        let mut without_sender = block(vec![call(0)]);
        without_sender.block.senders.clear();
        check(era, &without_sender, Err(Rejected::SenderCount { transactions: 1, senders: 0 }));
    }

    let without_cap = Transaction { blob_fee_cap: None, ..call(3) };
    for era in [Era::D, Era::E] {
        let panicked = Unsupported::BlobFeeCapMissing { transaction: 0, format: ResultFormat::EvmServer(era) };
        check(era, &specimen(CANCUN, &[], vec![without_cap.clone()]), Err(panicked));
    }
    check(Era::C, &specimen(CANCUN, &[], vec![without_cap]), accepted(1));
}

#[test]
fn a_block_hash_that_is_not_in_the_specimen_refuses_the_block() {
    const PUSH4: u8 = 0x63;
    const BLOCKHASH: u8 = 0x40;
    let number: u32 = 17_999_999;
    let ask = logging(&[&[PUSH4][..], &number.to_be_bytes(), &[BLOCKHASH]].concat());
    let missing = specimen(SHANGHAI, &ask, vec![call(2)]);
    for era in ERAS {
        let expected = Rejected::BlockHashMissing { number: number.into() };
        assert_eq!(run(&missing, era).unwrap_err(), expected.into(), "{era:?}");
    }
}

#[test]
fn a_rejected_transaction_is_printed_and_has_no_receipt() {
    let below_base_fee = Transaction { gas_tip_cap: 0, gas_fee_cap: 6, ..call(2) };
    let at_base_fee = Transaction { gas_tip_cap: 0, gas_fee_cap: 7, ..call(2) };
    let block = specimen(SHANGHAI, &logging(&[0x30]), vec![below_base_fee, at_base_fee]);
    for era in ERAS {
        let execution = run(&block, era).unwrap();
        let document: Value = serde_json::from_slice(&execution.block_result(&block).unwrap()).unwrap();
        assert_eq!(document["Transactions"].as_array().unwrap().len(), 2);
        let receipts = document["Receipts"].as_array().unwrap();
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0]["CumulativeGasUsed"], execution.gas_used);
        assert_eq!(receipts[0]["Logs"][0]["transactionIndex"], 1);
        assert_eq!(receipts[0]["Logs"][0]["logIndex"], 0);
    }
}

#[test]
fn each_era_executes_by_its_own_rules() {
    // The topic that the contract logs, or none where an opcode is not valid.
    #[track_caller]
    fn check(specimen: &Specimen, expected: [Option<B256>; 5]) {
        for (era, expected) in ERAS.into_iter().zip(expected) {
            let execution = run(specimen, era).unwrap();
            let topic = execution.receipts[0].logs.first().map(|log| log.topics[0]);
            assert_eq!(topic, expected, "{era:?}");
        }
    }
    const PUSH0: u8 = 0x5f;
    const PREVRANDAO: u8 = 0x44;
    const TLOAD: u8 = 0x5c;
    const EXTCODESIZE: u8 = 0x3b;
    const EXTCODEHASH: u8 = 0x3f;
    const PUSH20: u8 = 0x73;
    let call_of = |timestamp, push: &[u8]| specimen(timestamp, &logging(push), vec![call(2)]);
    let zero = Some(B256::ZERO);

    check(&call_of(SHANGHAI, &[PREVRANDAO]), [zero, Some(MIX_HASH), Some(MIX_HASH), Some(MIX_HASH), Some(MIX_HASH)]);
    check(&call_of(SHANGHAI, &[PUSH0]), [None, zero, zero, zero, zero]);
    check(&call_of(SHANGHAI, &[0x60, 0, TLOAD]), [None; 5]);
    check(&call_of(CANCUN, &[0x60, 0, TLOAD]), [None, None, zero, zero, zero]);

    let stripped = Address::repeat_byte(0xdd);
    let of_stripped = |opcode: u8| {
        let mut specimen = call_of(SHANGHAI, &[&[PUSH20][..], stripped.as_slice(), &[opcode]].concat());
        let code_hash = B256::repeat_byte(0xcd);
        let read = AccountRead { address: stripped, nonce: 1, balance: U256::ZERO, code_hash };
        specimen.block.state.accounts.push(read);
        specimen
    };
    check(&of_stripped(EXTCODESIZE), [zero; 5]);
    check(&of_stripped(EXTCODEHASH), [Some(KECCAK256_EMPTY); 5]);
}

#[test]
fn era_c_takes_a_blob_transaction_for_a_dynamic_fee_one() {
    const BLOBHASH: u8 = 0x49;
    let block = specimen(CANCUN, &logging(&[0x60, 0, BLOBHASH]), vec![call(3)]);
    for (era, tx_type, blob_hash) in [(Era::C, 2, B256::ZERO), (Era::D, 3, BLOB_HASH), (Era::E, 3, BLOB_HASH)] {
        let execution = run(&block, era).unwrap();
        assert_eq!(execution.receipts[0].logs[0].topics, [blob_hash]);
        let document: Value = serde_json::from_slice(&execution.block_result(&block).unwrap()).unwrap();
        assert_eq!(document["Transactions"][0]["type"], tx_type);
    }
}
