//! Reasons for which a proof is refused, and the reaction to each.

use alloy_sol_types::{Panic, PanicKind, Revert as ErrorString, SolError};

use crate::{
    bounds::Side,
    rpc::{NodeError, printable},
};

/// An objection of the contract, the EVM or the node to a proof. In the order in which the contract checks (docs/protocol.md, section 1.4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Revert {
    /// The contract's text is `Invalid specimen hash`.
    #[error("the specimen hash is zero")]
    SpecimenHash,
    /// The contract's text is `Invalid result hash`.
    #[error("the result hash is zero")]
    ResultHash,
    /// The contract's text is `Invalid storage URL`.
    #[error("the storage URL is empty")]
    StorageUrl,
    /// The contract's text is `Sender is not BLOCK_RESULT_PRODUCER_ROLE`.
    #[error("this key is not a block result producer on this contract")]
    Role,
    /// The contract's text is `Invalid chain ID`.
    #[error("the contract does not know this source chain")]
    ChainId,
    /// The contract's text is `Invalid block height`.
    #[error("the height is not one of those the contract takes")]
    Height,
    /// The contract's text is `Session submissions have closed`: finalised, or past the deadline.
    #[error("the session has closed")]
    SessionClosed,
    /// The chain's sync data is not set or lies in the future.
    #[error("the contract's arithmetic went wrong, panic {code:#04x}: its sync data is not set")]
    Arithmetic {
        /// 0x11 overflow, 0x12 division by zero.
        code: u64,
    },
    /// The contract's text is `Block height is out of bounds for live sync`.
    #[error("the height is out of the contract's bounds for live sync{}", .side.map_or("", Side::words))]
    OutOfBounds {
        /// On which side, once [`crate::LiveSync`] was asked.
        side: Option<Side>,
    },
    /// The contract's text is `Validator is not enabled`, at the opening of a session or later.
    #[error("the operator's validator is not enabled")]
    ValidatorDisabled,
    /// The contract's text is `Max submissions limit exceeded`.
    #[error("all submissions of this height are used")]
    SubmissionsUsed,
    /// The contract's text is `Operator already submitted for the provided block hash`.
    #[error("this specimen was already proven by this key")]
    AlreadySubmitted,
    /// The contract's text is `Session not past deadline`, to who would finalize it.
    #[error("the session takes proofs until its deadline")]
    SessionRunning,
    /// The contract's text is `Session cannot be finalized`.
    #[error("the session was finalized")]
    SessionFinalized,
    /// The contract's text is `Session not started`.
    #[error("no result of this height was proved")]
    SessionNotStarted,
    /// Before version 1.5 only.
    #[error("the operator has not staked enough")]
    Stake,
    /// No money for gas, in the words of the chain's runtime or the node.
    #[error("the account cannot pay for gas")]
    Unfunded,
    /// All gas was used.
    #[error("the gas limit was reached")]
    OutOfGas,
    /// Any other panic of Solidity.
    #[error("the contract panicked with {code:#04x}")]
    Panic {
        /// The panic code of Solidity.
        code: u64,
    },
    /// A dispatch error of a Substrate chain.
    #[error("the chain's runtime refused: {text}")]
    Runtime {
        /// The runtime's message, printable and bounded.
        text: String,
    },
    /// A reason that we do not know.
    #[error("the contract refused: {text}")]
    Other {
        /// The contract's message, printable and bounded.
        text: String,
    },
    /// No reason at all: no such function, or no contract.
    #[error("the contract reverted without a reason")]
    Silent,
    /// Of a transaction in a block alone: its receipt shows the revert, and no node repeats the call on the state of then. Nodes keep
    /// the state of the last blocks only.
    #[error("the contract refused the transaction in its block, and no node gives the reason")]
    Unexplained,
}

