//! The rule on fixtures.

use refiner_sdk::{
    Address, ExecuteError, Transaction, U256,
    fixture::{ExecutedBlock, Fixture, Run},
};

use super::*;

const TOKEN: Address = Address::from_hex("00000000000000000000000000000000000000cc");
const ZERO: Address = Address::ZERO;
const SOMEBODY: Address = Address::from_hex("00000000000000000000000000000000000000aa");

fn word(number: u64) -> B256 {
    U256::from(number).into()
}

fn log(transaction_index: u32, log_index: u32, topics: &[B256], data: &[u64]) -> Log {
    let data = data.iter().flat_map(|number| word(*number).to_bytes()).collect();
    Log { transaction_index, log_index, address: TOKEN, topics: topics.to_vec(), data }
}

/// Runs over receipts of these types and hashes, in a specimen of this layout.
fn run_in(layout: &str, receipts: &[(u8, B256)], logs: Vec<Log>) -> Run {
    let receipts = (0..).zip(receipts).map(|(transaction_index, &(tx_type, transaction_hash))| Receipt {
        transaction_index,
        tx_type,
        transaction_hash,
        ..Receipt::default()
    });
    let executed = ExecutedBlock { receipts: receipts.collect(), logs, ..ExecutedBlock::default() };
    let fixture = Fixture::new().identity(|identity| identity.layout = layout.to_owned());
    fixture.executed("canonical", Ok(executed)).run_with_evm(TokenTransfers::refine)
}

/// Runs over these logs with the parameter.
fn run_wrapping(wrapped: Option<&str>, chain: u64, logs: Vec<Log>) -> Run {
    let executed = ExecutedBlock { receipts: vec![Receipt::default()], logs, ..ExecutedBlock::default() };
    let fixture = Fixture::new().identity(|identity| identity.chain_id = chain).executed("canonical", Ok(executed));
    let fixture = match wrapped {
        Some(wrapped) => fixture.param("wrapped-ether", wrapped),
        None => fixture,
    };
    fixture.run_with_evm(TokenTransfers::refine)
}

#[test]
fn wrapped_ether_has_rows_where_it_is_asked_for_and_of_the_contracts_that_are_named() {
    let logs = || {
        vec![
            log(0, 0, &[transfer::DEPOSIT, word(0xaa)], &[5]),
            log(0, 1, &[transfer::WITHDRAWAL, word(0xaa)], &[3]),
            log(0, 2, &[transfer::DEPOSIT, word(0xaa)], &[]),
            Log { address: SOMEBODY, ..log(0, 3, &[transfer::DEPOSIT, word(0xaa)], &[5]) },
        ]
    };
    let token = TOKEN.to_string();
    let wrapping = run_wrapping(Some(&token), 1, logs());
    let moved = |index: u32, from: Address, to: Address, amount: u32| {
        let rest = format!("\"from\":\"{from}\",\"to\":\"{to}\",\"tokenId\":null,\"amount\":\"{amount}\"}}");
        (format!("\"logIndex\":{index},\"batchIndex\":null,\"standard\":\"wrapped ether\""), rest)
    };
    let rows = rows(&wrapping);
    let expected = [moved(0, ZERO, SOMEBODY, 5), moved(1, SOMEBODY, ZERO, 3)];
    assert_eq!(rows.lines().count(), expected.len(), "{rows}");
    for (row, (start, end)) in rows.lines().zip(&expected) {
        assert!(row.contains(start.as_str()) && row.ends_with(end.as_str()), "{row}");
    }
    assert_eq!(wrapping.log.len(), 1, "the third is misshapen: {:?}", wrapping.log);

    for asked in [None, Some("none")] {
        assert_eq!(run_wrapping(asked, 1, logs()).result, Ok(Summary::records(0_u32)));
    }
    let weth = Address::from_hex("c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2");
    let of_weth = || vec![Log { address: weth, ..log(0, 0, &[transfer::DEPOSIT, word(0xaa)], &[5]) }];
    assert_eq!(run_wrapping(Some("known"), 1, of_weth()).result, Ok(Summary::records(1_u32)));
    for (asked, chain, words) in [
        ("known", 1337, "no contract is known to wrap ether on chain 1337"),
        ("yes", 1, "expected none, known or addresses"),
        ("0xaa,", 1, "expected none, known or addresses"),
    ] {
        let run = run_wrapping(Some(asked), chain, Vec::new());
        assert!(
            matches!(&run.result, Err(RuleError::Unsupported(reason)) if reason.contains(words)),
            "{:?}",
            run.result
        );
    }
}

fn run(receipts: &[(u8, B256)], logs: Vec<Log>) -> Run {
    run_in("0.38", receipts, logs)
}

fn row(transaction: &str, log: &str, rest: &str) -> String {
    format!("\"transactionIndex\":{transaction},\"logIndex\":{log},{rest}}}\n")
}

/// The rows without what every row starts with.
fn rows(run: &Run) -> String {
    let strip = |row: &str| row[row.find("\"transactionIndex\"").expect("a row has a transaction")..].to_owned() + "\n";
    run.artifacts[0].text().lines().map(strip).collect()
}

