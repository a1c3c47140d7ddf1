//! A transaction out of a block's encoding, in the form of a specimen, and its sender.

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, U256, keccak256};
use refiner_specimen::{Authorization, Transaction};
use secp256k1::{
    Message, Secp256k1,
    ecdsa::{RecoverableSignature, RecoveryId},
};

use crate::rlp::{self, Item, Malformed};

/// A transaction decoded from its envelope.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// In the form of a specimen; `gas_price` of types 2 and later is what was paid, which [`price`] fills in.
    pub transaction: Transaction,
    /// The hash that was signed.
    pub signing_hash: B256,
    /// keccak256 of the transaction's encoding.
    pub hash: B256,
    /// The parity of the signature's point; `None` where `v` is none that any fork knows.
    pub odd_y: Option<bool>,
}

/// Decodes a transaction as it stands in a block: a list, or bytes that begin with a type.
pub fn decode(item: &Item<'_>) -> Result<Decoded, Malformed> {
    if item.is_list() {
        return legacy(item);
    }
    let bytes = item.bytes("transaction")?;
    let (&tx_type, body) = bytes.split_first().ok_or(Malformed::Kind("transaction"))?;
    let fields = rlp::whole(body)?;
    let mut decoded = match tx_type {
        1 => access_list(&fields)?,
        2 => dynamic_fee(&fields)?,
        3 => blob(&fields)?,
        4 => set_code(&fields)?,
        other => return Err(Malformed::TransactionType(other)),
    };
    let items = fields.items("transaction")?;
    let unsigned = rlp::list(items[..items.len() - SIGNATURE_FIELDS].iter().map(|item| item.raw));
    decoded.transaction.tx_type = tx_type;
    decoded.signing_hash = keccak256([&[tx_type], &unsigned[..]].concat());
    decoded.hash = keccak256(bytes);
    Ok(decoded)
}

/// v, r and s, the last fields of every type.
const SIGNATURE_FIELDS: usize = 3;

fn legacy(item: &Item<'_>) -> Result<Decoded, Malformed> {
    let [nonce, price, gas, to, value, input, v, r, s] = item.record("transaction")?;
    let v = v.number("v")?;
    let protected = v >= U256::from(35);
    let chain_id: u64 =
        if protected { ((v - U256::from(35)) >> 1usize).try_into().map_err(|_| Malformed::TooLarge("v"))? } else { 0 };
    let gas_price = price.small("gasPrice")?;
    let transaction = Transaction {
        chain_id,
        nonce: nonce.small("nonce")?,
        gas_price,
        gas_tip_cap: gas_price,
        gas_fee_cap: gas_price,
        gas: gas.small("gasLimit")?,
        to: to.callee("to")?,
        value: value.number("value")?,
        input: input.owned("data")?,
        ..signature(v, &r, &s)?
    };
    let unsigned = item.items("transaction")?;
    let chain = alloy_rlp::encode(chain_id);
    let replay_protection: [&[u8]; 3] = [&chain, &[0x80], &[0x80]];
    let suffix = if protected { &replay_protection[..] } else { &[] };
    let unsigned = rlp::list(unsigned[..6].iter().map(|item| item.raw).chain(suffix.iter().copied()));
    let odd_y = match v.try_into() {
        Ok(27u64) => Some(false),
        Ok(28) => Some(true),
        _ if protected => Some(!v.bit(0)),
        _ => None,
    };
    Ok(Decoded { transaction, signing_hash: keccak256(unsigned), hash: keccak256(item.raw), odd_y })
}

fn access_list(fields: &Item<'_>) -> Result<Decoded, Malformed> {
    let [chain, nonce, price, gas, to, value, input, list, y, r, s] = fields.record("transaction")?;
    let gas_price = price.small("gasPrice")?;
    typed(&chain, &nonce, &gas, &to, &value, &input, &list, [&y, &r, &s]).map(|decoded| {
        decoded.with(|transaction| {
            (transaction.gas_price, transaction.gas_tip_cap, transaction.gas_fee_cap) =
                (gas_price, gas_price, gas_price);
        })
    })
}

fn dynamic_fee(fields: &Item<'_>) -> Result<Decoded, Malformed> {
    let [chain, nonce, tip, cap, gas, to, value, input, list, y, r, s] = fields.record("transaction")?;
    let (tip, cap) = (tip.small("maxPriorityFeePerGas")?, cap.small("maxFeePerGas")?);
    typed(&chain, &nonce, &gas, &to, &value, &input, &list, [&y, &r, &s])
        .map(|decoded| decoded.with(|transaction| (transaction.gas_tip_cap, transaction.gas_fee_cap) = (tip, cap)))
}

fn blob(fields: &Item<'_>) -> Result<Decoded, Malformed> {
    let [chain, nonce, tip, cap, gas, to, value, input, list, blob_cap, hashes, y, r, s] =
        fields.record("transaction")?;
    let (tip, cap) = (tip.small("maxPriorityFeePerGas")?, cap.small("maxFeePerGas")?);
    let blob_cap = blob_cap.small("maxFeePerBlobGas")?;
    let hashes = hashes.items("blobVersionedHashes")?;
    let hashes = hashes.iter().map(|hash| hash.hash("blobVersionedHash")).collect::<Result<Vec<_>, _>>()?;
    typed(&chain, &nonce, &gas, &to, &value, &input, &list, [&y, &r, &s]).map(|decoded| {
        decoded.with(|transaction| {
            (transaction.gas_tip_cap, transaction.gas_fee_cap) = (tip, cap);
            transaction.blob_fee_cap = Some(blob_cap);
            transaction.blob_gas = Some(alloy_eips::eip4844::DATA_GAS_PER_BLOB * hashes.len() as u64);
            transaction.blob_hashes = Some(hashes);
        })
    })
}

