//! Faults of bytes, with their places: one case for each kind of error, beside what is accepted.

use alloy_consensus::Header;
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip4895::Withdrawal,
};
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use refiner_specimen::{
    BlobSidecar, Block, CodeRead, DecodeError, FieldError, INPUT_LIMIT_BYTES, Layout, Log, OtherFormat, Receipt,
    Specimen, StateReads, Transaction, decode, encode,
};

/// Replaces the only occurrence of `find`, and expects an error `at` bytes into it.
struct Case {
    find: Vec<u8>,
    replace: Vec<u8>,
    at: usize,
    path: &'static str,
    wrong: FieldError,
}

fn case(find: impl AsRef<[u8]>, replace: impl AsRef<[u8]>, at: usize, path: &'static str, wrong: FieldError) -> Case {
    Case { find: find.as_ref().to_vec(), replace: replace.as_ref().to_vec(), at, path, wrong }
}

#[test]
fn error_says_which_byte_of_which_field_is_wrong() {
    let bytes = sample_bytes();
    for case in cases() {
        let (start, edited) = edit(&bytes, &case.find, &case.replace);
        let Err(DecodeError::Malformed(misfit)) = decode(&edited) else { panic!("{} is accepted", case.path) };
        assert_eq!(misfit.path.to_string(), case.path);
        assert_eq!(misfit.wrong, case.wrong, "{}", case.path);
        assert_eq!(misfit.offset, start + case.at, "{}: {}", case.path, case.wrong);
        assert_eq!(misfit.layout, Layout::V0_38);
    }
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let number = |limit_bits| FieldError::OutOfRange { limit_bits };
    vec![
        case("0x1111", "0x111g", 5, "Header.parentHash", FieldError::NotHexDigit(b'g')),
        case("0x1111", "0y1111", 0, "Header.parentHash", FieldError::NoHexPrefix),
        case(b"\x84\x01\x30x1111", b"\x82\x01\x30x1111", 2, "Header.parentHash", FieldError::WrongLength { expected: 66, found: 65 }),
        case(b"\x84\x01\x30x1111", b"\x86\x01\x30x1111", 2, "Header.parentHash", FieldError::WrongLength { expected: 66, found: 67 }),
        case(b"T0xaa", b"S0xaa", 0, "Transactions[1].accessList[0].address", FieldError::NegativeLength(-42)),
        case("0xaaaa", "0xaa-a", 4, "Transactions[1].accessList[0].address", FieldError::NotHexDigit(b'-')),
        case("0xabab", "0xab x", 4, "Transactions[1].accessList[0].storageKeys[0]", FieldError::NotHexDigit(b' ')),
        // 0x0x: a decoder that skips prefixes would take the second for one.
        case("0xabab", "0x0xab", 3, "Transactions[1].accessList[0].storageKeys[0]", FieldError::NotHexDigit(b'x')),
        case(b"\x02T0xbb", b"\x04T0xbb", 0, "Transactions[1].from", FieldError::UnknownBranch(2)),
        case(b"\x02T0xbb", b"\x01T0xbb", 0, "Transactions[1].from", FieldError::UnknownBranch(-1)),
        case("AQIDBA==", "AQIDBA=A", 6, "Transactions[1].input", FieldError::NotBase64),
        case("AQIDBA==", "AQIDBB==", 6, "Transactions[1].input", FieldError::NotBase64),
        case("AQIDBA==", "AQ DBA==", 2, "Transactions[1].input", FieldError::NotBase64),
        case(b"\x10AQIDBA==", b"\x0cAQIDBA==", 7, "Transactions[1].input", FieldError::NotBase64),
        case("0xdeadbeefdeadbeefdeadbeef", "0xdeadbeefdeadbeefdeadbeeg", 25, "Transactions[1].value", FieldError::NotHexDigit(b'g')),
        case(b"$0x1234567890abcdef", b"&0x1234567890abcdef0", 3, "Header.number", number(64)),
        case("0x1234567890abcdef", "0x1234567890abcdeg", 17, "Header.number", FieldError::NotHexDigit(b'g')),
        // 1,234,567,890 and -1,234,567,890 as varints.
        case(b"\xa4\x8b\xb0\x99\x09", b"\xa3\x8b\xb0\x99\x09", 0, "Header.gasLimit", FieldError::Negative(-1_234_567_890)),
        case(b"\x80\x04\x54\x54", b"\x80\x04\x80\x04\x54", 2, "Header.logsBloom[0]", number(8)),
        case(b"\x80\x04\x54\x54", b"\x80\x04\x53\x54", 2, "Header.logsBloom[0]", FieldError::Negative(-42)),
        case(b"\x80\x04\x54\x54", b"\x02\x54\x00\x54", 0, "Header.logsBloom", FieldError::WrongCount { expected: 256, found: 1 }),
        case(b"\x80\x04\x54\x54", b"\x82\x04\x54\x54", 0, "Header.logsBloom", FieldError::WrongCount { expected: 256, found: 257 }),
        case(b"9999\x04\x00", b"9999\x04\x80\x02", 5, "Transactions[0].type", number(7)),
        // 77,777 and -77,777.
        case(b"\xa2\xbf\x09", b"\xa1\xbf\x09", 0, "Withdrawals[0].index", FieldError::Negative(-77_777)),
        case(b"\xa2\xbf\x09", [0xff; 10], 0, "Withdrawals[0].index", FieldError::VarintTooLong),
        case(b"\xa2\xbf\x09", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 0, "Withdrawals[0].index", FieldError::VarintTooLong),
        // 424,242, then true.
        case(b"\xe4\xe4\x33\x01", b"\xe4\xe4\x33\x02", 3, "Receipts[0].Logs[0].removed", FieldError::NotBoolean(2)),
        case("block-replica", b"block-\xffeplica", 6, "Type", FieldError::NotUtf8),
        case(b"\x10\x30xdddddd", b"\x0e\x30xdddddd", 3, "BlobTxSidecars[0].Blobs[0]", FieldError::HalfByte(5)),
        case(b"\x02T0xcccc", b"\x01\x58T0xcccc", 2, "Senders", FieldError::BlockSize { stated_bytes: 44, used_bytes: 43 }),
        case(b"\x02T0xcccc", b"\x01\x57T0xcccc", 1, "Senders", FieldError::NegativeLength(-44)),
        case(b"\x02T0xcccc", b"\x01\x01T0xcccc", 1, "Senders", FieldError::NegativeLength(-1)),
        case(0.38f64.to_le_bytes(), f64::NAN.to_le_bytes(), 0, "codecVersion", FieldError::NotFinite),
        case(0.38f64.to_le_bytes(), f64::NEG_INFINITY.to_le_bytes(), 0, "codecVersion", FieldError::NotFinite),
        case(0.38f64.to_le_bytes(), [0; 7], 0, "codecVersion", FieldError::Truncated { needed_bytes: 8, left_bytes: 7 }),
        case(0.38f64.to_le_bytes(), [0; 9], 8, "the segment", FieldError::LeftOver(1)),
        case(0.38f64.to_le_bytes(), [], 0, "codecVersion", FieldError::Truncated { needed_bytes: 8, left_bytes: 0 }),
    ]
}

