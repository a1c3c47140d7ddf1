//! Recordings of an execution, step by step.
//!
//! Step 0 is the work before the first transaction, step 1 the first transaction, and the last step the work after the last one.

use crate::{Access, AccountChange, B256, Frame, GasItem, SlotChange, host, page};

/// The bytes that are read of each input and output of a call. The host copies no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// None of them.
    Nothing,
    /// The first four: a method's selector.
    Selector,
    /// All of them.
    All,
}

impl Payload {
    pub(crate) const fn most(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Selector => 4,
            Self::All => u32::MAX,
        }
    }
}

/// The transaction of a step, where it is one of `transactions`.
fn transaction_of(step: u32, transactions: u32) -> Option<u32> {
    step.checked_sub(1).filter(|index| *index < transactions)
}

/// The calls of an execution. They stay with the host.
pub struct Frames {
    host: host::Frames,
    transactions: u32,
}

/// The calls of one step.
pub struct FrameStep<'a> {
    frames: &'a Frames,
    /// Its number: the block access index of EIP-7928.
    pub number: u32,
    /// The transaction's position in the block; `None` before the first and after the last one.
    pub transaction_index: Option<u32>,
}

impl Frames {
    pub(crate) const fn new(host: host::Frames, transactions: u32) -> Self {
        Self { host, transactions }
    }

    /// Enters the next step; `None` after the last one.
    pub fn next_step(&mut self) -> Option<FrameStep<'_>> {
        let number = self.host.next()?;
        Some(FrameStep { number, transaction_index: transaction_of(number, self.transactions), frames: self })
    }
}

impl FrameStep<'_> {
    /// Number of calls in the step.
    pub fn count(&self) -> u32 {
        self.frames.host.count()
    }

    /// Calls in the order in which they began: each stands after the one that made it.
    pub fn frames(&self) -> impl Iterator<Item = Frame> + use<'_> {
        page::items(|start, count| self.frames.host.page(start, count))
    }
}

impl Frame {
    /// Name of the instruction, `"CALL"`.
    pub const fn call_type(&self) -> &'static str {
        match self.opcode {
            0xf0 => "CREATE",
            0xf1 => "CALL",
            0xf2 => "CALLCODE",
            0xf4 => "DELEGATECALL",
            0xf5 => "CREATE2",
            0xfa => "STATICCALL",
            0xff => "SELFDESTRUCT",
            _ => "UNKNOWN",
        }
    }

    /// True when it moved wei from one account to another and was not undone.
    pub fn moves_value(&self) -> bool {
        // The value of these belongs to the frame around them.
        let own = !matches!(self.opcode, 0xf2 | 0xf4);
        own && !self.undone && self.value.is_some_and(|value| !value.is_zero())
    }
}

/// The differences of state of an execution. They stay with the host.
pub struct StateChanges {
    host: host::Changes,
    transactions: u32,
}

/// The differences of one step.
pub struct StateStep<'a> {
    changes: &'a StateChanges,
    /// Its number: the block access index of EIP-7928.
    pub number: u32,
    /// The transaction's position in the block; `None` before the first and after the last one.
    pub transaction_index: Option<u32>,
}

impl StateChanges {
    pub(crate) const fn new(host: host::Changes, transactions: u32) -> Self {
        Self { host, transactions }
    }

    /// Enters the next step; `None` after the last one.
    pub fn next_step(&mut self) -> Option<StateStep<'_>> {
        let number = self.host.next()?;
        Some(StateStep { number, transaction_index: transaction_of(number, self.transactions), changes: self })
    }
}

impl StateStep<'_> {
    /// Accounts that differ, by address.
    pub fn accounts(&self) -> impl Iterator<Item = AccountChange> + use<'_> {
        page::items(|start, count| self.changes.host.accounts(start, count))
    }

    /// Slots that differ, by address and slot.
    pub fn slots(&self) -> impl Iterator<Item = SlotChange> + use<'_> {
        page::items(|start, count| self.changes.host.slots(start, count))
    }

    /// Accounts and slots that were looked up, by address and slot, the account first.
    pub fn accesses(&self) -> impl Iterator<Item = Access> + use<'_> {
        page::items(|start, count| self.changes.host.accesses(start, count))
    }

    /// Code by its keccak256: the specimen's, or deployed up to this step.
    pub fn code(&self, hash: B256) -> Option<Vec<u8>> {
        self.changes.host.code(hash)
    }
}

/// The gas of an execution, by opcode and contract. It stays with the host.
pub struct GasProfile {
    host: host::Profile,
    transactions: u32,
}

/// The gas of one step.
pub struct GasStep<'a> {
    profile: &'a GasProfile,
    /// Its number: the block access index of EIP-7928.
    pub number: u32,
    /// The transaction's position in the block; `None` before the first and after the last one.
    pub transaction_index: Option<u32>,
}

impl GasProfile {
    pub(crate) const fn new(host: host::Profile, transactions: u32) -> Self {
        Self { host, transactions }
    }

    /// Enters the next step; `None` after the last one.
    pub fn next_step(&mut self) -> Option<GasStep<'_>> {
        let number = self.host.next()?;
        Some(GasStep { number, transaction_index: transaction_of(number, self.transactions), profile: self })
    }
}

impl GasStep<'_> {
    /// Gas by the address of the code, then by opcode. The items of a transaction add up to the gas in its receipt.
    pub fn items(&self) -> impl Iterator<Item = GasItem> + use<'_> {
        page::items(|start, count| self.profile.host.page(start, count))
    }
}

