//! Layouts 0.2 and 0.3: doubles, what they cannot be, and what they lose.

use alloy_primitives::{Address, B256, U256};
use refiner_specimen::{
    AccountRead, Block, BlockHashRead, DecodeError, EncodeError, EncodeObstacle, FieldError, Layout, LayoutMismatch,
    Specimen, Transaction, decode, decode_as, encode, from_json, to_json,
};
use serde_json::json;

use crate::random;

/// A height that no other field has.
const HEIGHT: u64 = 15_582_839;
/// Where each is a double, a number whose double no other field has.
const MARKS: [(&str, u64); 5] = [
    ("TotalDifficulty", 7_700_001),
    ("Header.difficulty", 7_700_002),
    ("Header.baseFeePerGas", 7_700_003),
    ("Transactions[0].value", 7_700_004),
    ("State.AccountRead[0].Balance", 7_700_005),
];

/// A block that both layouts can represent, with the marks in it.
fn marked(layout: Layout) -> Specimen {
    let mut specimen = random::specimen(Layout::V0_2, 5);
    let block = &mut specimen.block;
    let [total_difficulty, difficulty, base_fee, value, balance] = MARKS.map(|(_, mark)| mark);
    block.total_difficulty = U256::from(total_difficulty);
    block.header.difficulty = U256::from(difficulty);
    block.header.base_fee_per_gas = Some(base_fee);
    block.transactions = vec![Transaction { value: U256::from(value), ..Transaction::default() }];
    let account = AccountRead { address: Address::ZERO, nonce: 1, balance: U256::from(balance), code_hash: B256::ZERO };
    block.state.accounts = vec![account];
    block.state.block_hashes = vec![BlockHashRead { number: HEIGHT, hash: B256::ZERO }];
    block.uncles = Some(Vec::new());
    specimen.layout = layout;
    specimen
}

/// The bytes with the double of `mark` replaced by another, and where it is.
#[track_caller]
fn with_double(layout: Layout, mark: u64, double: f64) -> (usize, Vec<u8>) {
    let mut bytes = encode(&marked(layout), layout).unwrap();
    let wire = (mark as f64).to_le_bytes();
    let places: Vec<_> = bytes.windows(8).enumerate().filter(|(_, at)| **at == wire).map(|(place, _)| place).collect();
    let [place] = places[..] else { panic!("{mark} is at {places:?}") };
    bytes[place..place + 8].copy_from_slice(&double.to_le_bytes());
    (place, bytes)
}

#[track_caller]
fn misfit(bytes: &[u8], layout: Layout) -> LayoutMismatch {
    let Err(DecodeError::Malformed(misfit)) = decode_as(bytes, layout) else { panic!("it is accepted") };
    *misfit
}

#[test]
fn double_that_is_no_number_of_its_field_is_refused_by_the_field_s_name() {
    let marks = MARKS.map(|(path, mark)| (Layout::V0_2, path, mark));
    for (layout, path, mark) in marks.into_iter().chain([(Layout::V0_3, "State.BlockhashRead[0].BlockNumber", HEIGHT)])
    {
        let limit_bits = if path.ends_with("baseFeePerGas") || path.ends_with("BlockNumber") { 64 } else { 256 };
        let limit = 2f64.powi(limit_bits.try_into().unwrap());
        for (double, wrong) in [
            (f64::NAN, FieldError::NotFinite),
            (f64::INFINITY, FieldError::NotFinite),
            (f64::NEG_INFINITY, FieldError::NotFinite),
            (-1.0, FieldError::NegativeDouble),
            (-0.5, FieldError::NegativeDouble),
            (0.5, FieldError::NotWhole),
            (1e15 + 0.5, FieldError::NotWhole),
            (f64::MIN_POSITIVE, FieldError::NotWhole),
            (limit, FieldError::OutOfRange { limit_bits }),
        ] {
            let (place, bytes) = with_double(layout, mark, double);
            let misfit = misfit(&bytes, layout);
            assert_eq!((misfit.path.to_string().as_str(), misfit.offset), (path, place), "{double}");
            assert_eq!(misfit.wrong, wrong, "{path}: {double}");
        }
        for double in [limit.next_down(), 0.0, -0.0, 1.0] {
            let (_, bytes) = with_double(layout, mark, double);
            assert!(decode_as(&bytes, layout).is_ok(), "{path}: {double}");
        }
    }
}

