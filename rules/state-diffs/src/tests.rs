//! The rule on fixtures.

use refiner_sdk::{
    AccountChange, Address, Receipt, SlotChange, U256,
    fixture::{ChangedState, ExecutedBlock, Fixture},
};

use super::*;

#[test]
fn each_kind_of_change_stands_in_its_own_artifact_with_both_values() {
    let (address, code) = (Address::ZERO, B256::from(U256::from(7)));
    let account = AccountChange {
        address,
        balance: Some((U256::from(1), U256::from(2))),
        nonce: Some((3, 4)),
        code: Some((EMPTY_CODE, code)),
        created: false,
        destroyed: false,
    };
    let slot = SlotChange { address, slot: code, before: B256::ZERO, after: code };
    let step = ChangedState { accounts: vec![account], slots: vec![slot], ..ChangedState::default() };
    let block = ExecutedBlock {
        receipts: vec![Receipt::default()],
        changes: vec![ChangedState::default(), step, ChangedState::default()],
        ..ExecutedBlock::default()
    };
    let fixture = Fixture::new().code(code, &[0x60, 0x00]).executed("canonical", Ok(block));
    let run = fixture.run_with_evm(StateDiffs::refine);
    let ends = |name: &str, end: &str| {
        let text = run.artifact(name).expect("the artifact").text();
        let place = format!("\"block_access_index\":1,\"transaction_index\":0,\"address\":\"{address}\",");
        assert!(text.contains(&place) && text.ends_with(&format!("{end}}}\n")), "{name}: {text}");
    };
    ends(BALANCES.0, "\"from_value\":\"1\",\"to_value\":\"2\"");
    ends(NONCES.0, "\"from_value\":3,\"to_value\":4");
    ends(CODES.0, &format!("\"from_value\":\"{EMPTY_CODE}\",\"to_value\":\"{code}\",\"to_length\":2"));
    ends(SLOTS.0, &format!("\"slot\":\"{code}\",\"from_value\":\"{}\",\"to_value\":\"{code}\"", B256::ZERO));
    assert_eq!(run.result, Ok(Summary::records(4_u32)));
}