#[test]
fn count_that_the_rest_of_the_input_cannot_hold_is_refused_before_room_is_made() {
    let bytes = sample_bytes();
    let (start, edited) = edit(&bytes, b"\x02T0xcccc", b"\xfe\xff\xff\xff\x0fT0xcccc");
    let left_bytes = edited.len() - start - 5;
    let wrong = FieldError::TooManyItems { count: i32::MAX as u64, left_bytes };
    assert_misfit(&edited, start, "Senders", &wrong);
    assert_eq!(wrong.to_string(), format!("2147483647 items cannot come in the {left_bytes} bytes that are left"));
}

#[test]
fn segment_of_no_block_or_of_two_is_refused() {
    assert_misfit(&[0; 12], 0, "replicaEvent", &FieldError::NoBlock);
    let mut two = sample_bytes();
    two[0] = 4;
    assert_misfit(&two, 0, "replicaEvent", &FieldError::OverLimit { count: 2, limit: 1 });
}

#[test]
fn no_bytes_at_all_are_refused() {
    assert_eq!(decode(&[]).unwrap_err(), DecodeError::Other(OtherFormat::Empty));
    assert_misfit(&[2], 0, "replicaEvent", &FieldError::TooManyItems { count: 1, left_bytes: 0 });
}

#[test]
fn input_above_the_limit_is_not_looked_at() {
    let mut bytes = vec![0; INPUT_LIMIT_BYTES + 1];
    let too_large = DecodeError::TooLarge { size_bytes: INPUT_LIMIT_BYTES + 1, limit_bytes: INPUT_LIMIT_BYTES };
    assert_eq!(decode(&bytes).unwrap_err(), too_large);
    bytes.truncate(INPUT_LIMIT_BYTES);
    assert_misfit(&bytes, 0, "replicaEvent", &FieldError::NoBlock);
}

#[test]
fn error_text_names_layout_byte_field_and_reason() {
    let (start, edited) = edit(&sample_bytes(), b"0xaaaa", b"0xaa-a");
    let expected = format!(
        "not a specimen: layout 0.38 fits up to byte {}, at Transactions[1].accessList[0].address: '-' is not a hex digit",
        start + 4
    );
    assert_eq!(decode(&edited).unwrap_err().to_string(), expected);
}

