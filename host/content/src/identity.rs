//! Ids that carry their bytes instead of a hash of them (multihash function 0, "identity").

use bytes::Bytes;

use crate::{IdError, base, dag_pb, varint};

/// The longest text that is read. Blockstores of the network take identities of up to 128 bytes.
const CHARACTERS_MAX: usize = 256;
const IDENTITY: u64 = 0;
const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;

/// The bytes of the file that an identity id names; `None` where `text` is no such id.
pub(crate) fn file_of(text: &str) -> Option<Result<Bytes, IdError>> {
    if text.len() > CHARACTERS_MAX {
        return None;
    }
    let bytes = match text.chars().next()? {
        'b' | 'B' => base::decode_32(&text[1..]).ok()?,
        'z' => base::decode_58(&text[1..]).ok()?,
        _ => return None,
    };
    let mut rest = bytes.as_slice();
    let (Some(1), codec, Some(IDENTITY)) = (varint::read(&mut rest), varint::read(&mut rest)?, varint::read(&mut rest))
    else {
        return None;
    };
    Some(block_of(rest).and_then(|block| match codec {
        RAW => Ok(block),
        DAG_PB => match dag_pb::read_file_node(&block) {
            Ok(node) if node.links.is_empty() => Ok(node.inline),
            Ok(_) | Err(_) => Err(IdError::Codec { codec }),
        },
        codec => Err(IdError::Codec { codec }),
    }))
}

fn block_of(mut rest: &[u8]) -> Result<Bytes, IdError> {
    let length = varint::read(&mut rest).ok_or(IdError::Truncated)?;
    match u64::try_from(rest.len()).unwrap_or(u64::MAX) {
        present if present < length => Err(IdError::Truncated),
        present if present == length => Ok(Bytes::copy_from_slice(rest)),
        present => Err(IdError::Trailing { bytes: usize::try_from(present - length).unwrap_or(usize::MAX) }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn id(bytes: &[u8]) -> String {
        format!("b{}", base::encode_32(bytes))
    }

    #[test]
    fn an_identity_id_is_its_own_content() {
        // From the multiformats' examples: `echo -n yes | ipfs block put --mhtype identity`.
        assert_eq!(file_of("bafkqaa3zmvzq").unwrap().unwrap(), "yes");
        assert_eq!(file_of("bafkqaaa").unwrap().unwrap(), "");
        // A dag-pb node that holds a UnixFS file of three bytes.
        let node = [&[1, 0x70, 0, 11, 0x0a, 9, 8, 2, 0x12, 3][..], b"yes", &[0x18, 3]].concat();
        assert_eq!(file_of(&id(&node)).unwrap().unwrap(), "yes");
    }

    #[test]
    fn other_ids_are_no_identities_and_broken_ones_are_refused() {
        assert_eq!(file_of("bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"), None);
        assert_eq!(file_of(""), None);
        assert_eq!(file_of("hello"), None);
        assert_eq!(file_of(&id(&[1, 0x55, 0, 3, b'a'])), Some(Err(IdError::Truncated)));
        assert_eq!(file_of(&id(&[1, 0x55, 0, 1, b'a', b'b'])), Some(Err(IdError::Trailing { bytes: 1 })));
        assert_eq!(file_of(&id(&[1, 0x71, 0, 1, 0xa0])), Some(Err(IdError::Codec { codec: 0x71 })));
        assert_eq!(file_of(&id(&[1, 0x70, 0, 1, 0])), Some(Err(IdError::Codec { codec: 0x70 })));
    }
}