#[test]
fn error_of_a_file_in_an_older_layout_names_that_layout() {
    let (_, bytes) = with_double(Layout::V0_2, 7_700_005, -1.0);
    let error = decode(&bytes).unwrap_err().to_string();
    assert!(error.starts_with("not a specimen: layout 0.2 fits up to byte "), "{error}");
    assert!(error.ends_with(", at State.AccountRead[0].Balance: the number is below zero"), "{error}");
}

#[test]
fn block_hash_read_tells_layout_0_3_from_0_31() {
    let mut specimen = marked(Layout::V0_3);
    let bytes = encode(&specimen, Layout::V0_3).unwrap();
    let decoded = decode(&bytes).unwrap();
    assert_eq!(decoded.layout, Layout::V0_3);
    assert_eq!(decoded.block.state.block_hashes[0].number, HEIGHT);

    // Agents of August 2022 wrote it as an int.
    assert_eq!(decode(&encode(&specimen, Layout::V0_31).unwrap()).unwrap().layout, Layout::V0_31);
    specimen.block.state.block_hashes.clear();
    assert_eq!(decode(&encode(&specimen, Layout::V0_3).unwrap()).unwrap().layout, Layout::V0_31);
}

#[test]
fn number_of_2_to_the_53_or_more_is_rounded_in_0_2_alone() {
    let first = U256::from(1u64 << 53);
    for layout in Layout::NEWEST_FIRST {
        let specimen = Specimen { layout, ..marked(layout) };
        assert_eq!(layout.has_rounded_numbers(), layout == Layout::V0_2);
        assert_eq!(layout.has_signatures(), layout != Layout::V0_2);
        assert!(!specimen.is_rounded(first - U256::from(1)));
        for rounded in [first, U256::MAX] {
            assert_eq!(specimen.is_rounded(rounded), layout == Layout::V0_2, "{layout}");
        }
    }
}

#[test]
fn what_0_2_cannot_say_is_refused_by_name() {
    let odd = U256::from((1u64 << 53) + 1);
    let long = EncodeObstacle::OutOfRange { limit_bits: 63 };
    refused("Transactions[0].v", EncodeObstacle::NoSuchField, |block| block.transactions[0].v = Some(U256::from(27)));
    refused("Transactions[0].r", EncodeObstacle::NoSuchField, |block| block.transactions[0].r = Some(U256::from(1)));
    refused("Transactions[0].s", EncodeObstacle::NoSuchField, |block| block.transactions[0].s = Some(U256::from(1)));
    refused("Transactions[0].value", EncodeObstacle::Inexact, |block| block.transactions[0].value = odd);
    refused("State.AccountRead[0].Balance", EncodeObstacle::Inexact, |block| {
        block.state.accounts[0].balance = U256::MAX;
    });
    refused("TotalDifficulty", EncodeObstacle::Inexact, |block| block.total_difficulty = odd);
    refused("Header.baseFeePerGas", EncodeObstacle::Inexact, |block| block.header.base_fee_per_gas = Some(u64::MAX));
    refused("Header.number", long, |block| block.header.number = 1 << 63);
    refused("Transactions[0].chainId", long, |block| block.transactions[0].chain_id = 1 << 63);
    refused("Transactions[0].gasPrice", long, |block| block.transactions[0].gas_price = 1 << 63);
    refused("Transactions[0].gasTipCap", long, |block| block.transactions[0].gas_tip_cap = 1 << 64);
    refused("Transactions[0].gasFeeCap", long, |block| block.transactions[0].gas_fee_cap = u128::MAX);
    // Further from its double than decoding looks.
    refused("Header.difficulty", EncodeObstacle::Inexact, |block| {
        block.header.difficulty = U256::from((1u64 << 56) + 3);
    });
    refused("Header.difficulty", EncodeObstacle::Inexact, |block| block.header.difficulty = U256::MAX);
}

