//! The rule on fixtures.

use refiner_sdk::{
    AccountRead, StorageRead, U256,
    fixture::{Fixture, Run},
};

use super::*;

const POOL: Address = Address::from_hex("00000000000000000000000000000000000000aa");
const TWIN: Address = Address::from_hex("00000000000000000000000000000000000000ab");
const PERSON: Address = Address::from_hex("00000000000000000000000000000000000000ff");
const CODE: B256 = B256::from_words([7; 4]);

fn account(address: Address, code_hash: B256) -> AccountRead {
    AccountRead { address, nonce: 1, balance: U256::from(5), code_hash }
}

fn slot(account: Address, slot: u64, value: u64) -> StorageRead {
    StorageRead { account, slot: U256::from(slot).into(), value: U256::from(value).into() }
}

/// The rows of an artifact, without what every row starts with.
fn rows<'a>(run: &'a Run, artifact: &str) -> Vec<&'a str> {
    let text = run.artifact(artifact).expect("both artifacts are always there").text();
    text.lines().map(|row| &row[row.find("\"address\"").expect("a row has an address")..]).collect()
}

#[test]
fn each_account_is_a_row_with_its_code_and_how_many_slots_were_read() {
    let check = |read: AccountRead, expected: &str| {
        let run = Fixture::new()
            .code(CODE, &[0; 24_576])
            .storage_read(slot(POOL, 1, 10))
            .storage_read(slot(TWIN, 1, 0))
            .storage_read(slot(POOL, 2, 0))
            .account_read(read)
            .run(StateAccess::refine);
        assert_eq!(rows(&run, "accounts.ndjson"), [format!("{expected}}}")]);
        assert_eq!(run.result, Ok(Summary::records(4_u32)));
    };
    let start = |address, code_hash| {
        format!("\"address\":\"{address}\",\"nonce\":1,\"balance\":\"5\",\"codeHash\":\"{code_hash}\"")
    };
    check(account(POOL, CODE), &(start(POOL, CODE) + ",\"codeBytes\":24576,\"slots\":2"));
    check(account(TWIN, CODE), &(start(TWIN, CODE) + ",\"codeBytes\":24576,\"slots\":1"));
    check(account(PERSON, EMPTY_CODE), &(start(PERSON, EMPTY_CODE) + ",\"codeBytes\":0,\"slots\":0"));
    let unknown = B256::from_words([8; 4]);
    check(account(PERSON, unknown), &(start(PERSON, unknown) + ",\"codeBytes\":null,\"slots\":0"));
    check(
        AccountRead { nonce: u64::MAX, balance: U256::MAX, ..account(PERSON, EMPTY_CODE) },
        &format!(
            "\"address\":\"{PERSON}\",\"nonce\":18446744073709551615,\"balance\":\"{}\",\"codeHash\":\"{EMPTY_CODE}\",\"codeBytes\":0,\"slots\":0",
            U256::MAX
        ),
    );
}

#[test]
fn each_slot_is_a_row_in_the_order_of_the_specimen_also_of_an_account_that_is_not_there() {
    let reads = [slot(TWIN, 2, 0), slot(POOL, 1, 255), slot(PERSON, 0, 1), slot(POOL, 0, 3)];
    let fixture = reads
        .iter()
        .fold(Fixture::new().account_read(account(POOL, CODE)), |fixture, read| fixture.storage_read(*read));
    let run = fixture.run(StateAccess::refine);
    let expected = reads.map(|read| {
        format!("\"address\":\"{}\",\"slot\":\"{}\",\"value\":\"{}\"}}", read.account, read.slot, read.value)
    });
    assert_eq!(rows(&run, "storage-slots.ndjson"), expected);
    assert_eq!(rows(&run, "accounts.ndjson").len(), 1);
}

#[test]
fn block_that_read_nothing_gives_two_empty_artifacts() {
    let run = Fixture::new().run(StateAccess::refine);
    assert_eq!(run.result, Ok(Summary::records(0_u32)));
    assert!(rows(&run, "accounts.ndjson").is_empty() && rows(&run, "storage-slots.ndjson").is_empty());
}

#[test]
fn artifacts_name_the_schemas_of_the_manifest() {
    let manifest = include_str!("../rule.toml");
    let run = Fixture::new().run(StateAccess::refine);
    assert_eq!(manifest.matches("[[outputs]]").count(), run.artifacts.len());
    for artifact in run.artifacts {
        let schema = artifact.schema.expect("a schema");
        let output =
            format!("name = \"{}\"\nmedia-type = \"{}\"\nschema = \"{schema}\"", artifact.name, artifact.media_type);
        assert!(manifest.contains(&output), "{output}");
    }
}
