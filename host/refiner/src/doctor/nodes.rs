//! The nodes of the proof chain, each checked as `refiner run` does.

use refiner_config::{ConfigError, Problem};
use refiner_diagnostics::{ErrorChain, Failure};
use refiner_proofchain::{NodeReport, ProofChain, Rpc, RpcLimits};
use tokio::runtime::Builder;

use super::{Finding, State};
use crate::{
    cli,
    run::{
        OLD, RunError,
        config::{self, Nodes},
    },
};

/// One finding a node; none where no node is configured.
pub fn findings(arguments: &cli::Run) -> Result<Vec<Finding>, Failure> {
    let Nodes { network, rpc, timeout } = match config::nodes(arguments) {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(nodes)) => nodes,
        Err(ConfigError { problems }) => {
            let finding = |problem: &Problem| Finding::new("proof chain", State::Bad, problem.to_string());
            return Ok(problems.iter().map(finding).collect());
        }
    };
    let rpc = Rpc::new(rpc, RpcLimits { timeout, retries: 0, ..RpcLimits::default() }).map_err(RunError::from)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::from)?;
    let connected = runtime.block_on(ProofChain::connect(rpc.clone(), network));
    let mut findings: Vec<_> = rpc.nodes().iter().map(|node| finding(node, connected.is_ok())).collect();
    if let Err(error) = connected {
        findings.push(Finding::new("proof chain", State::Bad, format!("no node can be used: {}", ErrorChain(&error))));
    }
    Ok(findings)
}

fn finding(node: &NodeReport, others_do: bool) -> Finding {
    let what = format!("node {}", node.endpoint);
    let age = node.head_age.unwrap_or_default();
    let head = node.head.map(|head| format!("newest block {head}, {} s old", age.as_secs()));
    match &node.set_aside {
        Some(reason) if reason.is_identity() || !others_do => Finding::new(what, State::Bad, reason.to_string()),
        Some(reason) => Finding::new(what, State::Weak, format!("{reason}; the others are asked")),
        None if !node.checked => Finding::new(what, State::Weak, "no answer yet"),
        None => {
            let state = if age >= OLD { State::Weak } else { State::Good };
            Finding::new(what, state, head.unwrap_or_default())
        }
    }
}