#[test]
fn each_transfer_is_a_row_and_a_batch_is_as_many_as_it_has_pairs() {
    let transactions = [1, 2].map(|number| (2, word(number)));
    let somebody = word(0xaa);
    let logs = vec![
        log(0, 0, &[transfer::TRANSFER, word(0), somebody], &[1_000]),
        log(0, 1, &[word(9)], &[]),
        log(1, 2, &[transfer::TRANSFER, somebody, word(0), word(4)], &[]),
        log(1, 3, &[transfer::TRANSFER_SINGLE, somebody, word(0), somebody], &[5, 6]),
        log(1, 4, &[transfer::TRANSFER_BATCH, somebody, somebody, somebody], &[64, 160, 2, 1, 2, 2, 3, 4]),
        log(1, 5, &[transfer::TRANSFER_BATCH, somebody, somebody, somebody], &[64, 96, 0, 0]),
    ];
    let run = run(&transactions, logs);
    let transaction = |number: u64| format!("{},\"transactionHash\":\"{}\"", number - 1, word(number));
    let (zero, one) = (transaction(1), transaction(2));
    let parties = |operator: &str, from: Address, to: Address| {
        format!("\"token\":\"{TOKEN}\",\"operator\":{operator},\"from\":\"{from}\",\"to\":\"{to}\"")
    };
    let operator = format!("\"{SOMEBODY}\"");
    let multi = format!("\"standard\":\"ERC-1155\",{}", parties(&operator, SOMEBODY, SOMEBODY));
    let expected = [
        row(
            &zero,
            "0",
            &format!(
                "\"batchIndex\":null,\"standard\":\"ERC-20\",{},\"tokenId\":null,\"amount\":\"1000\"",
                parties("null", ZERO, SOMEBODY)
            ),
        ),
        row(
            &one,
            "2",
            &format!(
                "\"batchIndex\":null,\"standard\":\"ERC-721\",{},\"tokenId\":\"4\",\"amount\":\"1\"",
                parties("null", SOMEBODY, ZERO)
            ),
        ),
        row(
            &one,
            "3",
            &format!(
                "\"batchIndex\":null,\"standard\":\"ERC-1155\",{},\"tokenId\":\"5\",\"amount\":\"6\"",
                parties(&operator, ZERO, SOMEBODY)
            ),
        ),
        row(&one, "4", &format!("\"batchIndex\":0,{multi},\"tokenId\":\"1\",\"amount\":\"3\"")),
        row(&one, "4", &format!("\"batchIndex\":1,{multi},\"tokenId\":\"2\",\"amount\":\"4\"")),
    ];
    assert_eq!(rows(&run), expected.concat());
    assert_eq!((run.result, run.log), (Ok(Summary::records(5_u32)), Vec::new()));
}

#[test]
fn look_alikes_are_logged_with_contract_and_index_and_what_is_wrong_with_them() {
    let run = run(
        &[],
        vec![
            log(0, 0, &[transfer::TRANSFER], &[1, 2, 3]),
            log(0, 1, &[transfer::TRANSFER, word(1), word(2)], &[]),
            log(0, 2, &[transfer::TRANSFER], &[1, 2, 3]),
            log(0, 3, &[transfer::TRANSFER_BATCH, word(1), word(1), word(1)], &[64, 128, 1, 5, 0]),
        ],
    );
    let messages: Vec<&str> = run.log.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(
        messages,
        [
            format!("skipped log 0 of {TOKEN}: another number of topics"),
            format!("skipped log 1 of {TOKEN}: data of another length"),
            format!("skipped log 2 of {TOKEN}: another number of topics"),
            format!("skipped log 3 of {TOKEN}: not as many token ids as amounts"),
        ]
    );
    assert_eq!((run.result, run.artifacts[0].text()), (Ok(Summary::records(0_u32)), ""));
}

#[test]
fn transaction_whose_layout_dropped_a_part_has_no_hash() {
    let hash_of = |layout: &str, tx_type: u8| {
        let logs = vec![log(0, 0, &[transfer::TRANSFER, word(1), word(2)], &[1])];
        let text = rows(&run_in(layout, &[(tx_type, word(7))], logs));
        let hash = text.split_once("\"transactionHash\":").and_then(|(_, rest)| rest.split_once(','));
        hash.map(|(hash, _)| hash.to_owned()).expect("a hash or null")
    };
    let (known, null) = (format!("\"{}\"", word(7)), "null");
    for (layout, tx_type, expected) in [
        ("0.36", 2, &known[..]),
        ("0.36", Transaction::BLOB, null),
        ("0.37", Transaction::BLOB, &known),
        ("0.38", Transaction::SET_CODE, null),
        ("0.2", 0, null),
        ("0.3", 0, &known),
    ] {
        assert_eq!(hash_of(layout, tx_type), expected, "{layout}, type {tx_type}");
    }
}

#[test]
fn block_that_is_not_executed_gives_no_artifact_and_keeps_the_blame() {
    let error = ExecuteError::Rejected("the reason".to_owned());
    let run = Fixture::new().executed("canonical", Err(error)).run_with_evm(TokenTransfers::refine);
    assert_eq!((run.result, run.artifacts), (Err(RuleError::Rejected("the reason".to_owned())), Vec::new()));
}

#[test]
fn artifact_is_that_of_the_manifest() {
    let manifest = include_str!("../rule.toml");
    let artifact = &run(&[], Vec::new()).artifacts[0];
    let schema = artifact.schema.as_deref().expect("a schema");
    let output =
        format!("name = \"{}\"\nmedia-type = \"{}\"\nschema = \"{schema}\"", artifact.name, artifact.media_type);
    assert!(manifest.contains(&output), "{output}");
}
