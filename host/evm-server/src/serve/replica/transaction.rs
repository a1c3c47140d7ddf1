//! A transaction of a replica.

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, U256};
use refiner_specimen::{Authorization, Layout, Transaction};
use serde::Deserialize;

use super::text::{Base64, Since, Text, list, since, value, values};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TransactionJson {
    #[serde(rename = "type")]
    tx_type: u8,
    access_list: Option<Vec<AccessJson>>,
    chain_id: Text<u64>,
    nonce: u64,
    gas_price: Text<u128>,
    gas_tip_cap: Text<u128>,
    gas_fee_cap: Text<u128>,
    gas: u64,
    from: Option<Text<Address>>,
    to: Option<Text<Address>>,
    v: Option<Text<U256>>,
    r: Option<Text<U256>>,
    s: Option<Text<U256>>,
    value: Text<U256>,
    input: Text<Base64>,
    #[serde(default, deserialize_with = "since")]
    blob_fee_cap: Since<Text<u128>>,
    #[serde(default, deserialize_with = "since")]
    blob_hashes: Since<Vec<Text<B256>>>,
    #[serde(default, deserialize_with = "since")]
    blob_gas: Since<u64>,
    #[serde(default, rename = "Data", deserialize_with = "since")]
    data: Since<String>,
    #[serde(default, rename = "AuthList", deserialize_with = "since")]
    authorization_list: Since<Vec<AuthorizationJson>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccessJson {
    address: Text<Address>,
    #[serde(default, deserialize_with = "list")]
    storage_keys: Vec<Text<B256>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuthorizationJson {
    chain_id: Text<U256>,
    address: Text<Address>,
    nonce: u64,
    y_parity: Text<U256>,
    r: Text<U256>,
    s: Text<U256>,
}

impl TransactionJson {
    /// The oldest layout whose transactions have these keys.
    pub(super) const fn layout(&self) -> Layout {
        if self.data.is_some() || self.authorization_list.is_some() {
            Layout::V0_38
        } else if self.blob_fee_cap.is_some() || self.blob_hashes.is_some() || self.blob_gas.is_some() {
            Layout::V0_37
        } else {
            Layout::V0_31
        }
    }
}

/// A transaction with a null access list, whose type has one. The Go server wrote null again; specimens have lists only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoAccessList;

impl TryFrom<TransactionJson> for Transaction {
    type Error = NoAccessList;

    fn try_from(json: TransactionJson) -> Result<Self, NoAccessList> {
        let access_list = match (json.tx_type, json.access_list) {
            (0, list) => list.unwrap_or_default(),
            (_, list) => list.ok_or(NoAccessList)?,
        };
        let authorizations = |all: Vec<AuthorizationJson>| all.into_iter().map(Authorization::from).collect();
        Ok(Self {
            tx_type: json.tx_type,
            access_list: AccessList(access_list.into_iter().map(AccessListItem::from).collect()),
            chain_id: json.chain_id.0,
            nonce: json.nonce,
            gas_price: json.gas_price.0,
            gas_tip_cap: json.gas_tip_cap.0,
            gas_fee_cap: json.gas_fee_cap.0,
            gas: json.gas,
            from: json.from.map(value),
            to: json.to.map(value),
            v: json.v.map(value),
            r: json.r.map(value),
            s: json.s.map(value),
            value: json.value.0,
            input: json.input.0.0,
            blob_fee_cap: json.blob_fee_cap.flatten().map(value),
            blob_hashes: json.blob_hashes.flatten().map(values),
            blob_gas: json.blob_gas.flatten(),
            data: json.data.flatten(),
            authorization_list: json.authorization_list.flatten().map(authorizations),
        })
    }
}

impl From<AccessJson> for AccessListItem {
    fn from(json: AccessJson) -> Self {
        Self { address: json.address.0, storage_keys: values(json.storage_keys) }
    }
}

impl From<AuthorizationJson> for Authorization {
    fn from(json: AuthorizationJson) -> Self {
        Self {
            chain_id: json.chain_id.0,
            address: json.address.0,
            nonce: json.nonce,
            y_parity: json.y_parity.0,
            r: json.r.0,
            s: json.s.0,
        }
    }
}
