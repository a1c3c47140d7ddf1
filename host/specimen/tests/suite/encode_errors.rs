//! Values that an older layout cannot represent are refused by name; values without meaning are left out.

use alloy_primitives::B256;
use refiner_specimen::{
    BlobSidecar, Block, EncodeError, EncodeObstacle, Layout, Specimen, Transaction, decode_as, encode,
};

use crate::random;

/// A specimen that every layout can represent.
fn plain() -> Specimen {
    // Doubles of 0.2 are numbers that every other layout has room for.
    let mut specimen = random::specimen(Layout::V0_2, 1);
    specimen.block.uncles = None;
    specimen.block.transactions = vec![Transaction::default(); 2];
    specimen
}

#[test]
fn field_that_the_layout_lacks_is_refused_and_the_next_layout_has_it() {
    let hash = Some(B256::ZERO);
    check(Layout::V0_32, "Header.withdrawalsRoot", |block| block.header.withdrawals_root = hash);
    check(Layout::V0_33, "Withdrawals", |block| block.withdrawals = Some(vec![Default::default()]));
    check(Layout::V0_36, "Header.blobGasUsed", |block| block.header.blob_gas_used = Some(0));
    check(Layout::V0_36, "Header.excessBlobGas", |block| block.header.excess_blob_gas = Some(0));
    check(Layout::V0_36, "Header.parentBeaconBlockRoot", |block| block.header.parent_beacon_block_root = hash);
    check(Layout::V0_37, "Transactions[1].blobFeeCap", |block| block.transactions[1].blob_fee_cap = Some(1));
    check(Layout::V0_37, "Transactions[1].blobHashes", |block| {
        block.transactions[1].blob_hashes = Some(vec![B256::ZERO]);
    });
    check(Layout::V0_37, "Transactions[1].blobGas", |block| block.transactions[1].blob_gas = Some(1));
    check(Layout::V0_37, "BlobTxSidecars", |block| block.blob_sidecars = Some(vec![BlobSidecar::default()]));
    check(Layout::V0_38, "Header.requestsHash", |block| block.header.requests_hash = hash);
    check(Layout::V0_38, "Transactions[1].Data", |block| block.transactions[1].data = Some("0x00".to_owned()));
    check(Layout::V0_38, "Transactions[1].AuthList", |block| {
        let mut random = (0..).map(|seed| random::specimen(Layout::V0_38, seed).block.transactions);
        let list = random
            .find_map(|all| all.into_iter().find_map(|one| one.authorization_list.filter(|list| !list.is_empty())));
        block.transactions[1].authorization_list = list;
    });
}

/// `change` gives the block something that layouts have since `since`.
#[track_caller]
fn check(since: Layout, path: &str, change: impl Fn(&mut Block)) {
    let mut specimen = plain();
    change(&mut specimen.block);
    for layout in Layout::NEWEST_FIRST {
        match encode(&specimen, layout) {
            Ok(bytes) => {
                assert!(layout >= since, "{path} is lost in {layout}");
                let mut decoded = decode_as(&bytes, layout).unwrap();
                // Layouts without null have an empty list of uncles, and later ones have null.
                decoded.block.uncles = None;
                assert_eq!(decoded.block, specimen.block);
            }
            Err(EncodeError::Unrepresentable(unsayable)) => {
                assert!(layout < since, "{unsayable}");
                assert_eq!(
                    (unsayable.path.to_string().as_str(), unsayable.refusal),
                    (path, EncodeObstacle::NoSuchField)
                );
            }
            Err(EncodeError::Avro(error)) => panic!("{error}"),
        }
    }
}

#[test]
fn zeros_and_empty_lists_of_newer_layouts_are_left_out_of_older_ones() {
    let mut specimen = plain();
    let transaction = &mut specimen.block.transactions[0];
    transaction.blob_fee_cap = Some(0);
    transaction.blob_hashes = Some(Vec::new());
    transaction.blob_gas = Some(0);
    transaction.authorization_list = Some(Vec::new());
    specimen.block.withdrawals = Some(Vec::new());
    specimen.block.blob_sidecars = Some(Vec::new());
    assert_eq!(encode(&specimen, Layout::V0_31).unwrap(), encode(&plain(), Layout::V0_31).unwrap());
}

#[test]
fn number_that_the_field_has_no_room_for_is_refused() {
    let long = EncodeObstacle::OutOfRange { limit_bits: 63 };
    refused("Header.gasLimit", long, |block| block.header.gas_limit = 1 << 63);
    refused("Header.timestamp", long, |block| block.header.timestamp = 1 << 63);
    refused("Transactions[0].nonce", long, |block| block.transactions[0].nonce = 1 << 63);
    refused("Header.slotNumber", EncodeObstacle::NoSuchField, |block| block.header.slot_number = Some(1));

    let mut largest = plain();
    largest.block.header.gas_limit = (1 << 63) - 1;
    largest.block.transactions[0].nonce = (1 << 63) - 1;
    assert!(encode(&largest, Layout::V0_38).is_ok());
}

#[test]
fn version_that_is_not_a_number_is_refused() {
    let mut specimen = plain();
    specimen.stated_codec_version = f64::NAN;
    let error = encode(&specimen, Layout::V0_38).unwrap_err();
    assert_eq!(error.to_string(), "layout 0.38 cannot represent codecVersion: the number is not finite");
}

#[track_caller]
fn refused(path: &str, refusal: EncodeObstacle, change: impl Fn(&mut Block)) {
    let mut specimen = plain();
    change(&mut specimen.block);
    let Err(EncodeError::Unrepresentable(unsayable)) = encode(&specimen, Layout::V0_38) else {
        panic!("{path} is accepted")
    };
    assert_eq!((unsayable.path.to_string().as_str(), unsayable.refusal), (path, refusal));
}
