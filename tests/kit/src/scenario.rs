//! Events of the sample blocks.

use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip4895::Withdrawal,
    eip7002, eip7251,
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use revm::bytecode::opcode::{INVALID, SELFDESTRUCT};

use crate::{
    Contract, Fork, Key, World,
    assembler::{Assembler, deploying},
    transaction::{Form, Plan},
};

/// 1 ether in wei.
pub(crate) const ETHER: u64 = 1_000_000_000_000_000_000;
/// Gas limit of a call that does little.
const CALL_GAS: u64 = 120_000;
/// Gas limit of a call that creates a contract or stores a lot.
const HEAVY_GAS: u64 = 400_000;

/// The people of the samples.
pub(crate) struct Cast {
    pub(crate) alice: Key,
    pub(crate) bob: Key,
    pub(crate) carol: Key,
    /// Has no account until she is paid.
    pub(crate) erin: Key,
}

impl Cast {
    pub(crate) fn assembled() -> Self {
        Self {
            alice: Key::named("alice"),
            bob: Key::named("bob"),
            carol: Key::named("carol"),
            erin: Key::named("erin"),
        }
    }

    const fn payers(&self) -> [Key; 3] {
        [self.alice, self.bob, self.carol]
    }
}

/// The world before the first block: payers have ether and coins, and some slots are set.
pub(crate) fn world(fork: Fork) -> World {
    let cast = Cast::assembled();
    let mut world = World::with_contracts(fork);
    for payer in cast.payers() {
        world.fund(payer.address(), U256::from(ETHER) * U256::from(100));
        world.store(Contract::Coin.address(), payer.address().into_word(), U256::from(1_000_000));
    }
    world.fund(Contract::Phoenix.address(), U256::from(7));
    for (contract, slot, value) in [(Contract::Ledger, 5, 55), (Contract::Adder, 1, 30), (Contract::Adder, 2, 12)] {
        world.store(contract.address(), B256::from(U256::from(slot)), U256::from(value));
    }
    world
}

/// The transactions that every fork allows, in forms 0 to 2.
pub(crate) fn everyday() -> Vec<Plan> {
    [payments(), contracts()].concat()
}

/// Transfers, coins, creations and storage.
pub(crate) fn payments() -> Vec<Plan> {
    let Cast { alice, bob, carol, erin } = Cast::assembled();
    let dynamic = || Form::DynamicFee(AccessList::default());
    let warmed = AccessList(vec![AccessListItem {
        address: Contract::Coin.address(),
        storage_keys: vec![bob.address().into_word(), carol.address().into_word()],
    }]);
    vec![
        transfer(alice, bob.address(), ETHER, Form::Legacy),
        transfer(bob, erin.address(), ETHER / 2, Form::LegacyUnprotected),
        transfer(carol, alice.address(), 1, dynamic()),
        call(carol, Contract::Coin, &[alice.address().into_word(), number(1_000)], dynamic()),
        call(bob, Contract::Coin, &[carol.address().into_word(), number(25)], Form::AccessList(warmed.clone())),
        call(alice, Contract::Coin, &[erin.address().into_word(), number(3)], Form::DynamicFee(warmed)),
        create(alice, deploying(&Contract::Ledger.code()), dynamic()),
        create(bob, deploying(&Contract::Herald.code()), Form::Legacy),
        create(carol, Bytes::from_static(&[INVALID]), Form::Legacy),
        call(alice, Contract::Ledger, &[number(6), number(66)], dynamic()),
        call(bob, Contract::Ledger, &[number(5), number(0)], Form::AccessList(AccessList::default())),
        call(carol, Contract::Adder, &[number(1), number(2)], Form::Legacy),
        call(carol, Contract::Adder, &[number(0), number(3)], dynamic()),
    ]
}

