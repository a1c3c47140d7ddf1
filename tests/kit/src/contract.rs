//! The contracts that sample transactions call. Each does one thing, which its arm in [`Contract::code`] names.

use alloy_primitives::{Address, B256, Bytes, address, b256, keccak256};
use revm::bytecode::opcode::*;

use crate::assembler::Assembler;

/// `Transfer(address,address,uint256)`, of ERC-20 and ERC-721.
pub const TRANSFER: B256 = b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// `TransferSingle(address,address,address,uint256,uint256)`, of ERC-1155.
pub const TRANSFER_SINGLE: B256 = b256!("c3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62");
/// `TransferBatch(address,address,address,uint256[],uint256[])`, of ERC-1155.
pub const TRANSFER_BATCH: B256 = b256!("4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb");
/// `DepositEvent(bytes,bytes,bytes,bytes,bytes)` of the beacon deposit contract, EIP-6110.
pub const DEPOSIT_EVENT: B256 = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Mainnet's beacon deposit contract.
pub const DEPOSIT_CONTRACT: Address = address!("00000000219ab540356cbb839cbe05303d7705fa");

/// A contract that exists before the first sample block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contract {
    /// `(slot, value)`: stores the value in the slot, zero clears it.
    Ledger,
    /// `(a, b)`: stores the sum of slots a and b in slot 0.
    Adder,
    /// Emits five logs, with 0, 1, 2, 3 and 4 topics and 32, 64, .. 160 bytes of data.
    Herald,
    /// Stores, logs and then reverts with a reason of 32 bytes: nothing of it may stay.
    Reverter,
    /// Runs an opcode that does not exist and so burns all its gas.
    Burner,
    /// `(to, value)`: moves a balance kept in the slot of each address and emits an ERC-20 `Transfer`.
    Coin,
    /// `(to, id)`: keeps the owner in the slot of the id and emits an ERC-721 `Transfer`.
    Deed,
    /// `(to, data..)`: emits an ERC-1155 `TransferSingle` with the data behind `to`.
    Bazaar,
    /// `(to, data..)`: emits an ERC-1155 `TransferBatch` with the data behind `to`.
    BazaarBatch,
    /// `(heir)`: destroys itself in favour of the heir.
    Phoenix,
    /// Stores the hashes of the two blocks before this one in slots 1 and 2.
    Historian,
    /// `(account)`: logs whether EXTCODESIZE of the account is zero, its EXTCODEHASH and its BALANCE.
    Surveyor,
    /// Is looked at by [`Self::Surveyor`] and never run.
    Statue,
    /// `(hash, v, r, s)`: logs what ecrecover makes of it, and sha256 of the same bytes.
    Notary,
    /// Logs NUMBER, TIMESTAMP, PREVRANDAO, BASEFEE, COINBASE, GASLIMIT and CHAINID.
    Almanac,
    /// `(value, init code..)`: CREATE2 of the init code with salt 7, and logs the address.
    Factory,
    /// Logs BLOBHASH 0 and BLOBBASEFEE; Cancun and later.
    BlobReader,
    /// Stores and loads transiently, copies memory, logs the outcome; Cancun and later.
    Sketchpad,
    /// `(data..)`: logs its input as a `DepositEvent`; stands at the address of the beacon deposit contract.
    Deposits,
}

impl Contract {
    /// Every contract, in order.
    pub const ALL: [Self; 19] = [
        Self::Ledger,
        Self::Adder,
        Self::Herald,
        Self::Reverter,
        Self::Burner,
        Self::Coin,
        Self::Deed,
        Self::Bazaar,
        Self::BazaarBatch,
        Self::Phoenix,
        Self::Historian,
        Self::Surveyor,
        Self::Statue,
        Self::Notary,
        Self::Almanac,
        Self::Factory,
        Self::BlobReader,
        Self::Sketchpad,
        Self::Deposits,
    ];

    /// Where it stands, on every sample chain.
    pub fn address(self) -> Address {
        match self {
            Self::Deposits => DEPOSIT_CONTRACT,
            other => Address::from_slice(&keccak256(format!("refiner sample contract: {other:?}"))[12..]),
        }
    }

