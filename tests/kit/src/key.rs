//! Fixed keys: the same transactions, signatures and hashes on every machine.

use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Signature, U256, keccak256};
use secp256k1::{Message, PublicKey, Secp256k1, SecretKey};

/// A secp256k1 key made from a name. It protects nothing.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    secret: SecretKey,
    address: Address,
}

impl Key {
    /// The key whose secret is keccak256 of `refiner sample key: <name>`.
    ///
    /// # Panics
    ///
    /// When that hash is no valid secret, which has a chance of 2^-128.
    pub fn named(name: &str) -> Self {
        let digest = keccak256(format!("refiner sample key: {name}"));
        let secret = SecretKey::from_byte_array(digest.0).expect("a hash is below the curve order");
        let public = PublicKey::from_secret_key(&Secp256k1::signing_only(), &secret).serialize_uncompressed();
        Self { secret, address: Address::from_slice(&keccak256(&public[1..])[12..]) }
    }

    /// The account that this key controls.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs a hash. Nonces follow RFC 6979 and s is in the lower half, as Ethereum demands.
    pub fn sign(&self, hash: B256) -> Signature {
        let (recovery, bytes) = Secp256k1::signing_only()
            .sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.secret)
            .serialize_compact();
        let y_odd = i32::from(recovery) & 1 == 1;
        Signature::new(U256::from_be_slice(&bytes[..32]), U256::from_be_slice(&bytes[32..]), y_odd)
    }

    /// Signs an EIP-7702 authorization that makes this account run the code of `delegate`.
    pub fn authorize(&self, chain_id: u64, delegate: Address, nonce: u64) -> SignedAuthorization {
        let authorization = Authorization { chain_id: U256::from(chain_id), address: delegate, nonce };
        let signature = self.sign(authorization.signature_hash());
        authorization.into_signed(signature)
    }
}

#[cfg(test)]
mod tests {
    use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};

    use super::*;

    #[test]
    fn signature_recovers_to_the_address_of_its_key() {
        for name in ["alice", "bob", "carol"] {
            let key = Key::named(name);
            let hash = keccak256(name);
            let signature = key.sign(hash);
            let mut compact = [0; 64];
            compact[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
            compact[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
            let recovery = RecoveryId::try_from(i32::from(signature.v())).unwrap();
            let signature = RecoverableSignature::from_compact(&compact, recovery).unwrap();
            let public = Secp256k1::verification_only()
                .recover_ecdsa(Message::from_digest(hash.0), &signature)
                .unwrap()
                .serialize_uncompressed();
            assert_eq!(Address::from_slice(&keccak256(&public[1..])[12..]), key.address());
        }
    }
}