/// Logs, failures, token events, destruction, creation from inside, and all that a contract can look at.
pub(crate) fn contracts() -> Vec<Plan> {
    let Cast { alice, bob, carol, .. } = Cast::assembled();
    let dynamic = || Form::DynamicFee(AccessList::default());
    let heir = bob.address();
    let short_lived = Assembler::new().push_address(heir).ops(&[SELFDESTRUCT]).finish();
    vec![
        call(alice, Contract::Herald, &[], dynamic()),
        call(bob, Contract::Reverter, &[], dynamic()),
        call(bob, Contract::Burner, &[], Form::Legacy),
        call(carol, Contract::Deed, &[bob.address().into_word(), number(721)], dynamic()),
        call(alice, Contract::Bazaar, &[bob.address().into_word(), number(1_155), number(4)], dynamic()),
        call(alice, Contract::BazaarBatch, &batch(carol.address()), dynamic()),
        call(bob, Contract::Phoenix, &[heir.into_word()], dynamic()),
        heavy(carol, Contract::Factory, created_inside(0, &short_lived), dynamic()),
        heavy(carol, Contract::Factory, created_inside(0, &deploying(&Contract::Adder.code())), dynamic()),
        call(alice, Contract::Historian, &[], dynamic()),
        call(bob, Contract::Surveyor, &[Contract::Statue.address().into_word()], dynamic()),
        call(bob, Contract::Surveyor, &[Key::named("nobody").address().into_word()], dynamic()),
        call(carol, Contract::Notary, &signed_word(alice), dynamic()),
        call(alice, Contract::Almanac, &[], dynamic()),
    ]
}

/// Type 3 that looks at its own blob hash, and the opcodes that came with Cancun.
pub(crate) fn blobs(versioned_hash: B256) -> Vec<Plan> {
    let Cast { alice, bob, .. } = Cast::assembled();
    vec![
        call(alice, Contract::BlobReader, &[], Form::Blobs(vec![versioned_hash])),
        call(bob, Contract::Sketchpad, &[], Form::DynamicFee(AccessList::default())),
    ]
}

/// Type 3 whose outcome does not depend on its blob hashes.
pub(crate) fn indifferent_blobs(versioned_hash: B256) -> Vec<Plan> {
    let Cast { alice, bob, .. } = Cast::assembled();
    vec![
        call(alice, Contract::Ledger, &[number(8), number(88)], Form::Blobs(vec![versioned_hash, versioned_hash])),
        call(bob, Contract::Sketchpad, &[], Form::DynamicFee(AccessList::default())),
    ]
}

/// A deposit, a withdrawal request and a consolidation request: one EIP-7685 request of every type.
pub(crate) fn requests() -> Vec<Plan> {
    let Cast { alice, bob, carol, .. } = Cast::assembled();
    let exit = [vec![0x11; 48], vec![0; 8]].concat();
    let consolidation = [vec![0x22; 48], vec![0x33; 48]].concat();
    let to_predeploy = |from, to, input: Vec<u8>| Plan {
        from,
        to: Some(to),
        // More than the fee, which is 1 wei while the queue is short.
        value: U256::from(10),
        input: input.into(),
        gas: HEAVY_GAS,
        form: Form::DynamicFee(AccessList::default()),
    };
    vec![
        heavy(alice, Contract::Deposits, deposit_event_data().into(), Form::DynamicFee(AccessList::default())),
        to_predeploy(bob, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, exit),
        to_predeploy(carol, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, consolidation),
    ]
}

/// Type 4: a sender and a stranger adopt code, both are called, and the stranger then drops it again.
pub(crate) fn delegations() -> Vec<Plan> {
    let Cast { alice, bob, erin, .. } = Cast::assembled();
    let to = |from, to: Address, form| Plan {
        from,
        to: Some(to),
        value: U256::ZERO,
        input: Bytes::new(),
        gas: HEAVY_GAS,
        form,
    };
    let adopt = vec![(alice, Contract::Herald.address()), (erin, Contract::Almanac.address())];
    vec![
        to(alice, alice.address(), Form::SetCode(adopt)),
        to(bob, erin.address(), Form::DynamicFee(AccessList::default())),
        to(bob, erin.address(), Form::SetCode(vec![(erin, Address::ZERO)])),
    ]
}

