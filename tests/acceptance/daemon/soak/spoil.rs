//! The faults of a round at the doubles of nodes, pool and pinner, and the counts of how often they were met.

use std::{collections::BTreeMap, sync::Arc};

use refiner_testchain::{
    AlreadyImported, Blooms, Fault, FaultyRpc, Lagging, LateLogs, LimitedRange, Meets, Met, OtherChain, OtherReceipts,
    Out, Stale, Swapped,
};
use refiner_testkit::pinner::Route;

use super::{
    kinds::{NodeFault, PoolFault},
    plan::NODES,
    play::Soak,
};

/// A fault of this round, and its count.
pub struct Playing {
    pub kind: String,
    pub met: Met,
}

impl Soak {
    pub fn node(&self, node: usize) -> &FaultyRpc {
        node.checked_sub(1).map_or(&self.bench.rpc, |other| &self.others[other])
    }

    /// Takes all faults away, and counts how often they were met.
    pub fn heal(&mut self) {
        for node in (0..NODES).map(|node| self.node(node)) {
            node.behave_well();
            for method in ["eth_blockNumber", "eth_getLogs", "eth_sendRawTransaction"] {
                node.heal(method);
            }
        }
        for route in [Route::Get, Route::Upload] {
            self.bench.pinner.mend(route);
        }
        let mut times = BTreeMap::<String, u64>::new();
        for Playing { kind, met } in self.playing.drain(..) {
            *times.entry(kind).or_default() += met.times();
        }
        if let Some((kind, route, before)) = self.pinner.take() {
            times.insert(kind, self.bench.pinner.faulted(route) - before);
        }
        times.iter().for_each(|(kind, times)| self.count(kind, *times));
    }

    pub fn count(&mut self, kind: &str, times: u64) {
        let tally = self.faults.entry(kind.to_owned()).or_default();
        tally.met += usize::from(times > 0);
        tally.times += times;
    }

    pub async fn fail(&mut self, node: usize, fault: NodeFault) {
        let head = self.bench.chain.head().await.unwrap();
        let nonce = self.bench.operator_nonce().await;
        let node = self.node(node);
        let met = match fault {
            NodeFault::Lagging => node.behave(&Arc::new(Lagging::at(head, Meets::Half))),
            NodeFault::LaggingLogs => node.behave(&Arc::new(Lagging::at(head, Meets::Logs))),
            NodeFault::LateLogs => node.behave(&Arc::new(LateLogs::up_to(head, true))),
            NodeFault::UnseenLogs => return self.leave_logs_out(head),
            NodeFault::Stale => node.behave(&Arc::new(Stale::at(head, nonce))),
            NodeFault::WrongChain => {
                let stranger = Arc::new(Swapped::until_asked(OtherChain { chain_id: 1, nonce: nonce + 50 }));
                let met = node.behave(&stranger);
                self.strangers.push(stranger);
                met
            }
            NodeFault::Out(outage) => node.behave(&Arc::new(Out(outage))),
            NodeFault::Limits(provider) => node.behave(&Arc::new(LimitedRange { provider, blocks: 3 })),
            NodeFault::Throttled => node.fail("eth_getLogs", Fault::Status(429)),
            NodeFault::NoReceipts => node.behave(&Arc::new(OtherReceipts::new(false))),
            NodeFault::OtherReceipts => node.behave(&Arc::new(OtherReceipts::new(true))),
            NodeFault::Hangs => node.fail("eth_blockNumber", Fault::Hang),
        };
        self.playing.push(Playing { kind: fault.kind(), met });
    }

    /// At every node: one that has the logs would be enough.
    pub fn leave_logs_out(&mut self, head: u64) {
        for node in 0..NODES {
            let node = self.node(node);
            node.behave(&Arc::new(Blooms::Zero));
            let met = node.behave(&Arc::new(LateLogs::up_to(head, false)));
            self.playing.push(Playing { kind: NodeFault::UnseenLogs.kind(), met });
        }
    }

    pub fn fail_pool(&mut self, fault: PoolFault) {
        for node in 0..NODES {
            let node = self.node(node);
            let met = match fault {
                PoolFault::Swallowed => node.fail_times("eth_sendRawTransaction", 2, Fault::Swallow),
                PoolFault::Refused(words) => node.fail_times("eth_sendRawTransaction", 2, words.fault()),
                PoolFault::AlreadyImported => node.behave(&Arc::new(AlreadyImported)),
                PoolFault::Emptied => return,
            };
            self.playing.push(Playing { kind: fault.kind(), met });
        }
    }
}
