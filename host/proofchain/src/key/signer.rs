//! Signers: a key of ours, or a Web3Signer.

use std::{fmt, time::Duration};

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use refiner_http_client::Egress;
use url::Url;

use super::{KeyError, LocalKey, Secret, SecretFile, SignError, remote};
use crate::{
    fees::Fees,
    prover::Unsigned,
    rpc::{Rpc, RpcLimits},
};

/// The longest `Retry-After` of a Web3Signer that is kept. It is the operator's own and there is no other: a session closes in minutes,
/// and a request a minute is no load.
const SIGNER_WAIT: Duration = Duration::from_secs(60);

/// Where the operator's key is.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// The key itself, from the environment: 64 hex digits, `0x` and upper case allowed.
    Value(Secret),
    /// A file with the same.
    File(SecretFile),
    /// An encrypted keystore and a file with its password.
    Keystore {
        /// The keystore, Web3 Secret Storage version 3.
        keystore: SecretFile,
        /// The password's file.
        password: SecretFile,
    },
    /// A Web3Signer in `eth1` mode.
    Web3Signer {
        /// Where it listens.
        url: Url,
        /// Which of its keys; may be left out when it has one.
        address: Option<Address>,
        /// The way that requests to it take out of this machine.
        egress: Egress,
    },
}

/// Signs transactions. `Debug` shows the address alone.
pub struct Signer {
    kind: Kind,
}

enum Kind {
    Local(LocalKey),
    Remote { rpc: Rpc, address: Address },
}

impl Signer {
    /// Reads a key of this machine, for which nothing is waited for; `None` where a Web3Signer has it. Opening a keystore takes about
    /// a second.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn local(source: &KeySource) -> Result<Option<Self>, KeyError> {
        let key = match source {
            KeySource::Value(secret) => LocalKey::parse(secret)?,
            KeySource::File(file) => LocalKey::from_file(file)?,
            KeySource::Keystore { keystore, password } => LocalKey::from_keystore(keystore, &password.read()?)?,
            KeySource::Web3Signer { .. } => return Ok(None),
        };
        Ok(Some(Self { kind: Kind::Local(key) }))
    }

    /// Reads the key as [`local`](Self::local) does, or asks the Web3Signer for its accounts.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub async fn load(source: &KeySource) -> Result<Self, KeyError> {
        match (Self::local(source)?, source) {
            (None, KeySource::Web3Signer { url, address, egress }) => Self::remote(egress, url, *address).await,
            (Some(signer), _) => Ok(signer),
            // `local` reads every other source.
            (None, _) => Err(KeyError::OutOfRange),
        }
    }

    /// Asks the Web3Signer for its accounts, of which `address` must be one, or the only one is taken.
    async fn remote(egress: &Egress, url: &Url, address: Option<Address>) -> Result<Self, KeyError> {
        let limits = RpcLimits { longest_wait: SIGNER_WAIT, ..RpcLimits::default() };
        let rpc = Rpc::through(egress, [url.clone()], limits)?;
        let held = remote::accounts(&rpc).await?;
        let address = match (address, held.as_slice()) {
            (Some(wanted), held) if held.contains(&wanted) => wanted,
            (Some(wanted), held) => return Err(KeyError::NotHeld { wanted, held: held.len() }),
            (None, [only]) => *only,
            (None, held) => return Err(KeyError::Ambiguous { held: held.len() }),
        };
        Ok(Self { kind: Kind::Remote { rpc, address } })
    }

    /// The operator's address.
    pub fn address(&self) -> Address {
        match &self.kind {
            Kind::Local(key) => key.address(),
            Kind::Remote { address, .. } => *address,
        }
    }

    /// Signs a transaction, ready to be sent.
    pub(crate) async fn sign(&self, wanted: &Unsigned) -> Result<Bytes, SignError> {
        match &self.kind {
            Kind::Local(key) => Ok(encode(key, wanted)?),
            Kind::Remote { rpc, address } => remote::sign(rpc, *address, wanted).await,
        }
    }
}

fn encode(key: &LocalKey, wanted: &Unsigned) -> Result<Bytes, KeyError> {
    let Unsigned { chain_id, nonce, gas_limit, to, ref calldata, fees } = *wanted;
    let (to, value, input) = (TxKind::Call(to), U256::ZERO, calldata.clone());
    let sign = |hash| -> Result<Signature, KeyError> { key.sign(hash) };
    Ok(match fees {
        Fees::Dynamic { max_fee_wei, tip_wei } => {
            let transaction = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: max_fee_wei,
                max_priority_fee_per_gas: tip_wei,
                to,
                value,
                access_list: Default::default(),
                input,
            };
            let signature = sign(transaction.signature_hash())?;
            transaction.into_signed(signature).encoded_2718().into()
        }
        Fees::Legacy { gas_price_wei } => {
            let chain_id = Some(chain_id);
            let transaction = TxLegacy { chain_id, nonce, gas_price: gas_price_wei, gas_limit, to, value, input };
            let signature = sign(transaction.signature_hash())?;
            transaction.into_signed(signature).encoded_2718().into()
        }
    })
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("address", &self.address()).finish_non_exhaustive()
    }
}
