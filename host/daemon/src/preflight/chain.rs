//! The contracts, the operator and the clock, by the proof chain.

use std::time::SystemTime;

use alloy_primitives::{Address, U256};
use refiner_diagnostics::ErrorChain;
use refiner_journal::KnownNonces;
use refiner_proofchain::{LiveSync, NonceAt, ProofChain, Revert, RpcError, Session};
use serde_json::json;

use super::Check;
use crate::observe::gas::PROOF_GAS;

/// Seconds by which the clock may be behind the newest block's time; nodes take blocks from some seconds ahead.
const CLOCK_BEHIND_MAX: u64 = 30;
/// The check for another user of the key.
pub const NONCES: &str = "nonces";
const CONTRACTS: &str = "compare --network, --specimen-contract and --result-contract with the network's";

/// Everything that the chain tells, about the operator where results are proved. Nothing more once a node fails.
pub async fn checks(
    chain: &ProofChain,
    source_chain: u64,
    operator: Option<Address>,
    low_balance: u64,
    known: Option<KnownNonces>,
) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Err(error) = ask(chain, source_chain, operator, low_balance, known, &mut checks).await {
        let remedy = "look at the node, or add another by --rpc";
        checks.push(Check::error("proof chain", ErrorChain(&error).to_string(), remedy));
    }
    checks
}

async fn ask(
    chain: &ProofChain,
    source_chain: u64,
    operator: Option<Address>,
    low_balance: u64,
    known: Option<KnownNonces>,
    checks: &mut Vec<Check>,
) -> Result<(), RpcError> {
    let (head, head_time) = chain.newest().await?;
    checks.push(clock(head_time, now()));
    let (data, metadata) = match (chain.chain_data(source_chain).await, chain.metadata().await) {
        (Ok(data), Ok(metadata)) => (data, metadata),
        (Err(error), _) | (_, Err(error)) => match error {
            RpcError::Abi { .. } | RpcError::Refused { .. } => {
                let detail = format!("the result contract answers otherwise than version 1.5: {}", ErrorChain(&error));
                checks.push(Check::error("contracts", detail, CONTRACTS));
                return Ok(());
            }
            error => return Err(error),
        },
    };
    let bound = LiveSync::at(head, &data, &metadata);
    let every = data.nthBlock.max(1);
    let height = bound.map_or(0, |bound| bound.estimate / every * every);
    let tried = chain.interfaces(operator.unwrap_or_default(), source_chain, height).await?;
    let contracts = if tried.is_swapped() {
        Check::error("contracts", "the specimen contract's address and the result contract's are swapped", CONTRACTS)
    } else if tried.lacks_results() {
        Check::error("contracts", "the result contract takes no proofs of results", CONTRACTS)
    } else if tried.specimen_takes_results {
        Check::error("contracts", "the specimen contract takes proofs of results, so it is not one", CONTRACTS)
    } else {
        let network = chain.network();
        Check::ok("contracts", format!("specimens {}, results {}", network.specimen_contract, network.result_contract))
    };
    let are_right = contracts.remedy.is_none();
    checks.push(contracts);
    let (true, Some(operator)) = (are_right, operator) else { return Ok(()) };
    checks.push(role(operator, tried.result.as_ref(), chain.is_enabled(operator).await?));
    let price: U256 = chain.rpc().call("eth_gasPrice", json!([])).await?;
    checks.push(balance(operator, chain.balance(operator).await?, price, low_balance));
    let session = Session { chain_id: source_chain, height, operator };
    checks.push(self::session(&session, bound, chain.is_session_open(&session).await?));
    let latest = chain.transaction_count(operator, NonceAt::Latest).await?;
    let pending = chain.transaction_count(operator, NonceAt::Pending).await?;
    checks.push(match foreign_transactions(latest, pending, known) {
        Some(detail) => Check::warning(NONCES, detail, ANOTHER_DAEMON),
        None => Check::ok(NONCES, known_transactions(latest, known)),
    });
    Ok(())
}

/// The remedy for a key that is used twice.
pub const ANOTHER_DAEMON: &str =
    "stop the other refiner or wallet that uses this key; after a journal was lost or restored, there is nothing to do";

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A block of the future is one of a clock that is behind. One of the past may be a chain that stands still.
fn clock(head: u64, now: u64) -> Check {
    match head.saturating_sub(now) {
        behind if behind > CLOCK_BEHIND_MAX => Check::warning(
            "clock",
            format!("{behind} s behind the newest block's time"),
            "set this machine's clock, and keep it by NTP",
        ),
        _ => Check::ok("clock", "not behind the newest block's time"),
    }
}

fn role(operator: Address, tried: Option<&Revert>, is_enabled: bool) -> Check {
    let refused = match tried {
        Some(revert @ (Revert::Role | Revert::ValidatorDisabled | Revert::Stake)) => Some(revert.clone()),
        _ => (!is_enabled).then_some(Revert::ValidatorDisabled),
    };
    match refused {
        Some(revert) => Check::error("operator", format!("{operator}: {revert}"), revert.hint().unwrap_or_default()),
        None => Check::ok("operator", format!("{operator} has the role, and its validator is enabled")),
    }
}

/// Warns of fewer than `low` proofs.
fn balance(operator: Address, wei: U256, price: U256, low: u64) -> Check {
    let cost = price.saturating_mul(U256::from(PROOF_GAS));
    let left: u64 = wei.checked_div(cost).map_or(u64::MAX, |left| left.saturating_to());
    let detail = match left {
        u64::MAX => "proofs cost nothing".to_owned(),
        left => format!("{left} proofs left at the present price of gas"),
    };
    let remedy = || format!("send the proof chain's coin to {operator}");
    match left {
        0 => Check::error("balance", detail, remedy()),
        left if left < low => Check::warning("balance", detail, remedy()),
        _ => Check::ok("balance", detail),
    }
}

