//! The JSON of a keystore.

use alloy_primitives::{Address, B256, hex};
use serde_json::{Map, Value, json};

use super::{derivation::Derivation, error::KeystoreError, limits::DERIVED_BYTES};

/// The version that is read and written.
const VERSION: u64 = 3;
/// Most bytes of a salt; 32 are usual.
const SALT_BYTES_MAX: usize = 1 << 10;

/// The members that decrypt a key.
pub(super) struct Document {
    pub(super) address: Option<Address>,
    pub(super) derivation: Derivation,
    pub(super) iv: [u8; 16],
    pub(super) ciphertext: [u8; 32],
    pub(super) mac: B256,
}

impl Document {
    /// Reads a keystore of version 3.
    pub(super) fn parse(text: &str) -> Result<Self, KeystoreError> {
        let root: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| KeystoreError::NotJson { line: error.line() })?;
        let root = Object(&root);
        match root.number_or_text("version")? {
            VERSION => {}
            found => return Err(KeystoreError::Version { found }),
        }
        let crypto = root.object("crypto")?;
        if crypto.text("cipher")? != "aes-128-ctr" {
            return Err(KeystoreError::Cipher);
        }
        Ok(Self {
            address: root.address()?,
            derivation: derivation(&crypto)?,
            iv: crypto.object("cipherparams")?.bytes("iv")?,
            ciphertext: crypto.bytes("ciphertext")?,
            mac: B256::new(crypto.bytes("mac")?),
        })
    }

    /// Writes a keystore as geth does, with an id of these random bits.
    pub(super) fn text(&self, id: [u8; 16]) -> String {
        let (kdf, parameters) = match &self.derivation {
            Derivation::Scrypt { log_n, r, p, salt } => {
                let salt = hex::encode(salt);
                ("scrypt", json!({ "dklen": DERIVED_BYTES, "n": 1_u64 << log_n, "p": p, "r": r, "salt": salt }))
            }
            Derivation::Pbkdf2 { rounds, salt } => {
                let salt = hex::encode(salt);
                ("pbkdf2", json!({ "c": rounds, "dklen": DERIVED_BYTES, "prf": "hmac-sha256", "salt": salt }))
            }
        };
        let document = json!({
            "address": self.address.map(hex::encode),
            "crypto": {
                "cipher": "aes-128-ctr",
                "ciphertext": hex::encode(self.ciphertext),
                "cipherparams": { "iv": hex::encode(self.iv) },
                "kdf": kdf,
                "kdfparams": parameters,
                "mac": hex::encode(self.mac),
            },
            "id": uuid(id),
            "version": VERSION,
        });
        format!("{document}\n")
    }
}

fn derivation(crypto: &Object<'_>) -> Result<Derivation, KeystoreError> {
    let parameters = crypto.object("kdfparams")?;
    let is_scrypt = match crypto.text("kdf")? {
        "scrypt" => true,
        "pbkdf2" if parameters.text("prf")? == "hmac-sha256" => false,
        _ => return Err(KeystoreError::Derivation),
    };
    let bytes = parameters.number("dklen")?;
    if bytes < DERIVED_BYTES as u64 {
        return Err(KeystoreError::DerivedLength { bytes });
    }
    let salt = parameters.hex("salt")?;
    if salt.len() > SALT_BYTES_MAX {
        return Err(KeystoreError::Field { name: "salt" });
    }
    if is_scrypt {
        let [n, r, p] = [parameters.number("n")?, parameters.number("r")?, parameters.number("p")?];
        Derivation::scrypt(n, r, p, salt)
    } else {
        Derivation::pbkdf2(parameters.number("c")?, salt)
    }
}

/// A random id in the form of RFC 9562, version 4.
fn uuid(mut bits: [u8; 16]) -> String {
    bits[6] = bits[6] & 0x0f | 0x40;
    bits[8] = bits[8] & 0x3f | 0x80;
    let digits = hex::encode(bits);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// An object whose names are found in any case: ethers writes `Crypto`, MEW wrote both.
struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    fn find(&self, name: &str) -> Option<&'a Value> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn object(&self, name: &'static str) -> Result<Self, KeystoreError> {
        self.find(name).and_then(Value::as_object).map(Object).ok_or(KeystoreError::Field { name })
    }

    fn text(&self, name: &'static str) -> Result<&'a str, KeystoreError> {
        self.find(name).and_then(Value::as_str).ok_or(KeystoreError::Field { name })
    }

    fn number(&self, name: &'static str) -> Result<u64, KeystoreError> {
        self.find(name).and_then(Value::as_u64).ok_or(KeystoreError::Field { name })
    }

    /// geth wrote version 1 as a text.
    fn number_or_text(&self, name: &'static str) -> Result<u64, KeystoreError> {
        let text = || self.text(name)?.parse().map_err(|_| KeystoreError::Field { name });
        self.number(name).or_else(|_| text())
    }

    /// The bytes of a text of hex digits, with or without `0x`.
    fn hex(&self, name: &'static str) -> Result<Vec<u8>, KeystoreError> {
        hex::decode(self.text(name)?).map_err(|_| KeystoreError::Field { name })
    }

    fn bytes<const N: usize>(&self, name: &'static str) -> Result<[u8; N], KeystoreError> {
        self.hex(name)?.try_into().map_err(|_| KeystoreError::Field { name })
    }

    /// The stated address, where one is.
    fn address(&self) -> Result<Option<Address>, KeystoreError> {
        match self.find("address") {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.bytes("address").map(|bytes: [u8; 20]| Some(bytes.into())),
        }
    }
}
