//! Answers of a JSON-RPC node, to one question and to several.

use refiner_proofchain::fuzz;

/// The first byte chooses the HTTP status.
pub fn run(bytes: &[u8]) {
    let [status, body @ ..] = bytes else { return };
    let status = [200, 200, 400, 403, 429, 500, 503][usize::from(*status) % 7];
    fuzz::read_answer(status, body);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let (hash, address) = ("ab".repeat(32), "cd".repeat(20));
    let log = format!(
        r#"{{"address":"0x{address}","topics":["0x{hash}","0x{hash}","0x{hash}","0x{hash}"],"data":"0x{hash}{hash}","blockNumber":"0x1","blockHash":"0x{hash}","transactionHash":"0x{hash}","logIndex":"0x0","removed":false}}"#
    );
    let block = format!(r#"{{"number":"0x10","hash":"0x{hash}","timestamp":"0x5","baseFeePerGas":"0x7"}}"#);
    let answers = [
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":[{log}]}}"#),
        format!(r#"[{{"jsonrpc":"2.0","id":1,"result":{block}}},{{"jsonrpc":"2.0","id":0,"result":[{log}]}}]"#),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"query exceeds max results 20000, retry with the range 1-2","data":{"data":"0x08c379a0"}}}"#.to_owned(),
        r#"[{"id":0,"result":null},{"id":1,"error":{"code":3,"message":{"a":1},"data":"Reverted 0x00"}}]"#.to_owned(),
    ];
    answers.into_iter().map(|text| [&[0], text.as_bytes()].concat()).collect()
}