/// The caller's reaction to a refused proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The proof is on chain: commit.
    Done,
    /// It never will be: give this one up, keep the reason.
    Skip,
    /// It may be, later.
    Retry {
        /// Minutes rather than seconds: a person or another block has to come first.
        slow: bool,
    },
    /// No proof will be: pause proving, keep all work, alarm.
    Stop,
}

impl Side {
    fn words(self) -> &'static str {
        match self {
            Self::TooOld => ", too old",
            Self::TooNew => ", too new",
            Self::Within => ", and within them again",
        }
    }
}

impl Revert {
    /// The reaction to this revert.
    pub fn reaction(&self) -> Reaction {
        match self {
            Self::AlreadySubmitted | Self::SubmissionsUsed => Reaction::Done,
            Self::SpecimenHash
            | Self::ResultHash
            | Self::Height
            | Self::SessionClosed
            | Self::SessionFinalized
            | Self::SessionNotStarted => Reaction::Skip,
            Self::SessionRunning => Reaction::Retry { slow: true },
            Self::OutOfBounds { side: Some(Side::TooOld) } => Reaction::Skip,
            Self::OutOfBounds { side: Some(Side::TooNew) | None } => Reaction::Retry { slow: true },
            Self::OutOfBounds { side: Some(Side::Within) } => Reaction::Retry { slow: false },
            Self::StorageUrl | Self::OutOfGas => Reaction::Retry { slow: false },
            Self::Arithmetic { .. }
            | Self::Panic { .. }
            | Self::Runtime { .. }
            | Self::Other { .. }
            | Self::Silent
            | Self::Unexplained => Reaction::Retry { slow: true },
            Self::Role | Self::ChainId | Self::ValidatorDisabled | Self::Stake | Self::Unfunded => Reaction::Stop,
        }
    }

    /// Advice for a person, where there is any.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Role => Some(
                "check that the key is the registered operator's and the contract address is the BRP one; ask Covalent to add the operator",
            ),
            Self::ChainId => Some("check the network and the BRP contract address"),
            Self::ValidatorDisabled => {
                Some("check the validator's stake on Ethereum; proving goes on once it is enabled")
            }
            Self::Stake => Some("stake more, or use the contracts of version 1.5"),
            Self::Unfunded => Some("send gas money (GLMR on Moonbeam) to the operator's address"),
            Self::Arithmetic { .. } => Some("the contract's governor has to set the chain's sync data; ask Covalent"),
            Self::OutOfBounds { side: Some(Side::TooOld) } => {
                Some("the node or this machine is lagging behind; start from a later block")
            }
            Self::OutOfBounds { .. } => {
                Some("the contract's estimate of the source chain is behind; nothing to do but wait")
            }
            Self::StorageUrl => Some("the pinner answered without a content id; it is asked again"),
            Self::Silent => Some("check the BRP contract address"),
            Self::Unexplained => Some("a node that keeps old state, an archive node, could give the reason"),
            Self::SpecimenHash
            | Self::ResultHash
            | Self::Height
            | Self::SessionClosed
            | Self::SessionRunning
            | Self::SessionFinalized
            | Self::SessionNotStarted
            | Self::SubmissionsUsed
            | Self::AlreadySubmitted
            | Self::OutOfGas
            | Self::Panic { .. }
            | Self::Runtime { .. }
            | Self::Other { .. } => None,
        }
    }

    /// Reads a node's refusal of a call or an estimate: its data by ABI, else its text. `None` where it is about
    /// something else than the transaction.
    pub(crate) fn of(refusal: &NodeError) -> Option<Self> {
        if let Some(revert) = refusal.data.as_ref().and_then(|data| Self::of_data(data)) {
            return Some(revert);
        }
        let text = refusal.message.as_str();
        known(text).or_else(|| {
            let lower = text.to_lowercase();
            let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
            if says(&["out of gas", "gas required exceeds allowance", "intrinsic gas too low"]) {
                Some(Self::OutOfGas)
            } else if text.contains("ModuleError") {
                Some(Self::Runtime { text: printable(text) })
            } else if let Some(code) = panic_code(&lower) {
                Some(Self::of_panic(code))
            } else if says(&["revert", "invalid opcode"]) {
                Some(reason(text).map_or(Self::Silent, |text| Self::Other { text: printable(text) }))
            } else {
                None
            }
        })
    }

    /// Reads revert data; `None` where there is none or it is a custom error, which the contract has not.
    pub(crate) fn of_data(data: &[u8]) -> Option<Self> {
        if let Ok(error) = ErrorString::abi_decode(data) {
            return Some(known(&error.reason).unwrap_or_else(|| Self::Other { text: printable(&error.reason) }));
        }
        let panic = Panic::abi_decode(data).ok()?;
        Some(Self::of_panic(u64::try_from(panic.code).unwrap_or(u64::MAX)))
    }

    fn of_panic(code: u64) -> Self {
        match u32::try_from(code).ok().and_then(PanicKind::from_number) {
            Some(PanicKind::UnderOverflow | PanicKind::DivisionByZero) => Self::Arithmetic { code },
            _ => Self::Panic { code },
        }
    }
}