/// Two withdrawals to an account that exists and one to an account that does not.
pub(crate) fn withdrawals() -> Vec<Withdrawal> {
    let Cast { alice, erin, .. } = Cast::assembled();
    let beneficiaries = [alice.address(), alice.address(), Key::named("validator").address(), erin.address()];
    (0u64..)
        .zip(beneficiaries)
        .map(|(position, address)| Withdrawal {
            index: 1_000_000 + position,
            validator_index: 500 + position,
            address,
            amount: 18_000_000 + position,
        })
        .collect()
}

/// `count` transactions of five kinds in turn, for blocks as heavy as one likes.
pub(crate) fn crowd(count: usize) -> Vec<Plan> {
    let payers = Cast::assembled().payers();
    let dynamic = || Form::DynamicFee(AccessList::default());
    (0..count)
        .zip(0u64..)
        .map(|(position, serial)| {
            let from = payers[position % payers.len()];
            let receiver = Address::from_slice(&keccak256(serial.to_be_bytes())[12..]);
            match position % 5 {
                0 => transfer(from, receiver, 1, dynamic()),
                1 => call(from, Contract::Coin, &[receiver.into_word(), number(1)], dynamic()),
                2 => call(from, Contract::Ledger, &[number(100 + serial), number(serial)], dynamic()),
                3 => call(from, Contract::Deed, &[receiver.into_word(), number(serial)], dynamic()),
                _ => call(from, Contract::Notary, &signed_word(from), dynamic()),
            }
        })
        .collect()
}

pub(crate) fn number(value: u64) -> B256 {
    U256::from(value).into()
}

pub(crate) fn transfer(from: Key, to: Address, wei: u64, form: Form) -> Plan {
    Plan { from, to: Some(to), value: U256::from(wei), input: Bytes::new(), gas: 21_000, form }
}

pub(crate) fn call(from: Key, contract: Contract, arguments: &[B256], form: Form) -> Plan {
    let input = arguments.concat().into();
    Plan { from, to: Some(contract.address()), value: U256::ZERO, input, gas: CALL_GAS, form }
}

pub(crate) fn heavy(from: Key, contract: Contract, input: Bytes, form: Form) -> Plan {
    Plan { from, to: Some(contract.address()), value: U256::ZERO, input, gas: HEAVY_GAS, form }
}

pub(crate) fn create(from: Key, init_code: Bytes, form: Form) -> Plan {
    Plan { from, to: None, value: U256::ZERO, input: init_code, gas: HEAVY_GAS, form }
}

/// Input of [`Contract::Factory`]: the value and then the init code.
fn created_inside(wei: u64, init_code: &[u8]) -> Bytes {
    [number(wei).as_slice(), init_code].concat().into()
}

/// Input of [`Contract::BazaarBatch`]: receiver, then ids 1 and 2 and amounts 10 and 20 in ABI form.
fn batch(receiver: Address) -> [B256; 9] {
    let [ids_offset, amounts_offset] = [number(64), number(160)];
    let two = number(2);
    [receiver.into_word(), ids_offset, amounts_offset, two, number(1), two, two, number(10), number(20)]
}

/// Input of [`Contract::Notary`]: a hash and its signature in ecrecover's order, with v as 27 or 28.
fn signed_word(key: Key) -> [B256; 4] {
    let hash = keccak256("what the notary is shown");
    let signature = key.sign(hash);
    [hash, number(27 + u64::from(signature.v())), signature.r().into(), signature.s().into()]
}

/// The data of a `DepositEvent`: five `bytes` of 48, 32, 8, 96 and 8 bytes in ABI form.
fn deposit_event_data() -> Vec<u8> {
    let fields: [&[u8]; 5] = [&[0x41; 48], &[0x42; 32], &[0x43; 8], &[0x44; 96], &[0x45; 8]];
    let mut heads = Vec::new();
    let mut tails = Vec::new();
    for field in fields {
        let padded = field.len().next_multiple_of(32);
        heads.extend_from_slice(U256::from(32 * fields.len() + tails.len()).to_be_bytes::<32>().as_slice());
        tails.extend_from_slice(U256::from(field.len()).to_be_bytes::<32>().as_slice());
        tails.extend_from_slice(field);
        tails.resize(tails.len() + padded - field.len(), 0);
    }
    [heads, tails].concat()
}
