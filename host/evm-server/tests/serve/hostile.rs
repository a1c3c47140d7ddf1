//! Blocks that take as long as they are let.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use refiner_testkit::samples;
use serde_json::{Value, json};

use crate::server::json;

/// Makes 64 KiB of memory, then hashes them without end: `JUMPDEST PUSH3 65536 PUSH1 0 KECCAK256 POP PUSH1 0 JUMP`.
const HASHES: [u8; 12] = [0x5b, 0x62, 0x01, 0x00, 0x00, 0x60, 0x00, 0x20, 0x50, 0x60, 0x00, 0x56];
/// More than any bound.
const GAS: u64 = 1_000_000_000_000;

/// A block with one transaction, which never ends by itself.
pub fn endless() -> Vec<u8> {
    block_that_runs(&HASHES, GAS).to_string().into_bytes()
}

/// Stores what BLOBBASEFEE answers, in a block with this much excess blob gas and a transaction of this much gas.
pub fn asks_for_the_blob_price(excess_blob_gas: u64, gas: u64) -> Vec<u8> {
    let mut block = block_that_runs(&[0x4a, 0x60, 0x00, 0x55, 0x00], gas);
    block["Header"]["excessBlobGas"] = excess_blob_gas.into();
    block.to_string().into_bytes()
}

/// A block of Cancun or later of one transaction with this much gas, which runs `code`.
fn block_that_runs(code: &[u8], gas: u64) -> Value {
    let cancun = samples().unwrap().into_iter().map(|sample| json(&sample)).map(|json| serde_json::from_slice(&json));
    let mut block: Value = cancun.map(Result::unwrap).find(is_cancun).unwrap();
    let (sender, contract) = (Address::repeat_byte(0xaa), Address::repeat_byte(0xcc));
    let account = |address: Address, balance: &str, code_hash: B256| json!({ "Address": address, "Nonce": 0, "Balance": balance, "CodeHash": code_hash });
    block["Header"]["gasLimit"] = gas.into();
    block["Header"]["blobGasUsed"] = 0.into();
    block["Transactions"] = json!([{
        "type": 0, "accessList": [], "chainId": "0x1", "nonce": 0, "gasPrice": block["Header"]["baseFeePerGas"], "gasTipCap": "0x0",
        "gasFeeCap": "0x0", "gas": gas, "from": null, "to": contract, "v": "0x25", "r": "0x1", "s": "0x1", "value": "0x0", "input": "",
        "blobFeeCap": null, "blobHashes": null, "blobGas": null,
    }]);
    block["Senders"] = json!([sender]);
    block["Receipts"] = json!([]);
    let code = Bytes::copy_from_slice(code);
    block["State"] = json!({
        "AccountRead": [
            account(sender, "0xffffffffffffffffffffffffffff", keccak256([])),
            account(contract, "0x0", keccak256(&code)),
        ],
        "StorageRead": [],
        "CodeRead": [{ "Hash": keccak256(&code), "Code": base64_simd::STANDARD.encode_to_string(&code) }],
        "BlockhashRead": [],
    });
    block
}

fn is_cancun(block: &Value) -> bool {
    block["NetworkId"] == 1 && block["Header"]["excessBlobGas"].is_u64()
}
