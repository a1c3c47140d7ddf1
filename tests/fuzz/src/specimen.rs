//! A specimen file: a typed error, or a specimen that survives encoding and whose checks do not panic.

use refiner_specimen::{check, decode, decode_as, decode_shared, encode, from_json, peek_header, to_json};

pub fn run(bytes: &[u8]) {
    let decoded = decode(bytes);
    // Code that is left as text may be wrong text; in all else the two readers agree.
    match (decode_shared(&bytes.to_vec().into()), &decoded) {
        (Ok(shared), Ok(whole)) => assert_eq!(shared, *whole),
        (Err(_), Err(_)) => {}
        (Ok(shared), Err(_)) => assert!(shared.block.state.codes.pieces().any(|piece| piece.to_bytes().is_err())),
        (Err(error), Ok(_)) => panic!("only the stricter one reads it: {error}"),
    }
    let peek_header = peek_header(bytes);
    let specimen = match decoded {
        Ok(specimen) => specimen,
        // The error's text is for people, so it must be there for every error.
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    // Which block it is of can be read wherever the whole can.
    let peek_header = peek_header.expect("what was decoded has a heading");
    assert_eq!(peek_header.header_hash, peek_header.header.hash_slow());

    let layout = specimen.layout;
    let canonical = encode(&specimen, layout).expect("what was decoded is encoded in its layout");
    assert_eq!(decode_as(&canonical, layout).expect("what was encoded decodes"), specimen);

    let json = to_json(bytes).expect("apache-avro reads what we read");
    let written = from_json(&json, layout).expect("what was written as JSON reads back");
    assert_eq!(decode_as(&written, layout).expect("JSON keeps the meaning"), specimen);

    for outcome in check::all(&specimen) {
        assert!(!outcome.to_string().is_empty());
    }
    assert!(!check::canonical_encoding(&canonical, &specimen).failed());
}

pub fn seeds() -> Vec<Vec<u8>> {
    let samples = refiner_testkit::samples().expect("samples");
    samples.into_iter().map(|sample| sample.bytes).collect()
}
