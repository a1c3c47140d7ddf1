//! A canonical document against what a node's RPC gives of the same block, field by field.

use serde_json::Value;

/// Fields of the block that a node repeats in each transaction and log, and the document has elsewhere or not.
const REPEATED: [&str; 3] = ["blockHash", "blockNumber", "blockTimestamp"];
/// Fields that the document has in another place than the node's block, or not.
const BESIDE_THE_BLOCK: [&str; 4] = ["transactions", "withdrawals", "size", "totalDifficulty"];

/// Every field of the node's block and receipts that the document states otherwise, and every one that only the document has. A null
/// stands for what nothing proves, if it is listed.
pub fn differences(document: &Value, node: &Value) -> Vec<String> {
    let mut comparison = Comparison { document, differences: Vec::new() };
    let block = &node["block"];
    comparison.object("/block", block, &BESIDE_THE_BLOCK);
    comparison.list("/transactions", &block["transactions"], &REPEATED);
    if block.get("withdrawals").is_some() {
        comparison.list("/withdrawals", &block["withdrawals"], &[]);
    }
    comparison.list("/receipts", &node["receipts"], &["logs", "blockTimestamp"]);
    for (index, receipt) in node["receipts"].as_array().unwrap().iter().enumerate() {
        comparison.list(&format!("/receipts/{index}/logs"), &receipt["logs"], &["blockTimestamp"]);
    }
    comparison.differences
}

struct Comparison<'a> {
    document: &'a Value,
    differences: Vec<String>,
}

impl Comparison<'_> {
    fn list(&mut self, at: &str, expected: &Value, elsewhere: &[&str]) {
        let expected = expected.as_array().unwrap();
        let found = self.document.pointer(at).and_then(Value::as_array).map(Vec::len);
        if found != Some(expected.len()) {
            self.differences.push(format!("{at}: {found:?} items instead of {}", expected.len()));
        }
        for (index, item) in expected.iter().enumerate() {
            self.object(&format!("{at}/{index}"), item, elsewhere);
        }
    }

    fn object(&mut self, at: &str, expected: &Value, elsewhere: &[&str]) {
        let Some(found) = self.document.pointer(at).and_then(Value::as_object) else {
            self.differences.push(format!("{at}: absent"));
            return;
        };
        let expected = expected.as_object().unwrap();
        for (key, value) in expected.iter().filter(|(key, _)| !elsewhere.contains(&key.as_str())) {
            let pointer = format!("{at}/{key}");
            match found.get(key) {
                Some(found) if found == value || found.is_null() && self.is_unproven(&pointer) => {}
                found => self.differences.push(format!("{pointer}: {found:?} instead of {value}")),
            }
        }
        let of_logs = |key: &str| key == "logs" && at.starts_with("/receipts");
        let added =
            |(key, value): &(&String, &Value)| !value.is_null() && !expected.contains_key(*key) && !of_logs(key);
        // A node's block has no bloom where its receipts were asked for apart.
        let added = found.iter().filter(added).filter(|(key, _)| *key != "logsBloom" || at != "/block");
        self.differences
            .extend(added.map(|(key, value)| format!("{at}/{key}: {value}, which the node does not state")));
    }

    fn is_unproven(&self, pointer: &str) -> bool {
        self.document["unproven"].as_array().unwrap().iter().any(|listed| listed == pointer)
    }
}