impl GasItem {
    /// The opcode; `None` for gas that no instruction used.
    pub fn opcode(&self) -> Option<u8> {
        u8::try_from(self.what).ok()
    }

    /// The mnemonic of the opcode, `"SLOAD"`, or one of `intrinsic`, `code deposit`, `precompile`, `lost`, `refund` and `floor`.
    /// An opcode without a mnemonic is `INVALID`.
    pub fn name(&self) -> &'static str {
        match self.what {
            256 => "intrinsic",
            257 => "code deposit",
            258 => "precompile",
            259 => "lost",
            260 => "refund",
            261 => "floor",
            what => mnemonic(what),
        }
    }
}

/// Mnemonics of the opcodes up to the fork Osaka, by the ranges in which they stand.
const fn mnemonic(what: u16) -> &'static str {
    const NAMES: [(u16, &[&str]); 12] = [
        (0x00, &["STOP", "ADD", "MUL", "SUB", "DIV", "SDIV", "MOD", "SMOD", "ADDMOD", "MULMOD", "EXP", "SIGNEXTEND"]),
        (
            0x10,
            &["LT", "GT", "SLT", "SGT", "EQ", "ISZERO", "AND", "OR", "XOR", "NOT", "BYTE", "SHL", "SHR", "SAR", "CLZ"],
        ),
        (0x20, &["KECCAK256"]),
        (
            0x30,
            &[
                "ADDRESS",
                "BALANCE",
                "ORIGIN",
                "CALLER",
                "CALLVALUE",
                "CALLDATALOAD",
                "CALLDATASIZE",
                "CALLDATACOPY",
                "CODESIZE",
                "CODECOPY",
                "GASPRICE",
                "EXTCODESIZE",
                "EXTCODECOPY",
                "RETURNDATASIZE",
                "RETURNDATACOPY",
                "EXTCODEHASH",
                "BLOCKHASH",
                "COINBASE",
                "TIMESTAMP",
                "NUMBER",
                "PREVRANDAO",
                "GASLIMIT",
                "CHAINID",
                "SELFBALANCE",
                "BASEFEE",
                "BLOBHASH",
                "BLOBBASEFEE",
            ],
        ),
        (
            0x50,
            &[
                "POP", "MLOAD", "MSTORE", "MSTORE8", "SLOAD", "SSTORE", "JUMP", "JUMPI", "PC", "MSIZE", "GAS",
                "JUMPDEST", "TLOAD", "TSTORE", "MCOPY", "PUSH0",
            ],
        ),
        (
            0x60,
            &[
                "PUSH1", "PUSH2", "PUSH3", "PUSH4", "PUSH5", "PUSH6", "PUSH7", "PUSH8", "PUSH9", "PUSH10", "PUSH11",
                "PUSH12", "PUSH13", "PUSH14", "PUSH15", "PUSH16", "PUSH17", "PUSH18", "PUSH19", "PUSH20", "PUSH21",
                "PUSH22", "PUSH23", "PUSH24", "PUSH25", "PUSH26", "PUSH27", "PUSH28", "PUSH29", "PUSH30", "PUSH31",
                "PUSH32",
            ],
        ),
        (
            0x80,
            &[
                "DUP1", "DUP2", "DUP3", "DUP4", "DUP5", "DUP6", "DUP7", "DUP8", "DUP9", "DUP10", "DUP11", "DUP12",
                "DUP13", "DUP14", "DUP15", "DUP16",
            ],
        ),
        (
            0x90,
            &[
                "SWAP1", "SWAP2", "SWAP3", "SWAP4", "SWAP5", "SWAP6", "SWAP7", "SWAP8", "SWAP9", "SWAP10", "SWAP11",
                "SWAP12", "SWAP13", "SWAP14", "SWAP15", "SWAP16",
            ],
        ),
        (0xa0, &["LOG0", "LOG1", "LOG2", "LOG3", "LOG4"]),
        (0xf0, &["CREATE", "CALL", "CALLCODE", "RETURN", "DELEGATECALL", "CREATE2"]),
        (0xfa, &["STATICCALL"]),
        (0xfd, &["REVERT", "INVALID", "SELFDESTRUCT"]),
    ];
    let mut range = 0;
    while range < NAMES.len() {
        let (first, names) = NAMES[range];
        if what >= first && ((what - first) as usize) < names.len() {
            return names[(what - first) as usize];
        }
        range += 1;
    }
    "INVALID"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_have_the_mnemonics_of_the_yellow_paper_and_others_have_none() {
        let name = |what| GasItem { code_address: None, what, times: 1, gas: 0 }.name();
        let known = [
            (0x00, "STOP"),
            (0x0b, "SIGNEXTEND"),
            (0x1e, "CLZ"),
            (0x20, "KECCAK256"),
            (0x44, "PREVRANDAO"),
            (0x4a, "BLOBBASEFEE"),
            (0x54, "SLOAD"),
            (0x5f, "PUSH0"),
            (0x7f, "PUSH32"),
            (0x8f, "DUP16"),
            (0x9f, "SWAP16"),
            (0xa4, "LOG4"),
            (0xf3, "RETURN"),
            (0xf5, "CREATE2"),
            (0xfa, "STATICCALL"),
            (0xfd, "REVERT"),
            (0xff, "SELFDESTRUCT"),
            (256, "intrinsic"),
            (261, "floor"),
        ];
        for (what, expected) in known {
            assert_eq!(name(what), expected, "{what:#x}");
        }
        for what in [0x0c, 0x1f, 0x21, 0x4b, 0xa5, 0xf6, 0xfe] {
            assert_eq!(name(what), "INVALID", "{what:#x}");
        }
    }
}
