//! The proof chain: both contracts on an anvil, and what happens on it.

mod calls;

use alloy_primitives::{Address, B256, Bytes, U64, hex};
use alloy_sol_types::SolCall;
use serde_json::{Value, json};

use crate::{
    Anvil, Artifact, BLOCK_RESULT_PROOF_CHAIN, BLOCK_SPECIMEN_PROOF_CHAIN, Setup, TestChainError,
    anvil::or_skip,
    contracts::{GOVERNOR, STAKING_MANAGER},
};

/// The number of times that a receipt is asked for: some ten seconds.
const RECEIPT_QUESTIONS: usize = 10_000;
/// The chain id of every [`TestChain`].
const CHAIN_ID: u64 = 31_337;
/// Seconds between two blocks of a source chain that does not get on within a test.
pub(crate) const STANDS_STILL: u64 = 6_000_000;

/// Two contracts on an anvil of their own, set up by a [`Setup`].
#[derive(Debug)]
pub struct TestChain {
    anvil: Anvil,
    specimen_contract: Address,
    result_contract: Address,
}

/// A specimen to announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specimen {
    /// The chain it is of.
    pub chain_id: u64,
    /// Height of its block.
    pub height: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// sha256 of its quoted base64.
    pub specimen_hash: B256,
    /// URL that its proof states.
    pub url: String,
}

/// A transaction that was mined.
#[derive(Clone, Debug, PartialEq)]
pub struct Mined {
    /// Hash of the transaction.
    pub hash: B256,
    /// Number of its block.
    pub block: u64,
    /// The receipt as JSON.
    pub receipt: Value,
}

impl TestChain {
    /// Starts a chain with the default [`Setup`].
    ///
    /// # Errors
    ///
    /// [`TestChainError`].
    pub async fn start() -> Result<Self, TestChainError> {
        Self::with(&Setup::default()).await
    }

    /// As [`TestChain::start`]; on a machine without anvil and npm, where not even installing it is possible, prints so and
    /// gives `None`. Under CI that is an error.
    ///
    /// # Errors
    ///
    /// [`TestChainError`].
    pub async fn start_or_skip(setup: &Setup) -> Result<Option<Self>, TestChainError> {
        or_skip(Self::with(setup).await)
    }

    /// Starts anvil, deploys both contracts and sets them up.
    ///
    /// # Errors
    ///
    /// [`TestChainError`].
    pub async fn with(setup: &Setup) -> Result<Self, TestChainError> {
        let anvil = Anvil::start(&["--chain-id", &CHAIN_ID.to_string()])?;
        let specimen_contract = deploy(&anvil, BLOCK_SPECIMEN_PROOF_CHAIN).await?;
        let result_contract = deploy(&anvil, BLOCK_RESULT_PROOF_CHAIN).await?;
        let chain = Self { anvil, specimen_contract, result_contract };
        setup.apply(&chain).await?;
        Ok(chain)
    }

    /// Starts anvil where another stood, with both contracts at these addresses.
    ///
    /// # Errors
    ///
    /// [`TestChainError`].
    pub async fn resume(state: &[u8], contracts: [Address; 2]) -> Result<Self, TestChainError> {
        let anvil = Anvil::start(&["--chain-id", &CHAIN_ID.to_string()])?;
        anvil.rpc("anvil_loadState", json!([hex::encode_prefixed(state)])).await?;
        let [specimen_contract, result_contract] = contracts;
        Ok(Self { anvil, specimen_contract, result_contract })
    }

    /// The chain as it stands, for [`TestChain::resume`].
    ///
    /// # Errors
    ///
    /// [`TestChainError`].
    pub async fn state(&self) -> Result<Bytes, TestChainError> {
        let answer = self.anvil.rpc("anvil_dumpState", json!([])).await?;
        serde_json::from_value(answer.clone())
            .map_err(|_| TestChainError::Refused { method: "anvil_dumpState".to_owned(), error: answer })
    }

