//! Signers: a key of ours, or a Web3Signer.

use std::{fmt, io, path::PathBuf};

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_http_client::Egress;
use url::Url;

use super::{KeystoreError, LocalKey, Secret, SecretFile, remote};
use crate::{
    fees::Fees,
    prover::Unsigned,
    rpc::{Rpc, RpcError, RpcLimits},
};

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

/// Why there is no key. No variant holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// Another number of digits.
    #[error("a key of {digits} digits instead of 64")]
    Length {
        /// How many there are.
        digits: usize,
    },
    /// Something else than hex digits.
    #[error("a key with something else than hex digits")]
    NotHex,
    /// Zero, or above the order of the curve.
    #[error("a number that is no secp256k1 key")]
    OutOfRange,
    /// A file that others may read or write.
    #[error("{path}: open to others (mode {mode:o}), expected mode 600")]
    Permissions {
        /// Path of the file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A keystore without a key that can be used.
    #[error("{path}: {source}")]
    Keystore {
        /// Path of the file.
        path: PathBuf,
        /// The reason.
        source: KeystoreError,
    },
    /// A file where a new one was to be written.
    #[error("{path}: exists already, and no key is overwritten")]
    Exists {
        /// Path of the file.
        path: PathBuf,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    Randomness,
    /// The Web3Signer could not be asked.
    #[error(transparent)]
    Signer(#[from] RpcError),
    /// The Web3Signer has not the key.
    #[error("the Web3Signer has not the key of {wanted}; it has {held} keys")]
    NotHeld {
        /// Which was wanted.
        wanted: Address,
        /// How many it has.
        held: usize,
    },
    /// The Web3Signer has several keys, or none, and none was named.
    #[error("the Web3Signer has {held} keys; name the operator's address")]
    Ambiguous {
        /// How many it has.
        held: usize,
    },
}

impl Diagnostic for KeyError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Permissions { path, .. } => {
                Some(format!("chmod 600 {}, or permit it with --insecure-key-permissions", path.display()).into())
            }
            Self::Keystore { source: KeystoreError::Version { .. }, .. } => {
                Some("write it anew with the program that made it, such as `geth account update`".into())
            }
            Self::Keystore {
                source: KeystoreError::ScryptInvalid { .. } | KeystoreError::ScryptCost { .. }, ..
            } => Some("export the key with the program that made the keystore, then `refiner key import`".into()),
            Self::Exists { .. } => Some("name another file".into()),
            Self::File { .. }
            | Self::Length { .. }
            | Self::NotHex
            | Self::OutOfRange
            | Self::Keystore { .. }
            | Self::Randomness => None,
            Self::Signer(_) => Some("start the Web3Signer, or compare --signer with its address".into()),
            Self::NotHeld { .. } => {
                Some("load the operator's key into the Web3Signer, or name another by --operator".into())
            }
            Self::Ambiguous { held: 0 } => Some("load the operator's key into the Web3Signer".into()),
            Self::Ambiguous { .. } => Some("name the operator's address by --operator".into()),
        }
    }
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The Web3Signer could not be asked, or refused.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The Web3Signer answered something else.
    #[error("the Web3Signer answered something that is no transaction")]
    NotTransaction,
    /// The Web3Signer signed another transaction.
    #[error("the Web3Signer signed another transaction than it was asked to")]
    Altered,
    /// The Web3Signer signed with another key.
    #[error("signed by {found:?} instead of {expected}")]
    AnotherKey {
        /// Whose signature was wanted.
        expected: Address,
        /// Whose it is, if it is one.
        found: Option<Address>,
    },
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
        let rpc = Rpc::through(egress, [url.clone()], RpcLimits::default())?;
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
