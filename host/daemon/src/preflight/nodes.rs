//! The nodes of the proof chain, each by itself.

use std::time::Duration;

use refiner_diagnostics::{Diagnostic as _, ErrorChain};
use refiner_http_client::Egress;
use refiner_proofchain::{ChainError, Network, NodeReport, ProofChain, Rpc, RpcLimits};
use url::Url;

use super::Check;
use crate::observe::nodes::OLD;

/// The beginning of the names of checks of single nodes.
pub const PREFIX: &str = "node ";
/// Blocks that are asked for at once; a scan that catches up wants as many and more.
const RANGE_BLOCKS: u64 = 1_024;
const REMEDY: &str = "compare --network, --proof-chain-id and the contracts with the node behind --rpc";

/// One check a node. `others_do` when one of them can be used.
pub fn checks(rpc: &Rpc, others_do: bool) -> Vec<Check> {
    rpc.nodes().iter().map(|node| check(node, others_do)).collect()
}

fn check(node: &NodeReport, others_do: bool) -> Check {
    let of_node = format!("{PREFIX}{}", node.endpoint);
    match &node.set_aside {
        Some(reason) if reason.is_identity() => Check::error(of_node, reason.to_string(), REMEDY),
        Some(reason) if !others_do => {
            Check::error(of_node, reason.to_string(), "start the node, or name another by --rpc")
        }
        Some(reason) => {
            let detail = format!("{reason}; the others are asked");
            Check::warning(of_node, detail, "look at the node, or name another by --rpc")
        }
        None if !node.checked => Check::warning(of_node, "no answer yet", "look at the node if it stays so"),
        None => {
            let (head, age) = (node.head.unwrap_or_default(), node.head_age.unwrap_or_default());
            let detail = format!("newest block {head}, {} s old", age.as_secs());
            if age >= OLD {
                Check::warning(of_node, detail, "the node or its chain stands still; compare it with another")
            } else {
                Check::ok(of_node, detail)
            }
        }
    }
}

/// No node that can be used.
pub fn unusable(error: &ChainError) -> Check {
    let detail = format!("no node can be used: {}", ErrorChain(error));
    let remedy = match error {
        ChainError::Rpc(error) => error.hint().map(|hint| hint.to_string()),
        ChainError::WrongChain { .. } | ChainError::NoContract { .. } => Some(REMEDY.to_owned()),
    };
    Check::error("proof chain", detail, remedy.unwrap_or_else(|| "start a node, or name another by --rpc".to_owned()))
}

/// The ranges of blocks that each node takes, asked of each alone; none of a node that cannot be used.
pub async fn log_ranges(egress: &Egress, nodes: &[Url], network: &Network, timeout: Duration) -> Vec<Check> {
    let mut checks = Vec::new();
    for url in nodes {
        let limits = RpcLimits { timeout, retries: 0, ..RpcLimits::default() };
        let Ok(rpc) = Rpc::through(egress, [url.clone()], limits) else { continue };
        let Ok(chain) = ProofChain::connect(rpc, network.clone()).await else { continue };
        checks.push(log_range(&chain).await);
    }
    checks
}

async fn log_range(chain: &ProofChain) -> Check {
    let of_range = format!("log range of {}", chain.rpc().endpoint());
    let Err(long) = chain.try_range(RANGE_BLOCKS).await else {
        return Check::ok(of_range, format!("{RANGE_BLOCKS} blocks at once"));
    };
    let long = ErrorChain(&long).to_string();
    match chain.try_range(1).await {
        Ok(()) => {
            let detail = format!("fewer than {RANGE_BLOCKS} blocks at once: {long}");
            Check::warning(
                of_range,
                detail,
                "the scan asks for fewer, and catches up slowly; another provider may take more",
            )
        }
        Err(error) => {
            let remedy = "announcements cannot be read from this node; name another by --rpc";
            Check::error(of_range, format!("gives no logs: {}", ErrorChain(&error)), remedy)
        }
    }
}

/// The range that the scan asks for at present, and the provider's reason for a shorter one.
pub fn scanned_range(blocks: u64, shortened_by: Option<&str>) -> Check {
    match shortened_by {
        Some(reason) if blocks < RANGE_BLOCKS => Check::warning(
            "log range",
            format!("{blocks} blocks at once: {reason}"),
            "the scan catches up slowly; another provider may take more",
        ),
        _ => Check::ok("log range", "as long as the scan wants"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::State;

    #[test]
    fn range_of_the_scan_is_a_warning_while_a_provider_shortens_it() {
        let shortened = scanned_range(RANGE_BLOCKS - 1, Some("10 blocks at most"));
        assert_eq!(
            (shortened.state, shortened.detail.as_str()),
            (State::Warning, "1023 blocks at once: 10 blocks at most")
        );
        for (blocks, reason) in [(RANGE_BLOCKS, Some("10 blocks at most")), (1, None)] {
            assert_eq!(scanned_range(blocks, reason).state, State::Ok);
        }
    }

    #[test]
    fn node_is_a_warning_without_an_answer_and_with_an_old_block() {
        let rpc =
            Rpc::through(&Egress::default(), ["http://127.0.0.1:1".parse().unwrap()], RpcLimits::default()).unwrap();
        let mut node = rpc.nodes().remove(0);
        assert_eq!(check(&node, true).state, State::Warning, "not asked yet");
        (node.checked, node.head, node.head_age) = (true, Some(7), Some(OLD));
        let old = check(&node, true);
        assert_eq!((old.state, old.remedy.unwrap().contains("stands still")), (State::Warning, true));
        node.head_age = Some(OLD - Duration::from_secs(1));
        assert_eq!(check(&node, true).state, State::Ok);
    }
}