/// Meanings of revert strings, or of text around them.
const REASONS: [(&str, Revert); 19] = [
    ("Session not past deadline", Revert::SessionRunning),
    ("Session cannot be finalized", Revert::SessionFinalized),
    ("Session not started", Revert::SessionNotStarted),
    ("Invalid specimen hash", Revert::SpecimenHash),
    ("Invalid result hash", Revert::ResultHash),
    ("Invalid storage URL", Revert::StorageUrl),
    ("Sender is not BLOCK_RESULT_PRODUCER_ROLE", Revert::Role),
    ("Invalid chain ID", Revert::ChainId),
    ("Invalid block height", Revert::Height),
    ("Session submissions have closed", Revert::SessionClosed),
    ("Block height is out of bounds for live sync", Revert::OutOfBounds { side: None }),
    ("Validator is not enabled", Revert::ValidatorDisabled),
    ("Max submissions limit exceeded", Revert::SubmissionsUsed),
    ("Operator already submitted for the provided block hash", Revert::AlreadySubmitted),
    ("Insufficiently staked to submit", Revert::Stake),
    ("BalanceLow", Revert::Unfunded),
    ("insufficient funds", Revert::Unfunded),
    ("Insufficient funds", Revert::Unfunded),
    ("lack of funds", Revert::Unfunded),
];

fn known(text: &str) -> Option<Revert> {
    REASONS.iter().find(|(reason, _)| text.contains(reason)).map(|(_, revert)| revert.clone())
}

/// Hardhat's "panic code 0x12", anvil's "panic: division or modulo by zero (0x12)".
fn panic_code(lower: &str) -> Option<u64> {
    let (_, after) = lower.split_once("panic")?;
    let (_, digits) = after.split_once("0x")?;
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    u64::from_str_radix(&digits[..end], 16).ok()
}

