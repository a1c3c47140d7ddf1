//! Contracts that do one thing each, and transactions to them.

use refiner_testchain::Anvil;
use serde_json::{Value, json};

/// Stores the second word of its call data in the slot that the first one names, logs and returns it.
const STORE: &str = "6020356000355560203560005260206000a060206000f3";
/// Stores, and reverts with the selector of `Error(string)`.
const REVERT: &str = "60016000556308c379a06000526004601cfd";
/// Destroys itself in favour of the account that its call data names.
const DESTROY: &str = "600035ff";
/// Destroys itself in favour of itself.
const DESTROY_TO_SELF: &str = "30ff";
/// Creates a contract from its call data twice, the second time by CREATE2.
const FACTORY: &str = "366000600037366000 34f050 600136600060 00f550 00";
/// Loops until its gas is gone.
const LOOP: &str = "5b600056";
/// Takes from an empty stack.
const UNDERFLOW: &str = "50";
/// Jumps to where it may not.
const BAD_JUMP: &str = "60ff56";

/// The contracts' addresses.
pub struct Contracts {
    accounts: Vec<String>,
    store: String,
    revert: String,
    delegate: String,
    call: String,
    factory: String,
    others: Vec<String>,
    /// One for each block and use.
    to_destroy: Vec<String>,
    to_destroy_itself: Vec<String>,
}

/// Init code that deploys this code.
fn init(code: &str) -> String {
    let code = code.replace(' ', "");
    format!("61{:04x}80600c6000396000f3{code}", code.len() / 2)
}

async fn deploy(anvil: &Anvil, from: &str, code: &str) -> String {
    let transaction = json!({"from": from, "data": format!("0x{}", init(code)), "gas": "0x200000", "value": "0x0"});
    let hash = anvil.rpc("eth_sendTransaction", json!([transaction])).await.unwrap();
    let receipt = anvil.rpc("eth_getTransactionReceipt", json!([hash])).await.unwrap();
    assert_eq!(receipt["status"], "0x1", "{code}");
    receipt["contractAddress"].as_str().unwrap().to_owned()
}

fn word(text: &str) -> String {
    format!("{:0>64}", text.trim_start_matches("0x"))
}

impl Contracts {
    pub async fn deploy(anvil: &Anvil) -> Self {
        let accounts = anvil.rpc("eth_accounts", json!([])).await.unwrap();
        let accounts: Vec<String> =
            accounts.as_array().unwrap().iter().map(|account| account.as_str().unwrap().to_owned()).collect();
        let from = accounts[0].clone();
        let store = deploy(anvil, &from, STORE).await;
        let at_store = store.trim_start_matches("0x");
        // The same by the code of another account, in its own storage.
        let delegate = format!("366000600037 60006000366000 73{at_store} 5af4 3d60006000 3e 3d6000f3");
        // A call with the value that came, two precompiles, and the code of another account without its value.
        let call = format!(
            "6000600060006000 34 600035 61c350 f150 60006000602060006004 5afa50 60006000602060006002 5afa50 60006000600060006000 73{at_store} 5af250 00"
        );
        let mut contracts = Self {
            revert: deploy(anvil, &from, REVERT).await,
            delegate: deploy(anvil, &from, &delegate).await,
            call: deploy(anvil, &from, &call).await,
            factory: deploy(anvil, &from, FACTORY).await,
            store,
            accounts,
            others: Vec::new(),
            to_destroy: Vec::new(),
            to_destroy_itself: Vec::new(),
        };
        for code in [LOOP, UNDERFLOW, BAD_JUMP, "fe"] {
            contracts.others.push(deploy(anvil, &from, code).await);
        }
        for _ in 0..8 {
            contracts.to_destroy.push(deploy(anvil, &from, DESTROY).await);
            contracts.to_destroy_itself.push(deploy(anvil, &from, DESTROY_TO_SELF).await);
        }
        contracts
    }

    /// Sends the transactions of a block.
    pub async fn send_all(&self, anvil: &Anvil, block: usize) {
        for round in 0..5 {
            let fresh = format!("0x{:040x}", 0x1000 + block * 100 + round);
            let unique = format!("{:064x}", 1 + block * 10 + round);
            let store = |slot: &str, value: &str| format!("0x{}{}", word(slot), word(value));
            let destroyer = init(DESTROY);
            let destroyed_at_once = format!("73{}ff", self.accounts[3].trim_start_matches("0x"));
            let place = block * 4 + round.min(3);
            let mut sent: Vec<(Option<&str>, String, u64)> = vec![
                (Some(&self.accounts[1]), "0x".to_owned(), 7),
                (Some(&fresh), "0x".to_owned(), 5),
                (Some(&fresh), "0x".to_owned(), 0),
                (Some(&self.store), store("1", &unique), 0),
                (Some(&self.store), store("1", &unique), 0),
                (Some(&self.store), store("1", "0"), 0),
                (Some(&self.store), store(&unique, "9"), 0),
                (Some(&self.revert), "0x".to_owned(), 0),
                (Some(&self.delegate), store("2", &unique), 0),
                (Some(&self.call), format!("0x{}", word(&self.store)), 3),
                (Some(&self.call), format!("0x{}", word(&self.revert)), 3),
                (Some(&self.call), format!("0x{}", word(&fresh)), 3),
                (Some(&self.call), format!("0x{}", word(&self.others[3])), 0),
                (Some(&self.factory), format!("0x{}", init(STORE)), 0),
                (Some(&self.factory), format!("0x{destroyer}{unique}"), 4),
                (Some(&self.factory), format!("0x{destroyed_at_once}"), 0),
                (Some(&self.factory), "0xfe".to_owned(), 0),
                (None, format!("0x{}", init(STORE)), 0),
                (None, "0xfe".to_owned(), 0),
                (None, "0x60ef60005360016000f3".to_owned(), 0),
                (Some("0x0000000000000000000000000000000000000002"), "0x1234".to_owned(), 0),
            ];
            sent.extend(self.others.iter().map(|contract| (Some(contract.as_str()), "0x".to_owned(), 0)));
            if round < 4 {
                sent.push((Some(&self.to_destroy[place]), format!("0x{}", word(&self.accounts[2])), 6));
                sent.push((Some(&self.to_destroy_itself[place]), "0x".to_owned(), 6));
            }
            for (position, (to, data, value)) in sent.into_iter().enumerate() {
                let from = &self.accounts[(position + round) % 3 + 4];
                let mut transaction =
                    json!({"from": from, "data": data, "value": format!("{value:#x}"), "gas": "0x40000"});
                if let Some(to) = to {
                    transaction["to"] = json!(to);
                }
                if position % 3 == 1 {
                    transaction["gasPrice"] = json!("0x77359400");
                    transaction["accessList"] =
                        json!([{"address": self.store, "storageKeys": [format!("0x{}", word("1"))]}]);
                }
                let hash: Value = anvil.rpc("eth_sendTransaction", json!([transaction])).await.unwrap();
                assert!(hash.is_string(), "{hash}");
            }
        }
    }
}
