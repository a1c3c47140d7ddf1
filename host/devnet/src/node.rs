//! The node: an anvil in which a few accounts need no key.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use refiner_http_client::Egress;
use serde_json::{Value, json};
use tokio::time::sleep;
use url::Url;

use crate::{children::Children, error::DevnetError};

/// The chain id of anvil.
pub const CHAIN_ID: u64 = 31_337;
/// The node's name among the processes.
const NAME: &str = "node";
/// Time limit for the node to answer at first, and for a transaction to be mined.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);
/// Blocks whose states are kept; anvil moves further ones to disk without end.
const STATES: &str = "256";
/// With troubles the chain's clock is this far behind: a head counts as frozen once it is ten minutes old, and so is after seconds.
const BEHIND: Duration = Duration::from_secs(592);
/// Wei for one gas: one gwei.
const BASE_FEE: u64 = 1_000_000_000;
/// Enough for any of our calls. Nothing is estimated: a session that is not over yet would be refused.
const GAS: u64 = 5_000_000;

/// The node of the proof chain.
pub struct Node {
    http: reqwest::Client,
    url: String,
    /// Where a node that was started here listens.
    address: Option<SocketAddr>,
}

/// The program: as named, on PATH, or where the tests of a clone installed it.
pub fn find(named: Option<&Path>) -> Result<PathBuf, DevnetError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let path = refiner_environment::variable("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("anvil")).find(|file| file.is_file());
    // npm's own `anvil` is a script that starts one of these.
    let packages = fs::read_dir("target/node/node_modules/@foundry-rs").into_iter().flatten().flatten();
    let of_clone = || packages.map(|package| package.path().join("bin/anvil")).find(|program| program.is_file());
    on_path.or_else(of_clone).ok_or(DevnetError::NoAnvil)
}

impl Node {
    /// Starts a node and waits until it answers.
    pub async fn start(program: &Path, with_faults: bool, children: &mut Children) -> Result<Self, DevnetError> {
        let address = free_port(Ipv4Addr::LOCALHOST.into(), 0).map_err(DevnetError::System)?;
        let mut command = Command::new(program);
        command
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--chain-id", &CHAIN_ID.to_string(), "--prune-history", STATES, "--silent"])
            .arg("--cache-path")
            .arg(children.log(NAME).with_extension("states"));
        if with_faults {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            command.args(["--timestamp", &now.saturating_sub(BEHIND).as_secs().to_string()]);
        }
        children.start(NAME, &mut command)?;
        Self::reach(format!("http://{address}"), Some(address), children).await
    }

    /// A node that runs already.
    pub async fn at(url: &Url, children: &mut Children) -> Result<Self, DevnetError> {
        Self::reach(url.to_string(), None, children).await
    }

    async fn reach(url: String, address: Option<SocketAddr>, children: &mut Children) -> Result<Self, DevnetError> {
        let http = Egress::default().builder().build();
        let http = http.map_err(|source| DevnetError::Node { method: "connect", source })?;
        let node = Self { http, url, address };
        let begun = Instant::now();
        while node.rpc("eth_chainId", json!([])).await.is_err() {
            children.all_run()?;
            if begun.elapsed() > PATIENCE {
                return Err(children.silent(NAME, PATIENCE));
            }
            sleep(LOOK).await;
        }
        Ok(node)
    }

    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on a block comes each second, whether anything is in it or not.
    pub async fn mine_each_second(&self) -> Result<(), DevnetError> {
        self.rpc("evm_setAutomine", json!([false])).await?;
        self.set_seconds_between_blocks(1).await
    }

    /// The time between two blocks; 0 for none until it is set again.
    pub async fn set_seconds_between_blocks(&self, seconds: u64) -> Result<(), DevnetError> {
        self.rpc("evm_setIntervalMining", json!([seconds])).await.map(drop)
    }

    /// Keeps the price of gas as on a chain that is in use: blocks that are nearly empty would take it to nothing.
    pub async fn keep_base_fee(&self) -> Result<(), DevnetError> {
        self.rpc("anvil_setNextBlockBaseFeePerGas", json!([U256::from(BASE_FEE)])).await.map(drop)
    }

    pub async fn set_balance(&self, account: Address, wei: U256) -> Result<(), DevnetError> {
        self.rpc("anvil_setBalance", json!([account, wei])).await.map(drop)
    }

    pub async fn head(&self) -> Result<u64, DevnetError> {
        self.number("eth_blockNumber", json!([])).await
    }

    /// Sends a transaction and does not wait for it.
    pub async fn send(&self, from: Address, to: Option<Address>, data: Bytes) -> Result<B256, DevnetError> {
        let gas = U64::from(GAS);
        let transaction = match to {
            Some(to) => json!({ "from": from, "to": to, "data": data, "gas": gas }),
            None => json!({ "from": from, "data": data, "gas": gas }),
        };
        let method = "eth_sendTransaction";
        let answer = self.rpc(method, json!([transaction])).await?;
        serde_json::from_value(answer.clone()).map_err(|_| DevnetError::Refused { method, error: answer })
    }

    /// Sends a transaction that must succeed, and gives its receipt.
    pub async fn transact(&self, from: Address, to: Option<Address>, data: Bytes) -> Result<Value, DevnetError> {
        let hash = self.send(from, to, data).await?;
        let begun = Instant::now();
        loop {
            let receipt = self.rpc("eth_getTransactionReceipt", json!([hash])).await?;
            match (receipt["status"].as_str(), begun.elapsed() > PATIENCE) {
                (Some("0x1"), _) => return Ok(receipt),
                (None, false) => sleep(LOOK).await,
                _ => return Err(DevnetError::Setup { receipt }),
            }
        }
    }

    async fn number(&self, method: &'static str, params: Value) -> Result<u64, DevnetError> {
        let answer = self.rpc(method, params).await?;
        let number: Option<U64> = serde_json::from_value(answer.clone()).ok();
        number.map(|number| number.to()).ok_or(DevnetError::Refused { method, error: answer })
    }

    async fn rpc(&self, method: &'static str, params: Value) -> Result<Value, DevnetError> {
        let failed = |source| DevnetError::Node { method, source };
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let response = self.http.post(&self.url).json(&body).send().await.map_err(failed)?;
        let mut answer: Value = response.json().await.map_err(failed)?;
        match answer.get_mut("error") {
            Some(error) => Err(DevnetError::Refused { method, error: error.take() }),
            None => Ok(answer["result"].take()),
        }
    }
}

/// An address with this port, or with another where it is taken.
pub fn free_port(address: std::net::IpAddr, wanted: u16) -> std::io::Result<SocketAddr> {
    TcpListener::bind((address, wanted)).or_else(|_| TcpListener::bind((address, 0)))?.local_addr()
}
