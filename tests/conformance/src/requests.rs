//! EIP-7685 requests: deposits out of logs (EIP-6110), and what the two system contracts return (EIP-7002, EIP-7251).

use alloy_primitives::{Address, B256, Bytes, Log, address, b256};

/// EIP-6110 on mainnet, which the tests use too.
const DEPOSIT_CONTRACT: Address = address!("0x00000000219ab540356cbb839cbe05303d7705fa");
/// keccak256 of `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_EVENT: B256 = b256!("0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Bytes of a deposit event's data.
const EVENT_BYTES: usize = 576;
/// Position of the length word, and length, of public key, withdrawal credentials, amount, signature and index.
const FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];

/// A deposit event that EIP-6110 does not allow: a block with one is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed deposit event")]
pub struct MalformedDeposit;

/// The deposits among logs, in a row.
pub fn deposits<'a>(logs: impl Iterator<Item = &'a Log>) -> Result<Bytes, MalformedDeposit> {
    let mut deposits = Vec::new();
    for log in logs.filter(|log| log.address == DEPOSIT_CONTRACT && log.topics().first() == Some(&DEPOSIT_EVENT)) {
        let data = &log.data.data;
        if data.len() != EVENT_BYTES {
            return Err(MalformedDeposit);
        }
        for (index, (offset, length)) in FIELDS.into_iter().enumerate() {
            let word =
                |at: usize| data[at..at + 32].iter().fold(0_u128, |value, byte| (value << 8) | u128::from(*byte));
            if word(index * 32) != offset as u128 || word(offset) != length as u128 {
                return Err(MalformedDeposit);
            }
            deposits.extend_from_slice(&data[offset + 32..offset + 32 + length]);
        }
    }
    Ok(deposits.into())
}

/// Requests by type, each with its type in front; empty ones are left out.
pub fn typed(by_type: [Bytes; 3]) -> Vec<Bytes> {
    let some = (0_u8..).zip(by_type).filter(|(_, data)| !data.is_empty());
    some.map(|(kind, data)| [&[kind], data.as_ref()].concat().into()).collect()
}