#[track_caller]
fn refused(path: &str, refusal: EncodeObstacle, change: impl Fn(&mut Block)) {
    let mut specimen = marked(Layout::V0_2);
    change(&mut specimen.block);
    let Err(EncodeError::Unrepresentable(unsayable)) = encode(&specimen, Layout::V0_2) else {
        panic!("{path} is accepted")
    };
    assert_eq!((unsayable.path.to_string().as_str(), unsayable.refusal), (path, refusal));
    // Later layouts have room for all of it.
    assert!(encode(&specimen, Layout::V0_31).is_ok());
}

#[test]
fn height_that_no_double_is_is_refused_in_0_3() {
    let mut specimen = marked(Layout::V0_3);
    specimen.block.state.block_hashes[0].number = (1 << 53) + 1;
    let error = encode(&specimen, Layout::V0_3).unwrap_err().to_string();
    assert_eq!(error, "layout 0.3 cannot represent State.BlockhashRead[0].BlockNumber: no double is the number");
}

#[test]
fn sender_of_zeros_in_0_2_is_none_at_all() {
    let mut specimen = marked(Layout::V0_2);
    specimen.block.transactions[0].from = Some(Address::ZERO);
    let zeros = encode(&specimen, Layout::V0_2).unwrap();
    specimen.block.transactions[0].from = None;
    assert_eq!(encode(&specimen, Layout::V0_2).unwrap(), zeros);
    assert_eq!(decode(&zeros).unwrap(), specimen);
    specimen.block.transactions[0].from = Some(Address::repeat_byte(1));
    assert_eq!(decode(&encode(&specimen, Layout::V0_2).unwrap()).unwrap(), specimen);
}

/// JSON readers round numbers of more than 17 digits, and not all to the nearest double.
#[test]
fn doubles_survive_json_text_to_the_last_bit() {
    let check = |number: U256, printed: serde_json::Value| {
        let mut specimen = marked(Layout::V0_2);
        specimen.block.transactions[0].value = number;
        let bytes = encode(&specimen, Layout::V0_2).unwrap();
        let json = to_json(&bytes).unwrap();
        assert_eq!(json["replicaEvent"][0]["data"]["Transactions"][0]["value"], printed);
        let read = serde_json::from_str(&json.to_string()).unwrap();
        assert!(from_json(&read, Layout::V0_2).unwrap() == bytes, "{number}");
    };
    check(U256::ZERO, json!(0));
    check(U256::from(30_000_000_000_000_000u64), json!(30_000_000_000_000_000u64));
    check(U256::from(u64::MAX << 11), json!(u64::MAX << 11));
    check(U256::from(1) << 64usize, json!("18446744073709551616"));
    let all_bits = U256::from(u64::MAX >> 11) << 100usize;
    check(all_bits, json!(all_bits.to_string()));
    for seed in 0..200 {
        let value = random::specimen(Layout::V0_2, seed).block.total_difficulty;
        check(value, u64::try_from(value).map_or_else(|_| json!(value.to_string()), |value| json!(value)));
    }
}

#[test]
fn text_that_is_no_decimal_number_is_refused_for_a_double() {
    let json = to_json(&encode(&marked(Layout::V0_2), Layout::V0_2).unwrap()).unwrap();
    for wrong in [json!("0x1"), json!(""), json!("1e3"), json!("-1"), json!("NaN"), json!(null), json!([1])] {
        let mut json = json.clone();
        json["replicaEvent"][0]["data"]["TotalDifficulty"] = wrong;
        let error = from_json(&json, Layout::V0_2).unwrap_err().to_string();
        assert_eq!(error, "TotalDifficulty is not a number");
    }
    let mut json = json;
    json["replicaEvent"][0]["data"]["TotalDifficulty"] = json!("9".repeat(400));
    let error = from_json(&json, Layout::V0_2).unwrap_err().to_string();
    assert!(error.ends_with("at TotalDifficulty: the number is not finite"), "{error}");
}