    /// Bytecode of the contract.
    pub fn code(self) -> Bytes {
        let asm = Assembler::new();
        match self {
            Self::Ledger => word(word(asm, 1), 0).ops(&[SSTORE, STOP]),
            Self::Adder => word(word(asm, 1).ops(&[SLOAD]), 0).ops(&[SLOAD, ADD]).push(0).ops(&[SSTORE, STOP]),
            Self::Herald => (0..=4u8).fold(asm, |asm, topics| {
                let asm = (0..topics).fold(asm, |asm, topic| asm.push(u64::from(topic) + 0xa0));
                asm.push(32 * (u64::from(topics) + 1)).push(0).ops(&[LOG0 + topics])
            }),
            Self::Reverter => asm
                .push(1)
                .push(9)
                .ops(&[SSTORE])
                .push(0)
                .push(0)
                .ops(&[LOG0])
                .push(0xdead)
                .push(0)
                .ops(&[MSTORE])
                .push(32)
                .push(0)
                .ops(&[REVERT]),
            Self::Burner => asm.ops(&[INVALID]),
            Self::Coin => {
                // balance[caller] -= value; balance[to] += value; data = value
                let asm = word(asm, 1).ops(&[CALLER, SLOAD, SUB, CALLER, SSTORE]);
                let asm = word(word(word(asm, 0).ops(&[SLOAD]), 1).ops(&[ADD]), 0).ops(&[SSTORE]);
                word(word(asm, 1).push(0).ops(&[MSTORE]), 0)
                    .ops(&[CALLER])
                    .push_word(TRANSFER)
                    .push(32)
                    .push(0)
                    .ops(&[LOG3, STOP])
            }
            Self::Deed => {
                let asm = word(word(asm, 0), 1).ops(&[SSTORE]);
                word(word(asm, 1), 0).ops(&[CALLER]).push_word(TRANSFER).push(0).push(0).ops(&[LOG4, STOP])
            }
            Self::Bazaar => multi_transfer(asm, TRANSFER_SINGLE),
            Self::BazaarBatch => multi_transfer(asm, TRANSFER_BATCH),
            Self::Phoenix => word(asm, 0).ops(&[SELFDESTRUCT]),
            Self::Historian => {
                (1..=2).fold(asm, |asm, back| asm.push(back).ops(&[NUMBER, SUB, BLOCKHASH]).push(back).ops(&[SSTORE]))
            }
            Self::Surveyor => [&[EXTCODESIZE, ISZERO][..], &[EXTCODEHASH], &[BALANCE]]
                .into_iter()
                .zip([0u64, 32, 64])
                .fold(asm, |asm, (opcodes, offset)| word(asm, 0).ops(opcodes).push(offset).ops(&[MSTORE]))
                .push(96)
                .push(0)
                .ops(&[LOG0]),
            Self::Statue => asm.push(0x57a7).ops(&[POP, INVALID]),
            Self::Notary => {
                let asm = asm.ops(&[CALLDATASIZE]).push(0).push(0).ops(&[CALLDATACOPY]);
                [(1, 128), (2, 160)]
                    .into_iter()
                    .fold(asm, |asm, (precompile, out)| {
                        asm.push(32).push(out).push(128).push(0).push(precompile).ops(&[GAS, STATICCALL, POP])
                    })
                    .push(64)
                    .push(128)
                    .ops(&[LOG0])
            }
            Self::Almanac => [NUMBER, TIMESTAMP, DIFFICULTY, BASEFEE, COINBASE, GASLIMIT, CHAINID]
                .into_iter()
                .zip((0u64..).step_by(32))
                .fold(asm, |asm, (opcode, offset)| asm.ops(&[opcode]).push(offset).ops(&[MSTORE]))
                .push(224)
                .push(0)
                .ops(&[LOG0]),
            Self::Factory => word(
                asm.push(32)
                    .ops(&[CALLDATASIZE, SUB, DUP1])
                    .push(32)
                    .push(0)
                    .ops(&[CALLDATACOPY])
                    .push(7)
                    .ops(&[SWAP1])
                    .push(0),
                0,
            )
            .ops(&[CREATE2])
            .push(0)
            .ops(&[MSTORE])
            .push(32)
            .push(0)
            .ops(&[LOG0]),
            Self::BlobReader => asm
                .push(0)
                .ops(&[BLOBHASH])
                .push(0)
                .ops(&[MSTORE, BLOBBASEFEE])
                .push(32)
                .ops(&[MSTORE])
                .push(64)
                .push(0)
                .ops(&[LOG0]),
            Self::Sketchpad => asm
                .push(0xcafe)
                .push(3)
                .ops(&[TSTORE])
                .push(3)
                .ops(&[TLOAD])
                .push(0)
                .ops(&[MSTORE])
                .push(32)
                .push(0)
                .push(32)
                .ops(&[MCOPY])
                .push(64)
                .push(0)
                .ops(&[LOG0]),
            Self::Deposits => asm
                .ops(&[CALLDATASIZE])
                .push(0)
                .push(0)
                .ops(&[CALLDATACOPY])
                .push_word(DEPOSIT_EVENT)
                .ops(&[CALLDATASIZE])
                .push(0)
                .ops(&[LOG1]),
        }
        .finish()
    }
}

/// Loads the argument at this position, 32 bytes each, onto the stack.
fn word(asm: Assembler, position: u64) -> Assembler {
    asm.push(32 * position).ops(&[CALLDATALOAD])
}

/// Emits `event` with operator and sender = caller, receiver = argument 0 and the rest of the input as data.
fn multi_transfer(asm: Assembler, event: B256) -> Assembler {
    let asm = asm.push(32).ops(&[CALLDATASIZE, SUB]).push(32).push(0).ops(&[CALLDATACOPY]);
    word(asm, 0).ops(&[CALLER, CALLER]).push_word(event).push(32).ops(&[CALLDATASIZE, SUB]).push(0).ops(&[LOG4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_topics_are_the_hashes_of_their_signatures() {
        let check = |topic, signature: &str| assert_eq!(topic, keccak256(signature), "{signature}");
        check(TRANSFER, "Transfer(address,address,uint256)");
        check(TRANSFER_SINGLE, "TransferSingle(address,address,address,uint256,uint256)");
        check(TRANSFER_BATCH, "TransferBatch(address,address,address,uint256[],uint256[])");
        check(DEPOSIT_EVENT, "DepositEvent(bytes,bytes,bytes,bytes,bytes)");
    }
}
