//! Execution-layer requests (EIP-7685) and the system calls around a block.

use alloy_primitives::{Address, B256, Bytes, address, b256};
use revm::{context::TxEnv, handler::SystemCallTx};
use sha2::{Digest, Sha256};

use crate::{error::Rejected, execution::ExecutedLog};

/// EIP-4788: keeps the parent beacon block roots.
pub(crate) const BEACON_ROOTS: Address = address!("0x000f3df6d732807ef1319fb7b8bb8522d0beac02");
/// EIP-2935: keeps the parent hashes.
pub(crate) const HISTORY_STORAGE: Address = address!("0x0000f90827f1c53a10cb7a02335b175320002935");
/// EIP-7002: queues withdrawal requests.
pub(crate) const WITHDRAWAL_REQUESTS: Address = address!("0x00000961ef480eb55e80d19ad83579a64c007002");
/// EIP-7251: queues consolidation requests.
pub(crate) const CONSOLIDATION_REQUESTS: Address = address!("0x0000bbddc7ce488642fb579f8b00f3a590007251");

/// Gas of each system call, by every EIP that defines one.
const SYSTEM_CALL_GAS: u64 = 30_000_000;

/// A system call in the form the EVM wants. Its own has more gas.
pub(crate) fn system_transaction(contract: Address, data: Bytes) -> TxEnv {
    TxEnv { gas_limit: SYSTEM_CALL_GAS, ..TxEnv::new_system_tx(contract, data) }
}

/// EIP-6110, 7002, 7251.
pub(crate) const DEPOSIT_TYPE: u8 = 0;
pub(crate) const WITHDRAWAL_TYPE: u8 = 1;
pub(crate) const CONSOLIDATION_TYPE: u8 = 2;

/// keccak256 of `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_EVENT: B256 = b256!("0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");

/// Size of a deposit event's data: five offsets and five padded byte strings.
const DEPOSIT_EVENT_BYTES: usize = 576;

/// Where each byte string of a deposit event begins (its length word) and how long it is: public key, withdrawal
/// credentials, amount, signature, index. EIP-6110 accepts no other arrangement.
const DEPOSIT_FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];

/// The bytes of an ABI word.
const WORD: usize = 32;

/// Appends the deposit requests among one transaction's logs to `deposits`.
pub(crate) fn collect_deposits(
    logs: &[ExecutedLog],
    contract: Address,
    deposits: &mut Vec<u8>,
) -> Result<(), Rejected> {
    for log in logs.iter().filter(|log| log.address == contract && log.topics.first() == Some(&DEPOSIT_EVENT)) {
        append_deposit(&log.data, deposits).ok_or(Rejected::DepositEvent { contract })?;
    }
    Ok(())
}

fn append_deposit(data: &[u8], deposits: &mut Vec<u8>) -> Option<()> {
    if data.len() != DEPOSIT_EVENT_BYTES {
        return None;
    }
    for (index, (offset, length)) in DEPOSIT_FIELDS.into_iter().enumerate() {
        let states = |at: usize, value: usize| data.get(at..at + WORD).is_some_and(|word| is_number(word, value));
        if !states(index * WORD, offset) || !states(offset, length) {
            return None;
        }
        deposits.extend_from_slice(data.get(offset + WORD..offset + WORD + length)?);
    }
    Some(())
}

fn is_number(word: &[u8], value: usize) -> bool {
    let (high, low) = word.split_at(WORD - size_of::<u64>());
    high.iter().all(|byte| *byte == 0) && low == (value as u64).to_be_bytes()
}

/// `requestsHash`: sha256 over the sha256 of each request, type byte in front.
pub(crate) fn requests_hash(requests: &[Vec<u8>]) -> B256 {
    let mut outer = Sha256::new();
    for request in requests {
        outer.update(Sha256::digest(request));
    }
    B256::from_slice(&outer.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A deposit event with each field filled by its own number.
    fn event() -> Vec<u8> {
        let mut data = vec![0; DEPOSIT_EVENT_BYTES];
        for (index, (offset, length)) in DEPOSIT_FIELDS.into_iter().enumerate() {
            data[index * WORD + 30..][..2].copy_from_slice(&u16::try_from(offset).unwrap().to_be_bytes());
            data[offset + 30..][..2].copy_from_slice(&u16::try_from(length).unwrap().to_be_bytes());
            data[offset + WORD..][..length].fill(u8::try_from(index + 1).unwrap());
        }
        data
    }

    #[test]
    fn a_deposit_event_becomes_its_five_fields_in_a_row() {
        let mut deposits = Vec::new();
        append_deposit(&event(), &mut deposits).unwrap();
        let expected = [vec![1; 48], vec![2; 32], vec![3; 8], vec![4; 96], vec![5; 8]].concat();
        assert_eq!(deposits, expected);
    }

    #[test]
    fn a_deposit_event_arranged_otherwise_is_refused() {
        let spoiled = |at: usize, value: u8| {
            let mut data = event();
            data[at] = value;
            data
        };
        let mut longer = event();
        longer.push(0);
        for data in [spoiled(31, 161), spoiled(191, 49), spoiled(0, 1), spoiled(160, 1), longer, Vec::new()] {
            assert_eq!(append_deposit(&data, &mut Vec::new()), None);
        }
    }

    #[test]
    fn only_the_contracts_own_deposit_events_count() {
        let contract = Address::repeat_byte(7);
        let log = |address, topic| ExecutedLog { address, topics: vec![topic], data: event().into() };
        let logs = [
            log(contract, DEPOSIT_EVENT),
            log(Address::repeat_byte(8), DEPOSIT_EVENT),
            log(contract, B256::repeat_byte(9)),
        ];
        let mut deposits = Vec::new();
        collect_deposits(&logs, contract, &mut deposits).unwrap();
        assert_eq!(deposits.len(), 192);
    }

    #[test]
    fn the_hash_of_no_requests_is_that_of_nothing() {
        // EIP-7685: sha256 of the empty string.
        let empty = b256!("0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(requests_hash(&[]), empty);
    }
}
