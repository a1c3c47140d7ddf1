//! Contents of the blocks of our own tests: a little of everything that forks changed.

use std::collections::BTreeMap;

use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip2935, eip4788,
    eip4895::Withdrawal,
    eip7002, eip7251,
};
use alloy_primitives::{Address, B256, Bytes, U256, address, b256, uint};
use refiner_testkit::{Assembler, Form, Key, Plan, deploying};
use revm::bytecode::opcode::*;

use crate::{
    dao,
    fork::Fork,
    world::{Account, World},
};

/// Stores DIFFICULTY and the parent's hash, flips slot 2, and logs the height.
const PROBE: Address = address!("0x00000000000000000000000000000000000c0de1");
/// Calls [`FRESH`] without value and logs what gas is left.
const CALLER: Address = address!("0x00000000000000000000000000000000000c0de2");
/// Runs an opcode that does not exist.
const BURNER: Address = address!("0x00000000000000000000000000000000000c0de3");
/// Does not exist until it is touched, and then only before EIP-161.
const FRESH: Address = address!("0x00000000000000000000000000000000000f4e54");

/// A hash with the version byte of KZG commitments in front; no blob is behind it.
const BLOB_HASH: B256 = b256!("0x0107070707070707070707070707070707070707070707070707070707070707");

/// Logs the balance of the DAO's refund contract.
const WITNESS: Address = address!("0x00000000000000000000000000000000000c0de4");
/// One of the accounts whose balance moves at the DAO fork.
const DAO: Address = address!("0xbb9bc244d798123fde783fcc1c72d3bb8c189413");

const ETHER: U256 = uint!(1_000_000_000_000_000_000_U256);

/// The account that sends everything but the creation that collides.
fn alice() -> Key {
    Key::named("conformance alice")
}

/// The account whose only transaction creates a contract where there is storage.
fn bob() -> Key {
    Key::named("conformance bob")
}

/// The state before the first block. System contracts stand there before their fork, as on the public chains.
pub fn genesis(newest: Fork) -> World {
    let contract = |code: Bytes| Account::new(1, U256::ZERO, code, BTreeMap::new());
    let owning = |ether| Account::new(0, U256::from(ether) * ETHER, Bytes::new(), BTreeMap::new());
    let bare_storage = Account::new(0, U256::ONE, Bytes::new(), BTreeMap::from([(U256::ZERO, U256::ONE)]));
    let mut accounts = vec![
        (alice().address(), owning(1_000)),
        (bob().address(), owning(10)),
        (bob().address().create(0), bare_storage),
        (PROBE, contract(probe())),
        (CALLER, contract(caller())),
        (BURNER, contract(Bytes::from_static(&[INVALID]))),
    ];
    if newest == Fork::Dao {
        accounts.extend([(WITNESS, contract(witness())), (DAO, owning(7))]);
    }
    if newest >= Fork::Cancun {
        accounts.push((eip4788::BEACON_ROOTS_ADDRESS, contract(eip4788::BEACON_ROOTS_CODE.clone())));
    }
    if newest >= Fork::Prague {
        accounts.extend([
            (eip2935::HISTORY_STORAGE_ADDRESS, contract(eip2935::HISTORY_STORAGE_CODE.clone())),
            (
                eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                contract(eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE.clone()),
            ),
            (
                eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                contract(eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE.clone()),
            ),
        ]);
    }
    accounts.into_iter().collect()
}

/// The transactions of a block: the same in every block, so that later ones meet what earlier ones left.
pub fn transactions(fork: Fork, first: bool) -> Vec<Plan> {
    let plain = if fork >= Fork::SpuriousDragon { Form::Legacy } else { Form::LegacyUnprotected };
    let call =
        |to, value, gas| Plan { from: alice(), to: Some(to), value, input: Bytes::new(), gas, form: plain.clone() };
    let zero = U256::ZERO;
    let mut plans = vec![
        call(address!("0x00000000000000000000000000000000000beef1"), ETHER, 21_000),
        call(PROBE, zero, 200_000),
        call(CALLER, zero, 100_000),
        call(BURNER, zero, 50_000),
        Plan { to: None, input: deploying(&[ADDRESS, SELFDESTRUCT]), ..call(PROBE, zero, 200_000) },
    ];
    if first {
        plans.push(Plan { from: bob(), to: None, input: deploying(&[STOP]), ..call(PROBE, zero, 100_000) });
    }
    if fork == Fork::Dao {
        plans.push(call(WITNESS, zero, 100_000));
    }
    let list = || AccessList(vec![AccessListItem { address: PROBE, storage_keys: vec![B256::ZERO] }]);
    if fork >= Fork::Berlin {
        plans.push(Plan { form: Form::AccessList(list()), ..call(PROBE, zero, 200_000) });
    }
    if fork >= Fork::London {
        plans.push(Plan { form: Form::DynamicFee(list()), ..call(PROBE, zero, 200_000) });
    }
    if fork >= Fork::Cancun {
        plans.push(Plan { form: Form::Blobs(vec![BLOB_HASH]), ..call(PROBE, zero, 200_000) });
    }
    if fork >= Fork::Prague {
        let carol = Key::named("conformance carol");
        plans.push(Plan { form: Form::SetCode(vec![(carol, PROBE)]), ..call(carol.address(), zero, 300_000) });
        // EIP-7002: a public key of 48 bytes and an amount of 8; the fee is 1 wei as long as there is no excess.
        plans.push(Plan {
            input: Bytes::from(vec![7; 56]),
            ..call(eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, U256::ONE, 300_000)
        });
    }
    plans
}

/// Withdrawals: one to an account that exists and one to one that does not.
pub fn withdrawals(first_index: u64) -> Vec<Withdrawal> {
    let withdrawal = |index, address, amount| Withdrawal { index, validator_index: 5, address, amount };
    vec![withdrawal(first_index, PROBE, 1_000_000_000), withdrawal(first_index + 1, FRESH, 3)]
}

fn probe() -> Bytes {
    Assembler::new()
        .ops(&[DIFFICULTY, PUSH1, 0, SSTORE])
        .ops(&[PUSH1, 1, NUMBER, SUB, BLOCKHASH, PUSH1, 1, SSTORE])
        .ops(&[PUSH1, 2, SLOAD, ISZERO, PUSH1, 2, SSTORE])
        .ops(&[CALLER_OPCODE, PUSH1, 0, MSTORE, NUMBER, PUSH1, 32, PUSH1, 0, LOG1, STOP])
        .finish()
}

/// The opcode CALLER, whose name a contract here has too.
const CALLER_OPCODE: u8 = revm::bytecode::opcode::CALLER;

fn witness() -> Bytes {
    Assembler::new()
        .push_address(dao::REFUND)
        .ops(&[BALANCE, PUSH1, 0, MSTORE, PUSH1, 32, PUSH1, 0, LOG0, STOP])
        .finish()
}

fn caller() -> Bytes {
    Assembler::new()
        .ops(&[PUSH1, 0, PUSH1, 0, PUSH1, 0, PUSH1, 0, PUSH1, 0])
        .push_address(FRESH)
        .ops(&[PUSH1, 0, CALL, POP, GAS, PUSH1, 0, MSTORE, PUSH1, 32, PUSH1, 0, LOG0, STOP])
        .finish()
}
