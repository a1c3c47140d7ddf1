//! Proof of authority, EIP-225: the account that sealed a block.

use alloy_consensus::Header;
use alloy_primitives::{Address, B512, Bytes};
use revm::precompile::secp256k1::ecrecover;

/// r and s at the end of `extraData`, before the recovery id.
const SIGNATURE_BYTES: usize = 64;
const SEAL_BYTES: usize = SIGNATURE_BYTES + 1;
/// Two bits: the parity of the point's y, and whether its x exceeds the order.
const MOST_RECOVERY_ID: u8 = 3;

/// The sealer of a block, who gets its fees: the header's miner is a candidate that the sealer votes on. `None` when
/// `extraData` ends with no signature.
pub(crate) fn sealer(header: &Header) -> Option<Address> {
    let unsealed_bytes = header.extra_data.len().checked_sub(SEAL_BYTES)?;
    let (unsealed, seal) = header.extra_data.split_at_checked(unsealed_bytes)?;
    let (signature, recovery_id) = seal.split_at_checked(SIGNATURE_BYTES)?;
    let signed = Header { extra_data: Bytes::copy_from_slice(unsealed), ..header.clone() }.hash_slow();
    let recovery_id = *recovery_id.first().filter(|id| **id <= MOST_RECOVERY_ID)?;
    let recovered = ecrecover(&B512::from_slice(signature), recovery_id, &signed).ok()?;
    Some(Address::from_word(recovered))
}
