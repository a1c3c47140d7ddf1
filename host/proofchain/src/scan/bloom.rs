//! The logs bloom of a header: whether the block may hold one of the events.

use alloy_primitives::{Address, B256, Bloom, BloomInput};
use alloy_sol_types::SolEvent as _;
use serde::{Deserialize, Deserializer};

use crate::bindings::{BlockSpecimenQuorum, BlockSpecimenRewardAwarded};

/// The events that a scan asks for.
pub const EVENTS: [B256; 2] = [BlockSpecimenQuorum::SIGNATURE_HASH, BlockSpecimenRewardAwarded::SIGNATURE_HASH];

/// Whether a block with this bloom may hold one of [`EVENTS`] from `contract`. Chains that keep no blooms have a zero there, or
/// nothing; of their blocks nothing is known.
pub fn may_hold(bloom: Option<&Bloom>, contract: Address) -> bool {
    let Some(bloom) = bloom else { return false };
    let holds = |bytes: &[u8]| bloom.contains_input(BloomInput::Raw(bytes));
    holds(contract.as_slice()) && EVENTS.iter().any(|event| holds(event.as_slice()))
}

/// Reads a bloom that may be missing, or something else than one.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Bloom>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: Address = Address::repeat_byte(7);

    fn bloom(inputs: &[&[u8]]) -> Bloom {
        let mut bloom = Bloom::ZERO;
        inputs.iter().for_each(|input| bloom.accrue(BloomInput::Raw(input)));
        bloom
    }

    #[test]
    fn contract_and_event_together_may_be_an_announcement_and_either_alone_is_none() {
        for event in EVENTS {
            assert!(may_hold(Some(&bloom(&[CONTRACT.as_slice(), event.as_slice()])), CONTRACT));
            assert!(!may_hold(Some(&bloom(&[event.as_slice()])), CONTRACT));
        }
        assert!(!may_hold(Some(&bloom(&[CONTRACT.as_slice()])), CONTRACT));
    }

    #[test]
    fn zero_missing_and_garbled_bloom_tells_nothing() {
        #[derive(Deserialize)]
        struct Header {
            #[serde(default, deserialize_with = "read")]
            bloom: Option<Bloom>,
        }
        let zero = format!("{{\"bloom\": \"{}\"}}", Bloom::ZERO);
        for header in [zero.as_str(), "{}", "{\"bloom\": null}", "{\"bloom\": \"0x\"}", "{\"bloom\": \"0x00\"}"] {
            let header: Header = serde_json::from_str(header).unwrap();
            assert!(!may_hold(header.bloom.as_ref(), CONTRACT));
        }
    }
}
