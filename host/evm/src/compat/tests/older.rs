//! Blocks before the merge, by difficulty, and what the total difficulty decides.

use super::*;

const TERMINAL: U256 = U256::from_limbs([0xd815_d562_d3cf_a955, 0xc70, 0, 0]);
const DIFFICULTY: u64 = 131_072;
const ETH: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
const MINER: Address = Address::repeat_byte(0x11);

/// A block of July 2022, with work.
fn with_work(code: &[u8], transactions: Vec<Transaction>) -> Specimen {
    let mut specimen = specimen(1_657_627_181, code, transactions);
    specimen.block.header.number = 15_127_680;
    specimen.block.header.difficulty = U256::from(DIFFICULTY);
    specimen.block.header.beneficiary = MINER;
    specimen.block.header.excess_blob_gas = None;
    specimen.block.header.parent_beacon_block_root = None;
    specimen.block.header.blob_gas_used = None;
    specimen
}

fn document(specimen: &Specimen, era: Era) -> Value {
    serde_json::from_slice(&run(specimen, era).unwrap().block_result(specimen).unwrap()).unwrap()
}

#[test]
fn difficulty_is_the_headers_and_so_is_what_asks_for_it() {
    const PREVRANDAO: u8 = 0x44;
    for era in ERAS {
        let block = with_work(&logging(&[PREVRANDAO]), vec![call(2)]);
        let document = document(&block, era);
        assert_eq!(document["Header"]["difficulty"], "0x20000", "{era:?}");
        let expected = B256::from(U256::from(DIFFICULTY)).to_string();
        assert_eq!(document["Receipts"][0]["Logs"][0]["topics"][0], expected, "{era:?}");
        let mut at_merge = block;
        at_merge.block.total_difficulty = TERMINAL;
        let refused = Unsupported::DifficultyAfterMerge { format: ResultFormat::EvmServer(era) };
        let expected = if era == Era::A { Ok(1) } else { Err(refused.into()) };
        assert_eq!(run(&at_merge, era).map(|execution| execution.receipts.len()), expected);
    }
}

#[test]
fn the_total_difficulty_decides_which_difficulty_era_b_prints() {
    for (total, expected) in [(U256::ZERO, "0x0"), (TERMINAL, "0x<nil>")] {
        let mut block = specimen(SHANGHAI, &[], vec![]);
        block.block.total_difficulty = total;
        for era in ERAS {
            let printed = document(&block, era)["Header"]["difficulty"].clone();
            assert_eq!(printed, if era == Era::B { expected } else { "0x0" }, "{era:?}");
        }
    }
}

#[test]
fn each_uncle_counts_twice_in_height_rewards_and_list() {
    const NUMBER: u8 = 0x43;
    let uncle_miner = Address::repeat_byte(0x22);
    let height = 15_127_680;
    for era in ERAS {
        let mut block = with_work(&logging(&[NUMBER]), vec![call(2)]);
        let uncle = Header { number: height - 1, beneficiary: uncle_miner, ..Header::default() };
        block.block.uncles = Some(vec![uncle]);
        let document = document(&block, era);
        assert_eq!(document["Header"]["number"], format!("{:#x}", height + 2), "{era:?}");
        let log = &document["Receipts"][0]["Logs"][0];
        assert_eq!(
            (log["blockNumber"].as_u64(), &log["topics"][0]),
            (Some(height + 2), &B256::from(U256::from(height + 2)).to_string().into())
        );
        let uncles = document["uncles"].as_array().unwrap();
        let short = |uncle: &Value| [&uncle["miner"], &uncle["number"], &uncle["difficulty"]].map(Clone::clone);
        let printed = |miner: Address, number: u64| {
            [miner.to_string().to_lowercase(), format!("{number:#x}"), "0x<nil>".into()].map(Value::from)
        };
        assert_eq!(
            uncles.iter().map(short).collect::<Vec<_>>(),
            [printed(Address::ZERO, height + 2), printed(uncle_miner, height + 1)]
        );
    }
}

#[test]
fn rewards_are_those_of_the_height_but_in_era_a() {
    let chain = ChainSpec::builtin(1).unwrap();
    for (height, eth) in [(1_000_000, 5), (5_000_000, 3), (8_000_000, 2), (15_127_680, 2)] {
        let mut block = with_work(&[], vec![]);
        block.block.header.number = height;
        for era in ERAS {
            let rules = (EvmServer::of(era).rules)(&chain, &block.block).unwrap();
            let expected = if era == Era::A { 2 } else { eth };
            assert_eq!(rules.rewards(&block.block), [(MINER, ETH * U256::from(expected))], "{era:?} at {height}");
        }
    }
}

#[test]
fn a_block_below_london_has_no_mix_hash_and_none_of_its_transactions() {
    for era in ERAS {
        let mut block = with_work(&[], vec![call(0), call(1), call(2)]);
        block.block.header.number = 8_000_000;
        block.block.header.base_fee_per_gas = Some(0);
        let document = document(&block, era);
        assert_eq!(document["Header"]["mixHash"], B256::ZERO.to_string(), "{era:?}");
        // Era A took every block for one of London's.
        let receipts = document["Receipts"].as_array().unwrap().len();
        assert_eq!(receipts, if era == Era::A { 3 } else { 1 }, "{era:?}");
    }
}
