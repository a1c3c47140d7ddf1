//! The words in which pools of transactions refuse, by what they are about.

use crate::rpc::NodeError;

/// The subject of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    AlreadyKnown,
    Banned,
    PoolFull,
    NonceTooLow,
    NonceTooHigh,
    Underpriced,
    InsufficientFunds,
    /// Each transaction can be paid for, all that wait together cannot.
    InsufficientForAll,
}

/// Wordings of nodes, in lower case: geth, anvil, erigon, nethermind, hardhat, Frontier in its own and in geth's words, and
/// Substrate's pool. The first that is found counts.
const GROUNDS: [(&str, Ground); 43] = [
    ("too low priority to replace", Ground::Underpriced),
    ("priority is too low", Ground::Underpriced),
    ("toolowpriority", Ground::Underpriced),
    ("too low priority", Ground::Underpriced),
    ("temporarilybanned", Ground::Banned),
    ("temporarily banned", Ground::Banned),
    ("already known", Ground::AlreadyKnown),
    ("already imported", Ground::AlreadyKnown),
    ("alreadyimported", Ground::AlreadyKnown),
    ("alreadyknown", Ground::AlreadyKnown),
    ("known transaction", Ground::AlreadyKnown),
    ("already in mempool", Ground::AlreadyKnown),
    ("already in the pool", Ground::AlreadyKnown),
    ("dropped due to limit", Ground::PoolFull),
    ("because of the limit", Ground::PoolFull),
    ("immediatelydropped", Ground::PoolFull),
    ("immediately dropped", Ground::PoolFull),
    ("txpool is full", Ground::PoolFull),
    ("pool is full", Ground::PoolFull),
    ("mempool is full", Ground::PoolFull),
    ("pool limit exceeded", Ground::PoolFull),
    ("underpriced", Ground::Underpriced),
    ("fee too low", Ground::Underpriced),
    ("feetoolow", Ground::Underpriced),
    ("price too low", Ground::Underpriced),
    ("gaspricetoolow", Ground::Underpriced),
    ("less than block base fee", Ground::Underpriced),
    ("cannot be lower than the block base fee", Ground::Underpriced),
    ("lower than the minimum", Ground::Underpriced),
    ("nonce too low", Ground::NonceTooLow),
    ("nonce is too low", Ground::NonceTooLow),
    ("nonce has already been used", Ground::NonceTooLow),
    ("oldnonce", Ground::NonceTooLow),
    ("transaction is outdated", Ground::NonceTooLow),
    ("invalidtransaction::stale", Ground::NonceTooLow),
    ("nonce too high", Ground::NonceTooHigh),
    ("nonce gap", Ground::NonceTooHigh),
    ("invalidtransaction::future", Ground::NonceTooHigh),
    ("overshot", Ground::InsufficientForAll),
    ("insufficient funds", Ground::InsufficientFunds),
    ("balancelow", Ground::InsufficientFunds),
    ("invalidtransaction::payment", Ground::InsufficientFunds),
    ("inability to pay some fees", Ground::InsufficientFunds),
];

/// The subject of a refusal; `None` for words that no known pool has.
pub(super) fn ground(refusal: &NodeError) -> Option<Ground> {
    let message = refusal.message.to_lowercase();
    GROUNDS.iter().find(|(text, _)| message.contains(text)).map(|(_, ground)| *ground)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_of_many_nodes_are_understood() {
        use Ground::{
            AlreadyKnown, Banned, InsufficientForAll, InsufficientFunds, NonceTooHigh, NonceTooLow, PoolFull,
            Underpriced,
        };
        for (message, expected) in [
            ("already known", Some(AlreadyKnown)),
            ("transaction already imported", Some(AlreadyKnown)),
            ("Known transaction: 0xab", Some(AlreadyKnown)),
            ("submit transaction to pool failed: Pool(AlreadyImported(Any { .. }))", Some(AlreadyKnown)),
            ("submit transaction to pool failed: Pool(TemporarilyBanned)", Some(Banned)),
            ("Transaction is temporarily banned", Some(Banned)),
            ("submit transaction to pool failed: Ok(ImmediatelyDropped)", Some(PoolFull)),
            ("queue dropped due to limit", Some(PoolFull)),
            ("Transaction couldn't enter the pool because of the limit", Some(PoolFull)),
            ("txpool is full", Some(PoolFull)),
            ("nonce too low: next nonce 4, tx nonce 3", Some(NonceTooLow)),
            ("Nonce too low. Expected nonce to be 4 but got 3.", Some(NonceTooLow)),
            (
                "submit transaction to pool failed: InvalidTransaction::Stale: Transaction is outdated",
                Some(NonceTooLow),
            ),
            (
                "submit transaction to pool failed: Pool(InvalidTransaction(InvalidTransaction::Stale))",
                Some(NonceTooLow),
            ),
            (
                "submit transaction to pool failed: Pool(InvalidTransaction(InvalidTransaction::Future))",
                Some(NonceTooHigh),
            ),
            ("Nonce too high. Expected nonce to be 4 but got 6.", Some(NonceTooHigh)),
            ("replacement transaction underpriced", Some(Underpriced)),
            ("submit transaction to pool failed: Pool(TooLowPriority { old: 27, new: 27 })", Some(Underpriced)),
            ("Transaction pool error: Too low priority (355 > 236)", Some(Underpriced)),
            ("transaction underpriced: gas tip cap 0, minimum needed 1", Some(Underpriced)),
            ("max fee per gas less than block base fee: address 0x1, maxFeePerGas: 1", Some(Underpriced)),
            (
                "Priority is too low: (1 vs 2): The transaction has too low priority to replace another transaction already in the pool.",
                Some(Underpriced),
            ),
            ("Insufficient funds for gas * price + value", Some(InsufficientFunds)),
            (
                "insufficient funds for gas * price + value: balance 9, queued cost 8, tx cost 4, overshot 3",
                Some(InsufficientForAll),
            ),
            (
                "submit transaction to pool failed: Pool(InvalidTransaction(InvalidTransaction::Payment))",
                Some(InsufficientFunds),
            ),
            ("Module(ModuleError { index: 51, error: [0], message: Some(\"BalanceLow\") })", Some(InsufficientFunds)),
            ("invalid chain id for signer", None),
            ("exceeds block gas limit", None),
        ] {
            let refusal = NodeError { code: -32000, message: message.to_owned(), data: None };
            assert_eq!(ground(&refusal), expected, "{message}");
        }
    }
}