fn session(session: &Session, bound: Option<LiveSync>, is_open: bool) -> Check {
    let Session { chain_id, height, .. } = session;
    match bound {
        None => Check::warning(
            "session",
            format!("the contract cannot tell which heights of chain {chain_id} it takes: its sync data is not set"),
            Revert::Arithmetic { code: 0x11 }.hint().unwrap_or_default(),
        ),
        Some(_) if is_open => {
            Check::ok("session", format!("proofs of recent blocks of chain {chain_id} are taken, such as {height}"))
        }
        Some(_) => Check::warning(
            "session",
            format!("the session of block {height} of chain {chain_id} is closed to this operator"),
            "nothing, where it was proved before; else compare with `refiner session show`",
        ),
    }
}

/// The operator's transactions where no other user of the key shows, and as far back as the journal tells.
fn known_transactions(latest: u64, known: Option<KnownNonces>) -> String {
    match known {
        Some(KnownNonces { whole_from, .. }) => {
            format!("{latest} transactions on chain; from nonce {whole_from} on, none that this journal does not know")
        }
        None if latest == 0 => "0 transactions on chain, none that this journal does not know".to_owned(),
        None => format!("{latest} transactions on chain, all from before this journal's first"),
    }
}

/// Transactions of the operator that the journal does not know, in words. Before the first proof every earlier one is of another time.
pub fn foreign_transactions(latest: u64, pending: u64, known: Option<KnownNonces>) -> Option<String> {
    let next = known.map_or(latest, |known| known.highest.saturating_add(1));
    let between = known.map_or(0, |known| known.foreign);
    let mined = latest.saturating_sub(next).saturating_add(between);
    let waiting = pending.saturating_sub(next.max(latest));
    match (mined, waiting) {
        (0, 0) => None,
        (0, waiting) => {
            Some(format!("{waiting} transactions of the operator that are not this daemon's wait in the pool"))
        }
        (mined, 0) => Some(format!("{mined} transactions of the operator on chain are not this daemon's")),
        (mined, waiting) => Some(format!(
            "{mined} transactions of the operator on chain and {waiting} in the pool are not this daemon's"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::State;

    #[test]
    fn clock_behind_the_chain_is_a_warning() {
        assert_eq!(clock(1_000, 5_000).state, State::Ok);
        assert_eq!(clock(5_000, 5_000 - CLOCK_BEHIND_MAX).state, State::Ok);
        let behind = clock(5_000, 4_000);
        assert_eq!((behind.state, behind.detail.as_str()), (State::Warning, "1000 s behind the newest block's time"));
    }

    #[test]
    fn session_that_is_closed_is_a_warning() {
        let of_block = Session { chain_id: 1, height: 30, operator: Address::ZERO };
        let bound = Some(LiveSync { estimate: 31, reach: 5 });
        assert_eq!(session(&of_block, bound, true).state, State::Ok);
        let closed = session(&of_block, bound, false);
        assert_eq!(closed.state, State::Warning);
        assert!(closed.detail.contains("block 30 of chain 1 is closed"), "{}", closed.detail);
        assert_eq!(session(&of_block, None, true).state, State::Warning);
    }

    #[test]
    fn balance_is_judged_in_proofs() {
        let proofs = |count: u64| U256::from(count) * U256::from(PROOF_GAS) * U256::from(7);
        let state = |wei| balance(Address::ZERO, wei, U256::from(7), 100).state;
        assert_eq!(state(proofs(100)), State::Ok);
        assert_eq!(state(proofs(100) - U256::from(1)), State::Warning);
        assert_eq!(state(proofs(1) - U256::from(1)), State::Error);
        assert_eq!(balance(Address::ZERO, U256::ZERO, U256::ZERO, 100).state, State::Ok);
    }

    #[test]
    fn transactions_that_the_journal_does_not_know_are_seen_on_chain_and_in_the_pool() {
        let foreign = |latest, pending, highest: Option<u64>| {
            let known = highest.map(|highest| KnownNonces { highest, whole_from: 0, foreign: 0 });
            foreign_transactions(latest, pending, known)
        };
        assert_eq!(foreign(0, 0, None), None);
        assert_eq!(foreign(7, 7, None), None, "a key may have been used before");
        assert_eq!(foreign(7, 7, Some(6)), None);
        assert_eq!(foreign(5, 7, Some(6)), None, "ours wait in the pool");
        assert_eq!(foreign(5, 5, Some(6)), None, "ours wait outside of the pool");
        assert!(foreign(7, 8, None).unwrap().starts_with("1 transactions of the operator that"));
        assert!(foreign(5, 8, Some(6)).unwrap().contains("wait in the pool"));
        assert!(foreign(9, 9, Some(6)).unwrap().starts_with("2 transactions of the operator on chain are"));
        assert!(foreign(9, 10, Some(6)).unwrap().contains("on chain and 1 in the pool"));
        let between = KnownNonces { highest: 164, whole_from: 0, foreign: 17 };
        let found = foreign_transactions(165, 165, Some(between)).unwrap();
        assert_eq!(found, "17 transactions of the operator on chain are not this daemon's");
    }

    #[test]
    fn transactions_are_known_as_far_back_as_the_journal_tells() {
        let known = KnownNonces { highest: 164, whole_from: 38, foreign: 0 };
        for (latest, known, expected) in [
            (0, None, "0 transactions on chain, none that this journal does not know"),
            (7, None, "7 transactions on chain, all from before this journal's first"),
            (165, Some(known), "165 transactions on chain; from nonce 38 on, none that this journal does not know"),
        ] {
            assert_eq!(known_transactions(latest, known), expected);
        }
    }
}