    /// Where the node listens, `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        self.anvil.url()
    }

    /// Process id of the node.
    pub fn pid(&self) -> u32 {
        self.anvil.pid()
    }

    /// Its chain id, 31337.
    pub const fn chain_id(&self) -> u64 {
        CHAIN_ID
    }

    /// Where specimens are announced.
    pub const fn specimen_contract(&self) -> Address {
        self.specimen_contract
    }

    /// Where results are proven.
    pub const fn result_contract(&self) -> Address {
        self.result_contract
    }

    /// Asks the node anything.
    ///
    /// # Errors
    ///
    /// What it refuses.
    pub async fn rpc(&self, method: &str, params: Value) -> Result<Value, TestChainError> {
        self.anvil.rpc(method, params).await
    }

    /// Sends a call from one of anvil's accounts and has it mined.
    ///
    /// # Errors
    ///
    /// [`TestChainError::Reverted`], and what the node refuses.
    pub async fn call<C: SolCall + Sync>(&self, from: Address, to: Address, call: &C) -> Result<Mined, TestChainError> {
        self.transact(from, to, call.abi_encode().into()).await
    }

    /// As [`TestChain::call`], with the call's bytes.
    ///
    /// # Errors
    ///
    /// As [`TestChain::call`].
    pub async fn transact(&self, from: Address, to: Address, data: Bytes) -> Result<Mined, TestChainError> {
        transact(&self.anvil, json!({"from": from, "to": to, "data": data})).await
    }

    /// Waits until a transaction is mined, whether it succeeded or not. Mining must be automatic.
    ///
    /// # Errors
    ///
    /// [`TestChainError::Answer`] when it is not after some seconds.
    pub async fn mined(&self, hash: B256) -> Result<Mined, TestChainError> {
        mined(&self.anvil, &json!(hash)).await
    }

    /// Removes an account's waiting transactions from the pool, and gives their number.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn drop_waiting(&self, sender: Address) -> Result<u64, TestChainError> {
        let count = async |block: &str| {
            let count = self.rpc("eth_getTransactionCount", json!([sender, block])).await?;
            Ok::<_, TestChainError>(number(&count).unwrap_or_default())
        };
        let waiting = count("pending").await?.saturating_sub(count("latest").await?);
        self.rpc("anvil_removePoolTransactions", json!([sender])).await?;
        Ok(waiting)
    }

    /// Adds empty blocks.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn mine(&self, blocks: u64) -> Result<(), TestChainError> {
        self.rpc("anvil_mine", json!([format!("{blocks:#x}")])).await.map(drop)
    }

    /// Whether transactions are mined as they come, which is so from the start.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn set_automine(&self, on: bool) -> Result<(), TestChainError> {
        self.rpc("evm_setAutomine", json!([on])).await.map(drop)
    }

    /// Replaces the newest blocks by as many others, which are empty.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn reorganise(&self, blocks: u64) -> Result<(), TestChainError> {
        self.rpc("anvil_reorg", json!([blocks, []])).await.map(drop)
    }

    /// Remembers the chain as it is.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn snapshot(&self) -> Result<Value, TestChainError> {
        self.rpc("evm_snapshot", json!([])).await
    }

    /// Goes back to a snapshot, which can be done once: blocks after it are gone.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn revert(&self, snapshot: Value) -> Result<(), TestChainError> {
        self.rpc("evm_revert", json!([snapshot])).await.map(drop)
    }

    /// Number of the newest block.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn head(&self) -> Result<u64, TestChainError> {
        let answer = self.rpc("eth_blockNumber", json!([])).await?;
        number(&answer).ok_or_else(|| TestChainError::Answer { method: "eth_blockNumber".to_owned(), answer })
    }

    /// Logs of one of the contracts since genesis, as the node writes them.
    ///
    /// # Errors
    ///
    /// What the node refuses.
    pub async fn logs(&self, contract: Address, topic: B256) -> Result<Vec<Value>, TestChainError> {
        let filter = json!([{"address": contract, "fromBlock": "0x0", "toBlock": "latest", "topics": [topic]}]);
        match self.rpc("eth_getLogs", filter).await? {
            Value::Array(logs) => Ok(logs),
            answer => Err(TestChainError::Answer { method: "eth_getLogs".to_owned(), answer }),
        }
    }
}

async fn deploy(anvil: &Anvil, contract: &'static str) -> Result<Address, TestChainError> {
    let code = Artifact::read(contract)?.creation(GOVERNOR, STAKING_MANAGER);
    let mined = transact(anvil, json!({"from": GOVERNOR, "data": code})).await?;
    let address = mined.receipt["contractAddress"].as_str().and_then(|text| text.parse().ok());
    address.ok_or(TestChainError::Answer { method: contract.to_owned(), answer: mined.receipt })
}

async fn transact(anvil: &Anvil, transaction: Value) -> Result<Mined, TestChainError> {
    let hash = anvil.rpc("eth_sendTransaction", json!([transaction])).await?;
    let mined = mined(anvil, &hash).await?;
    if mined.receipt["status"] != "0x1" {
        return Err(TestChainError::Reverted { hash: hash.to_string() });
    }
    Ok(mined)
}

/// anvil answers before it has mined. Asks until it has; each question takes it about a millisecond.
async fn mined(anvil: &Anvil, hash: &Value) -> Result<Mined, TestChainError> {
    let mut receipt = Value::Null;
    for _ in 0..RECEIPT_QUESTIONS {
        receipt = anvil.rpc("eth_getTransactionReceipt", json!([hash])).await?;
        let parsed = hash.as_str().and_then(|text| text.parse().ok()).zip(number(&receipt["blockNumber"]));
        if let Some((hash, block)) = parsed {
            return Ok(Mined { hash, block, receipt });
        }
    }
    Err(TestChainError::Answer { method: "eth_getTransactionReceipt".to_owned(), answer: receipt })
}

fn number(quantity: &Value) -> Option<u64> {
    quantity.as_str()?.parse::<U64>().ok().map(|number| number.to())
}