#[test]
fn other_spellings_that_avro_allows_mean_the_same() {
    let sample = sample();
    let bytes = encode(&sample, Layout::V0_38).unwrap();
    let sender = |digit: &str| format!("T0x{}", digit.repeat(40)).into_bytes();
    let in_blocks = |first: &[u8], second: &[u8]| [first, &sender("c"), second, &sender("c")].concat();
    let whole = [b"\x04".as_slice(), &sender("c"), &sender("c"), b"\x00"].concat();
    for (find, replace) in [
        (b"0xabab".to_vec(), b"0xAbaB".to_vec()),
        // A number with leading zeros, beyond the digits of its type too.
        (b"$0x1234567890abcdef".to_vec(), b"&0x01234567890abcdef".to_vec()),
        (b"$0x1234567890abcdef".to_vec(), [b"\xa4\x01\x30x".as_slice(), &[b'0'; 64], b"1234567890abcdef"].concat()),
        // A varint with bytes to spare.
        (b"\xa2\xbf\x09".to_vec(), b"\xa2\xbf\x89\x80\x80\x80\x80\x80\x80\x00".to_vec()),
        // Two blocks, and blocks that state their size.
        (whole.clone(), [in_blocks(b"\x02", b"\x02"), vec![0]].concat()),
        (whole.clone(), [in_blocks(b"\x01\x56", b"\x02"), vec![0]].concat()),
        (whole, [b"\x03\xac\x01".as_slice(), &sender("c"), &sender("c"), b"\x00"].concat()),
    ] {
        let mut two_senders = sample.clone();
        two_senders.block.senders = vec![Address::repeat_byte(0xcc); 2];
        let bytes =
            if find.starts_with(b"\x04T0xc") { encode(&two_senders, Layout::V0_38).unwrap() } else { bytes.clone() };
        let (_, edited) = edit(&bytes, &find, &replace);
        assert_ne!(edited, bytes);
        assert_eq!(decode(&edited), decode(&bytes));
        assert!(decode(&bytes).is_ok());
    }
}

#[track_caller]
fn assert_misfit(bytes: &[u8], offset: usize, path: &str, wrong: &FieldError) {
    let Err(DecodeError::Malformed(misfit)) = decode(bytes) else { panic!("not a misfit") };
    assert_eq!((misfit.offset, misfit.path.to_string().as_str(), &misfit.wrong), (offset, path, wrong));
}

/// Replaces the only occurrence, and gives its place.
#[track_caller]
fn edit(bytes: &[u8], find: &[u8], replace: &[u8]) -> (usize, Vec<u8>) {
    let mut places =
        bytes.windows(find.len()).enumerate().filter(|(_, window)| *window == find).map(|(start, _)| start);
    let start = places.next().unwrap_or_else(|| panic!("{:?} is not there", String::from_utf8_lossy(find)));
    let mut edited = bytes.to_vec();
    edited.splice(start..start + find.len(), replace.iter().copied());
    (start, edited)
}

fn sample_bytes() -> Vec<u8> {
    encode(&sample(), Layout::V0_38).unwrap()
}

/// Each value that a case looks for is there once, or first in the right place.
fn sample() -> Specimen {
    let header = Header {
        parent_hash: B256::repeat_byte(0x11),
        logs_bloom: Bloom::repeat_byte(0x2a),
        number: 0x1234_5678_90ab_cdef,
        gas_limit: 1_234_567_890,
        nonce: B64::ZERO,
        base_fee_per_gas: Some(7),
        requests_hash: Some(B256::repeat_byte(0x99)),
        ..Header::default()
    };
    let access = AccessListItem { address: Address::repeat_byte(0xaa), storage_keys: vec![B256::repeat_byte(0xab)] };
    let transaction = Transaction {
        tx_type: 2,
        access_list: AccessList(vec![access]),
        from: Some(Address::repeat_byte(0xbb)),
        value: U256::from(0xdead_beef_dead_beef_dead_beef_u128),
        input: Bytes::from_static(&[1, 2, 3, 4]),
        ..Transaction::default()
    };
    let log = Log {
        address: Address::ZERO,
        topics: vec![B256::ZERO],
        data: Bytes::new(),
        block_number: 1,
        transaction_hash: B256::ZERO,
        transaction_index: 0,
        block_hash: B256::ZERO,
        log_index: 424_242,
        removed: true,
    };
    let receipt = Receipt {
        post_state_or_status: Bytes::from_static(&[1]),
        cumulative_gas_used: 21_000,
        tx_hash: B256::ZERO,
        contract_address: Address::ZERO,
        logs: vec![log],
        gas_used: 21_000,
    };
    let code = CodeRead { hash: B256::ZERO, code: Bytes::from_static(b"code") };
    let withdrawal = Withdrawal { index: 77_777, ..Withdrawal::default() };
    let sidecar = BlobSidecar { blobs: vec![Bytes::from_static(&[0xdd; 3])], ..BlobSidecar::default() };
    Specimen {
        layout: Layout::V0_38,
        stated_codec_version: 0.38,
        start_block: 1,
        end_block: 1,
        elements: 1,
        event_hash: B256::ZERO,
        block: Block {
            kind: "block-replica".to_owned(),
            network_id: 1,
            hash: B256::ZERO,
            total_difficulty: U256::ZERO,
            header,
            transactions: vec![Transaction::default(), transaction],
            uncles: None,
            receipts: vec![receipt],
            senders: vec![Address::repeat_byte(0xcc)],
            state: StateReads { codes: vec![code].into(), ..StateReads::default() },
            withdrawals: Some(vec![withdrawal]),
            blob_sidecars: Some(vec![sidecar]),
        },
    }
}
