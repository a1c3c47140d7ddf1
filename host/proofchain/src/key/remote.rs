//! A key in a Web3Signer, of which we know the address alone.

use alloy_consensus::{SignableTransaction as _, Transaction, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use alloy_primitives::{Address, Bytes, U256};
use serde_json::{Value, json};

use super::{SignError, local};
use crate::{
    fees::Fees,
    prover::Unsigned,
    quantity::hex,
    rpc::{Rpc, RpcError},
};

/// The accounts that it holds.
pub async fn accounts(signer: &Rpc) -> Result<Vec<Address>, RpcError> {
    signer.call("eth_accounts", json!([])).await
}

/// Lets it sign, and believes it only what it was asked for.
pub async fn sign(signer: &Rpc, address: Address, wanted: &Unsigned) -> Result<Bytes, SignError> {
    let raw: Bytes = signer.call("eth_signTransaction", json!([question(address, wanted)])).await?;
    let signed = TxEnvelope::decode_2718_exact(&raw).map_err(|_| SignError::NotTransaction)?;
    if !is_same(&signed, wanted) {
        return Err(SignError::Altered);
    }
    match local::recover(signed.signature_hash(), signed.signature()) {
        Some(found) if found == address => low_s(raw, signed),
        found => Err(SignError::AnotherKey { expected: address, found }),
    }
}

/// The same transaction with s in the lower half: nodes take no other (EIP-2), and it is a signature by the same key either way.
fn low_s(raw: Bytes, signed: TxEnvelope) -> Result<Bytes, SignError> {
    let Some(signature) = signed.signature().normalize_s() else { return Ok(raw) };
    match signed {
        TxEnvelope::Legacy(signed) => Ok(signed.strip_signature().into_signed(signature).encoded_2718().into()),
        TxEnvelope::Eip1559(signed) => Ok(signed.strip_signature().into_signed(signature).encoded_2718().into()),
        // No other was asked for.
        _ => Err(SignError::Altered),
    }
}

fn question(address: Address, wanted: &Unsigned) -> Value {
    let mut fields = json!({
        "from": address,
        "to": wanted.to,
        "gas": hex(wanted.gas_limit),
        "nonce": hex(wanted.nonce),
        "chainId": hex(wanted.chain_id),
        "value": "0x0",
        "data": wanted.calldata,
    });
    match wanted.fees {
        Fees::Dynamic { max_fee_wei, tip_wei } => {
            fields["maxFeePerGas"] = format!("{max_fee_wei:#x}").into();
            fields["maxPriorityFeePerGas"] = format!("{tip_wei:#x}").into();
        }
        Fees::Legacy { gas_price_wei } => fields["gasPrice"] = format!("{gas_price_wei:#x}").into(),
    }
    fields
}

fn is_same(signed: &TxEnvelope, wanted: &Unsigned) -> bool {
    let fees = match wanted.fees {
        Fees::Dynamic { max_fee_wei, tip_wei } => {
            signed.is_eip1559()
                && signed.max_fee_per_gas() == max_fee_wei
                && signed.max_priority_fee_per_gas() == Some(tip_wei)
        }
        Fees::Legacy { gas_price_wei } => signed.is_legacy() && signed.gas_price() == Some(gas_price_wei),
    };
    fees && signed.chain_id() == Some(wanted.chain_id)
        && signed.nonce() == wanted.nonce
        && signed.gas_limit() == wanted.gas_limit
        && signed.to() == Some(wanted.to)
        && signed.value() == U256::ZERO
        && signed.input() == &wanted.calldata
        && signed.access_list().is_none_or(|list| list.is_empty())
}
