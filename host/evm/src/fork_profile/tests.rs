use alloy_consensus::Header;
use alloy_primitives::{Bytes, KECCAK256_EMPTY};
use refiner_specimen::{AccountRead, StateReads};
use refiner_testkit::Key;

use super::*;
use crate::{
    code::CodeCache,
    interrupt::Uninterrupted,
    meter::Budget,
    policy::DEFAULT_GAS_BOUND,
    runner::{self, Job},
    transaction::Supplement,
};

const MINER: Address = Address::repeat_byte(0x11);
const UNCLE: Address = Address::repeat_byte(0x22);
const GREAT_UNCLE: Address = Address::repeat_byte(0x33);
const ETH: u64 = 1_000_000_000_000_000_000;

fn block(height: u64, ommers: &[(Address, u64)]) -> Block {
    let ommers = ommers.iter().map(|(beneficiary, age)| Header {
        beneficiary: *beneficiary,
        number: height - age,
        ..Header::default()
    });
    let header = Header {
        number: height,
        beneficiary: MINER,
        difficulty: U256::from(131_072),
        base_fee_per_gas: Some(7),
        gas_limit: 8_000_000,
        ..Header::default()
    };
    Block {
        kind: "block-specimen".to_owned(),
        network_id: 1,
        hash: B256::ZERO,
        total_difficulty: U256::ZERO,
        header,
        transactions: Vec::new(),
        uncles: Some(ommers.collect()),
        receipts: Vec::new(),
        senders: Vec::new(),
        state: StateReads::default(),
        withdrawals: None,
        blob_sidecars: None,
    }
}

fn mainnet() -> ChainSpec {
    ChainSpec::builtin(1).unwrap()
}

/// The balances that the block's execution leaves in each account.
fn balances(chain: &ChainSpec, block: &Block) -> impl Fn(Address) -> U256 + use<> {
    let rules = ForkProfile::canonical(chain, block).unwrap();
    let (supplement, codes) = (Supplement::default(), CodeCache::default());
    let budget = Budget::new(DEFAULT_GAS_BOUND, &Uninterrupted);
    let hashes = &[];
    let job = Job {
        block,
        rules: &rules,
        hashes,
        supplement: &supplement,
        codes: &codes,
        budget: &budget,
        expected: None,
        recording: None,
        hypothesis: None,
    };
    let state = runner::run(&job).unwrap().post_state;
    move |address| state.0.get(&address).map_or(U256::ZERO, |account| account.info.balance)
}

#[test]
fn the_reward_of_a_block_is_that_of_its_fork() {
    let cases =
        [(1, 5), (4_369_999, 5), (4_370_000, 3), (7_279_999, 3), (7_280_000, 2), (12_965_000, 2), (15_537_393, 2)];
    for (height, eth) in cases {
        assert_eq!(balances(&mainnet(), &block(height, &[]))(MINER), U256::from(eth * ETH), "{height}");
    }
    let merged = Block { header: Header { difficulty: U256::ZERO, ..block(15_537_394, &[]).header }, ..block(1, &[]) };
    assert_eq!(balances(&mainnet(), &merged)(MINER), U256::ZERO);
}

#[test]
fn ommers_are_paid_by_their_age_and_add_to_the_miners_reward() {
    let balance = balances(&mainnet(), &block(7_280_000, &[(UNCLE, 1), (GREAT_UNCLE, 6)]));
    assert_eq!(balance(MINER), U256::from(2 * ETH + 2 * (2 * ETH / 32)));
    assert_eq!(balance(UNCLE), U256::from(2 * ETH / 8 * 7));
    assert_eq!(balance(GREAT_UNCLE), U256::from(2 * ETH / 8 * 2));

    // Of the same miner, both are paid.
    let balance = balances(&mainnet(), &block(1_000, &[(MINER, 1)]));
    assert_eq!(balance(MINER), U256::from(5 * ETH + 5 * ETH / 32 + 5 * ETH / 8 * 7));
}

#[test]
fn an_ommer_of_an_impossible_age_is_paid_nothing_and_ends_nothing() {
    let mut block = block(1_000, &[(UNCLE, 9), (GREAT_UNCLE, 0)]);
    block.uncles.as_mut().unwrap()[1].number = u64::MAX;
    let balance = balances(&mainnet(), &block);
    assert_eq!(balance(UNCLE), U256::ZERO);
    assert_eq!(balance(GREAT_UNCLE), U256::from(5 * ETH));
}

#[test]
fn authorities_are_not_rewarded_and_an_unsealed_block_is_rejected() {
    let chain = ChainSpec::from_geth_json(r#"{"chainId": 1, "homesteadBlock": 0, "clique": {}}"#).unwrap();
    let key = Key::named("sealer");
    let mut sealed = block(5, &[]);
    sealed.header.extra_data = Bytes::from(vec![0; 32]);
    let signature = key.sign(sealed.header.hash_slow());
    let (r, s, parity) = (signature.r().to_be_bytes::<32>(), signature.s().to_be_bytes::<32>(), signature.v());
    sealed.header.extra_data = [&[0; 32][..], &r, &s, &[parity.into()]].concat().into();
    assert_eq!(ForkProfile::canonical(&chain, &sealed).unwrap().beneficiary, key.address());
    for account in [key.address(), MINER] {
        assert_eq!(balances(&chain, &sealed)(account), U256::ZERO);
    }

    for extra_data in [vec![0; 64], vec![0; 97], [&[0x55; 64][..], &[4]].concat()] {
        sealed.header.extra_data = Bytes::from(extra_data);
        let error = ForkProfile::canonical(&chain, &sealed).unwrap_err();
        assert_eq!(error, ExecuteError::Rejected(Rejected::HeaderField { field: "seal in extraData" }));
    }
}

#[test]
fn the_dao_fork_moves_every_drained_balance_once() {
    let dao = alloy_primitives::address!("0xbb9bc244d798123fde783fcc1c72d3bb8c189413");
    let child = alloy_primitives::address!("0x304a554a310c7e546dfe434669c62820b7d83490");
    let refund = alloy_primitives::address!("0xbf4ed7b27f1d666546e30d74d50d173d20bca754");
    let after = |height| {
        let mut block = block(height, &[]);
        block.state.accounts = [(dao, 1), (child, 20), (refund, 300), (UNCLE, 4_000)]
            .map(|(address, wei)| AccountRead {
                address,
                nonce: 0,
                balance: U256::from(wei),
                code_hash: KECCAK256_EMPTY,
            })
            .to_vec();
        [dao, child, refund, UNCLE].map(balances(&mainnet(), &block))
    };
    for height in [1_919_999, 1_920_001] {
        assert_eq!(after(height), [1, 20, 300, 4_000].map(U256::from), "{height}");
    }
    assert_eq!(after(1_920_000), [0, 0, 321, 4_000].map(U256::from));
}
