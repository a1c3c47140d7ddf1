//! The samples are what they claim to be.

use std::{collections::BTreeMap, fs};

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::{Encodable, encode_list};
use alloy_trie::root::ordered_trie_root_encoded;
use refiner_specimen::{
    AccountRead, Block, Layout, Specimen, StateReads,
    check::{self, CheckName, Outcome},
    decode, encode,
};
use refiner_testkit::{
    BlockPlan, Chain, Contract, Fork, Manner, Missing, Sample, World, execute, export, large, make_samples,
    sample_files, samples, samples_dir,
};
use revm::{
    bytecode::Bytecode,
    database::{CacheDB, DatabaseRef},
    state::AccountInfo,
};

/// All the files of `tests/samples` together.
const SAMPLES_LIMIT_BYTES: usize = 200_000;

#[test]
fn committed_files_are_exactly_what_the_builder_makes() {
    let made = sample_files().unwrap();
    for (name, bytes) in &made {
        let committed = fs::read(samples_dir().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(committed == *bytes, "{name} is outdated: cargo run -p refiner-testkit --bin make-samples");
    }
    let committed = samples().unwrap();
    assert_eq!(committed.len(), made.iter().filter(|(name, _)| name.ends_with(".avro")).count());
    assert!(made.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < SAMPLES_LIMIT_BYTES);
}

#[test]
fn expected_specimen_hash_is_the_one_that_the_network_announces() {
    for sample in make_samples().unwrap() {
        let expected = sample.expectations()["specimenHash"].as_str().map(str::parse::<B256>);
        assert_eq!(expected, Some(Ok(refiner_specimen::specimen_hash(&sample.bytes))), "{}", sample.name());
    }
}

#[test]
fn specimen_decodes_to_what_was_encoded() {
    for sample in make_samples().unwrap() {
        assert_eq!(decode(&sample.bytes).unwrap(), sample.specimen, "{}", sample.name());
    }
}

#[test]
fn checks_that_need_no_execution_pass_where_the_layout_lost_nothing() {
    let check = |sample: &Sample| {
        let lost_transactions = sample.unsupported.is_some() || sample.specimen.layout == Layout::V0_36;
        for check in check::all(&sample.specimen) {
            assert!(!check.failed(), "{}: {check}", sample.name());
            let unknown = matches!(check.outcome, Outcome::NotCheckable(_));
            let expected = check.name == CheckName::TransactionsRoot && lost_transactions;
            assert_eq!(unknown, expected, "{}: {check}", sample.name());
        }
        assert!(!check::canonical_encoding(&sample.bytes, &sample.specimen).failed(), "{}", sample.name());
    };
    make_samples().unwrap().iter().for_each(check);
}

#[test]
fn producer_receipts_hash_to_the_receipts_root_of_the_header() {
    for sample in make_samples().unwrap() {
        let block = &sample.specimen.block;
        assert_eq!(receipts_root(block), block.header.receipts_root, "{}", sample.name());
        let gas = block.receipts.last().map(|receipt| receipt.cumulative_gas_used);
        assert_eq!(gas, Some(block.header.gas_used), "{}", sample.name());
    }
}

#[test]
fn execution_from_the_recorded_reads_alone_gives_the_same_outcome() {
    let mut all = make_samples().unwrap();
    all.push(large(100).unwrap());
    for sample in all {
        let Sample { block, specimen, .. } = &sample;
        let mut db = CacheDB::new(ReadsOnly::new(&specimen.block.state));
        let withdrawals = block.withdrawals.as_deref().unwrap_or_default();
        let again =
            execute(&mut db, block.chain_id, block.fork, &block.header, &block.transactions, withdrawals).unwrap();
        assert_eq!(again, block.outcome, "{}", sample.name());
    }
}

#[test]
fn every_piece_of_code_and_storage_that_was_read_decides_the_outcome() {
    let sample = make_samples().unwrap().remove(0);
    let block = &sample.block;
    let check = |what: &str, reads: &StateReads| {
        let mut db = CacheDB::new(ReadsOnly::new(reads));
        let again = execute(&mut db, block.chain_id, block.fork, &block.header, &block.transactions, &[]).unwrap();
        assert_ne!(again, block.outcome, "{what}");
    };
    let whole = &sample.specimen.block.state;
    for position in 0..whole.codes.len() {
        let mut reads = whole.clone();
        let code = reads.codes.remove(position);
        // Of these two it makes no difference: one is only measured, the other does what the stub does.
        let indifferent = [Contract::Statue.code(), Contract::Burner.code()];
        if !indifferent.contains(&code.code) {
            check(&format!("without code {}", code.hash), &reads);
        }
    }
    let mut reads = whole.clone();
    reads.storage.retain(|read| read.account != Contract::Adder.address());
    check("without the storage of the adder", &reads);
}

#[test]
fn samples_show_everything_a_reader_has_to_cope_with() {
    let samples = make_samples().unwrap();
    let blocks = || samples.iter().map(|sample| &sample.specimen.block);
    let check = |what: &str, shown: bool| assert!(shown, "no sample shows {what}");
    for tx_type in 0..=4 {
        let shown = blocks().any(|block| block.transactions.iter().any(|tx| tx.tx_type == tx_type));
        check(&format!("a transaction of type {tx_type}"), shown);
    }
    for topics in 0..=4 {
        let shown = blocks().flat_map(|block| &block.receipts).flat_map(|receipt| &receipt.logs);
        check(&format!("a log with {topics} topics"), shown.into_iter().any(|log| log.topics.len() == topics));
    }
    let all_transactions = || blocks().flat_map(|block| &block.transactions);
    for v in [37u64, 38, 1] {
        check(&format!("a v of {v}"), all_transactions().any(|tx| tx.v == Some(U256::from(v))));
    }
    check("a signature without chain id", all_transactions().any(|tx| tx.tx_type == 0 && tx.chain_id == 0));
    check("a v of 0, written as null", all_transactions().any(|tx| tx.v.is_none()));
    check("a contract creation", all_transactions().any(|tx| tx.to.is_none()));
    check("an access list", all_transactions().any(|tx| !tx.access_list.0.is_empty()));
    check("a filled AuthList", all_transactions().any(|tx| tx.authorization_list.is_some()));
    check("a null AuthList", all_transactions().any(|tx| tx.tx_type == 4 && tx.authorization_list.is_none()));
    check("a blob sidecar", blocks().any(|block| block.blob_sidecars.as_ref().is_some_and(|cars| !cars.is_empty())));
    check("withdrawals", blocks().any(|block| block.withdrawals.as_ref().is_some_and(|list| !list.is_empty())));
    check("a zero slot", blocks().any(|block| block.state.storage.iter().any(|read| read.value.is_zero())));
    check("a block hash read", blocks().any(|block| !block.state.block_hashes.is_empty()));
    check("code of which only the size was used", blocks().any(lacks_code));
    check("requests of every type", samples.iter().any(|sample| sample.block.outcome.requests.len() == 3));
    check("the parent of another sample", blocks().any(|b| blocks().any(|parent| parent.hash == b.header.parent_hash)));
}

#[test]
fn only_the_transactions_made_to_fail_fail() {
    for sample in make_samples().unwrap() {
        let failing = [Contract::Reverter.address(), Contract::Burner.address()];
        for (tx, receipt) in sample.specimen.block.transactions.iter().zip(&sample.block.outcome.receipts) {
            let invalid_creation = tx.to.is_none() && tx.input.len() == 1;
            let meant_to_fail = invalid_creation || tx.to.is_some_and(|to| failing.contains(&to));
            assert_eq!(receipt.success, !meant_to_fail, "{}: {receipt:?}", sample.name());
        }
    }
}

#[test]
fn block_without_transactions_of_newer_kinds_fits_every_layout_that_has_its_header_fields() {
    let check = |fork, layouts: &[Layout]| {
        let block = Chain::new(5, fork, 10, 2_000_000_000, World::default()).seal(BlockPlan::default()).unwrap();
        for &layout in layouts {
            let bytes = encode(&export(&block, layout, Manner::default()), layout).unwrap();
            let Specimen { block: decoded, .. } = decode(&bytes).unwrap();
            assert_eq!(keccak256(alloy_rlp::encode(&decoded.header)), block.hash, "{layout}");
        }
    };
    check(Fork::Paris, &Layout::NEWEST_FIRST);
    check(Fork::Shanghai, &Layout::NEWEST_FIRST[..7]);
    check(Fork::Cancun, &Layout::NEWEST_FIRST[..3]);
    check(Fork::Prague, &Layout::NEWEST_FIRST[..1]);
}

#[test]
fn block_in_an_older_codec_decodes_to_what_was_exported_and_loses_what_the_codec_cannot_say() {
    let mut paris = make_samples().unwrap().remove(0).block;
    // More digits than a double has.
    paris.reads.accounts[0].balance += U256::from(1);
    let check = |layout, exported: &Specimen| {
        let bytes = encode(exported, layout).unwrap();
        let decoded = decode(&bytes).unwrap();
        assert!(decoded == *exported && decoded.layout == layout, "{layout} changed");
        assert!(encode(&decoded, layout).unwrap() == bytes, "{layout} changed");
        assert_eq!(decoded.block.header.hash_slow(), paris.hash);
        assert_eq!(receipts_root(&decoded.block), paris.header.receipts_root);
        check::transactions_root(&decoded).outcome
    };
    let export = |layout| export(&paris, layout, Manner::default());
    let exact = export(Layout::V0_31);
    let (heights, rounded) = (export(Layout::V0_3), export(Layout::V0_2));
    assert!(!exact.block.state.block_hashes.is_empty(), "0.3 is 0.31 without them");
    assert_eq!(check(Layout::V0_3, &heights), Outcome::Passed);
    assert!(matches!(check(Layout::V0_2, &rounded), Outcome::NotCheckable(_)), "signatures are lost");
    let balance = |specimen: &Specimen| specimen.block.state.accounts[0].balance;
    assert_eq!(balance(&exact), balance(&rounded) + U256::from(1));
    assert!(rounded.is_rounded(balance(&rounded)) && !exact.is_rounded(balance(&exact)));
}

#[test]
fn large_block_has_as_many_transactions_as_asked_for() {
    for count in [0, 1, 300] {
        let sample = large(count).unwrap();
        assert_eq!(sample.specimen.block.transactions.len(), count);
        assert!(sample.block.outcome.receipts.iter().all(|receipt| receipt.success));
        assert_eq!(decode(&sample.bytes).unwrap(), sample.specimen);
    }
}

/// A state that is nothing but the reads of a specimen.
struct ReadsOnly {
    accounts: BTreeMap<Address, AccountInfo>,
    slots: BTreeMap<(Address, B256), B256>,
    block_hashes: BTreeMap<u64, B256>,
}

impl ReadsOnly {
    fn new(reads: &StateReads) -> Self {
        let code = |hash: B256| {
            if hash == keccak256([]) {
                return Bytecode::default();
            }
            // The producer leaves out code of which only the size was used, and then any code that is not empty will do.
            let read = reads.codes.iter().find(|code| code.hash == hash);
            Bytecode::new_raw(read.map_or_else(|| [0xfe].into(), |read| read.code.clone()))
        };
        let account = |read: &AccountRead| {
            let AccountRead { address, nonce, balance, code_hash } = *read;
            let code = Some(code(code_hash));
            (address, AccountInfo { balance, nonce, code_hash, code, ..AccountInfo::default() })
        };
        Self {
            accounts: reads.accounts.iter().map(account).collect(),
            slots: reads.storage.iter().map(|read| ((read.account, read.slot), read.value)).collect(),
            block_hashes: reads.block_hashes.iter().map(|read| (read.number, read.hash)).collect(),
        }
    }
}

impl DatabaseRef for ReadsOnly {
    type Error = Missing;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Missing> {
        Ok(self.accounts.get(&address).cloned())
    }

    /// Only the code that the block itself creates is asked for by its hash; that of the accounts stands in them.
    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Missing> {
        Err(Missing::Code(hash))
    }

    fn storage_ref(&self, address: Address, index: U256) -> Result<U256, Missing> {
        Ok(self.slots.get(&(address, index.into())).copied().unwrap_or_default().into())
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Missing> {
        self.block_hashes.get(&number).copied().ok_or(Missing::BlockHash(number))
    }
}

fn lacks_code(block: &Block) -> bool {
    let empty = keccak256([]);
    let state = &block.state;
    let has = |hash: B256| hash == empty || state.codes.iter().any(|code| code.hash == hash);
    state.accounts.iter().any(|account| account.address == Contract::Statue.address() && !has(account.code_hash))
}

/// The receipts root from what the producer exported, with RLP written out by hand.
fn receipts_root(block: &Block) -> B256 {
    let encoded = block.transactions.iter().zip(&block.receipts).map(|(tx, receipt)| {
        let log = |log: &refiner_specimen::Log| {
            alloy_primitives::Log::new_unchecked(log.address, log.topics.clone(), log.data.clone())
        };
        let logs: Vec<_> = receipt.logs.iter().map(log).collect();
        let success = receipt.post_state_or_status.as_ref() == [1];
        let bloom = alloy_primitives::logs_bloom(&logs);
        let fields: [&dyn Encodable; 4] = [&success, &receipt.cumulative_gas_used, &bloom, &logs];
        let mut bytes = if tx.tx_type == 0 { Vec::new() } else { vec![tx.tx_type] };
        encode_list::<&dyn Encodable, dyn Encodable>(&fields, &mut bytes);
        bytes
    });
    ordered_trie_root_encoded(&encoded.collect::<Vec<_>>())
}