/// The text behind "revert": `execution reverted: x`, `VM Exception while processing transaction: revert x`,
/// `reverted with reason string 'x'`.
fn reason(text: &str) -> Option<&str> {
    let (_, after) = text.rsplit_once("reason string '").or_else(|| text.split_once("revert"))?;
    let after = after.strip_prefix("ed").unwrap_or(after).trim_start_matches([':', ' ']).trim_end_matches('\'');
    (!after.is_empty()).then_some(after)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::rpc::refusal_of;

    /// `Error(string)` with "Max submissions limit exceeded".
    const USED: &str = concat!(
        "0x08c379a0",
        "0000000000000000000000000000000000000000000000000000000000000020",
        "000000000000000000000000000000000000000000000000000000000000001e",
        "4d6178207375626d697373696f6e73206c696d69742065786365656465640000",
    );
    /// `Panic(uint256)` with 0x12.
    const DIVISION: &str = "0x4e487b710000000000000000000000000000000000000000000000000000000000000012";

    fn check(error: &Value, expected: Option<&Revert>) {
        assert_eq!(Revert::of(&refusal_of(error)).as_ref(), expected, "{error}");
    }

    #[test]
    fn a_reason_is_found_in_every_envelope() {
        for error in [
            json!({"code": 3, "message": "execution reverted", "data": USED}),
            json!({"code": 3, "message": "execution reverted: Max submissions limit exceeded"}),
            json!({"code": -32603, "message": "VM Exception while processing transaction: revert", "data": USED}),
            json!({"code": -32603, "message": "VM Exception while processing transaction: revert Max submissions limit exceeded", "data": "0x"}),
            json!({"code": -32603, "message": "Internal error", "data": {"message": "x", "data": USED}}),
            json!({"code": -32603, "message": "Error: VM Exception while processing transaction: reverted with reason string 'Max submissions limit exceeded'"}),
            json!({"code": -32015, "message": "VM execution error.", "data": format!("Reverted {USED}")}),
            json!({"code": -32000, "message": "execution reverted", "data": {"result": USED}}),
        ] {
            check(&error, Some(&Revert::SubmissionsUsed));
        }
    }

    #[test]
    fn data_counts_more_than_text() {
        let error = json!({"code": 3, "message": "execution reverted: Invalid chain ID", "data": USED});
        check(&error, Some(&Revert::SubmissionsUsed));
    }

    #[test]
    fn panics_are_read_from_data_and_from_text() {
        for error in [
            json!({"code": 3, "message": "execution reverted", "data": DIVISION}),
            json!({"code": 3, "message": "execution reverted: panic: division or modulo by zero (0x12)"}),
            json!({"code": -32603, "message": "reverted with panic code 0x12 (Division or modulo division by zero)"}),
        ] {
            check(&error, Some(&Revert::Arithmetic { code: 0x12 }));
        }
        let other = json!({"code": 3, "message": "execution reverted", "data": DIVISION.replace("12", "32")});
        check(&other, Some(&Revert::Panic { code: 0x32 }));
    }

    #[test]
    fn the_runtime_of_a_substrate_chain_is_understood() {
        let low = "Module(ModuleError { index: 51, error: [0, 0, 0, 0], message: Some(\"BalanceLow\") })";
        check(&json!({"code": -32603, "message": low}), Some(&Revert::Unfunded));
        let other = "Module(ModuleError { index: 9, error: [7, 0, 0, 0], message: None })";
        check(&json!({"code": -32603, "message": other}), Some(&Revert::Runtime { text: other.to_owned() }));
    }

    #[test]
    fn an_unknown_reason_is_kept_and_no_reason_is_said_to_be_none() {
        let other = Revert::Other { text: "paused".to_owned() };
        check(&json!({"code": 3, "message": "execution reverted: paused"}), Some(&other));
        check(&json!({"code": 3, "message": "execution reverted", "data": "0x"}), Some(&Revert::Silent));
        check(&json!({"code": -32000, "message": "gas required exceeds allowance (0)"}), Some(&Revert::OutOfGas));
    }

    #[test]
    fn what_is_not_about_the_transaction_is_no_revert() {
        for message in ["header not found", "method not found", "rate limit exceeded", ""] {
            check(&json!({"code": -32000, "message": message}), None);
        }
        check(&json!({"code": 3, "message": null, "data": 7}), None);
    }

    #[test]
    fn a_hostile_reason_is_bounded_and_printable() {
        let message = format!("execution reverted: \u{1b}[2J{}", "x".repeat(10_000));
        let Some(Revert::Other { text }) = Revert::of(&refusal_of(&json!({"code": 3, "message": message}))) else {
            panic!("no reason");
        };
        assert!(text.len() <= 500 && !text.contains('\u{1b}'));
    }
}