fn set_code(fields: &Item<'_>) -> Result<Decoded, Malformed> {
    let [chain, nonce, tip, cap, gas, to, value, input, list, authorizations, y, r, s] =
        fields.record("transaction")?;
    let (tip, cap) = (tip.small("maxPriorityFeePerGas")?, cap.small("maxFeePerGas")?);
    let authorizations = authorizations.items("authorizationList")?;
    let authorizations = authorizations.iter().map(authorization).collect::<Result<Vec<_>, _>>()?;
    typed(&chain, &nonce, &gas, &to, &value, &input, &list, [&y, &r, &s]).map(|decoded| {
        decoded.with(|transaction| {
            (transaction.gas_tip_cap, transaction.gas_fee_cap) = (tip, cap);
            transaction.authorization_list = Some(authorizations);
        })
    })
}

fn authorization(item: &Item<'_>) -> Result<Authorization, Malformed> {
    let [chain, address, nonce, y, r, s] = item.record("authorization")?;
    Ok(Authorization {
        chain_id: chain.number("authorization.chainId")?,
        address: address.address("authorization.address")?,
        nonce: nonce.small("authorization.nonce")?,
        y_parity: y.number("authorization.yParity")?,
        r: r.number("authorization.r")?,
        s: s.number("authorization.s")?,
    })
}

#[allow(clippy::too_many_arguments, reason = "the fields that all typed transactions share, in their order")]
fn typed(
    chain: &Item<'_>,
    nonce: &Item<'_>,
    gas: &Item<'_>,
    to: &Item<'_>,
    value: &Item<'_>,
    input: &Item<'_>,
    list: &Item<'_>,
    [y, r, s]: [&Item<'_>; SIGNATURE_FIELDS],
) -> Result<Decoded, Malformed> {
    let parity = y.number("yParity")?;
    let transaction = Transaction {
        chain_id: chain.small("chainId")?,
        nonce: nonce.small("nonce")?,
        gas: gas.small("gasLimit")?,
        to: to.callee("to")?,
        value: value.number("value")?,
        input: input.owned("data")?,
        access_list: accesses(list)?,
        ..signature(parity, r, s)?
    };
    let odd_y = (parity <= U256::ONE).then_some(parity == U256::ONE);
    Ok(Decoded { transaction, signing_hash: B256::ZERO, hash: B256::ZERO, odd_y })
}

impl Decoded {
    fn with(mut self, change: impl FnOnce(&mut Transaction)) -> Self {
        change(&mut self.transaction);
        self
    }

    /// The address that signed, if any did.
    pub fn sender(&self) -> Option<Address> {
        let mut compact = [0; 64];
        compact[..32].copy_from_slice(&self.transaction.r?.to_be_bytes::<32>());
        compact[32..].copy_from_slice(&self.transaction.s?.to_be_bytes::<32>());
        let recovery = RecoveryId::try_from(i32::from(self.odd_y?)).ok()?;
        let signature = RecoverableSignature::from_compact(&compact, recovery).ok()?;
        let key = Secp256k1::verification_only().recover_ecdsa(Message::from_digest(self.signing_hash.0), &signature);
        Some(Address::from_raw_public_key(&key.ok()?.serialize_uncompressed()[1..]))
    }
}

/// The signature as a specimen states it, with null for a zero v, and the fields that every transaction of the newest
/// layout has.
fn signature(v: U256, r: &Item<'_>, s: &Item<'_>) -> Result<Transaction, Malformed> {
    Ok(Transaction {
        v: (!v.is_zero()).then_some(v),
        r: Some(r.number("r")?),
        s: Some(s.number("s")?),
        blob_fee_cap: Some(0),
        blob_hashes: Some(Vec::new()),
        blob_gas: Some(0),
        ..Transaction::default()
    })
}

fn accesses(list: &Item<'_>) -> Result<AccessList, Malformed> {
    let item = |item: &Item<'_>| {
        let [address, keys] = item.record("accessList")?;
        let keys = keys.items("storageKeys")?;
        let storage_keys = keys.iter().map(|key| key.hash("storageKey")).collect::<Result<_, _>>()?;
        Ok(AccessListItem { address: address.address("accessList.address")?, storage_keys })
    };
    list.items("accessList")?.iter().map(item).collect::<Result<Vec<_>, _>>().map(AccessList)
}

/// Sets the price that a transaction paid, which is what recent specimens state.
pub fn price(transaction: &mut Transaction, base_fee: u64) {
    if transaction.tx_type >= 2 {
        let paid = u128::from(base_fee).saturating_add(transaction.gas_tip_cap);
        transaction.gas_price = transaction.gas_fee_cap.min(paid);
    }
}
