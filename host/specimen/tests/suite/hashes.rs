//! The specimen hash, at the seams of the chunks it is computed in.

use refiner_specimen::{sha256, specimen_hash};

#[test]
fn specimen_hash_is_of_the_quoted_base64_whatever_the_length() {
    for length in [0, 1, 2, 3, 4, 12_287, 12_288, 12_289, 12_290, 24_576, 24_577, 100_000] {
        let bytes: Vec<u8> = (0..length).map(|position: u32| position.wrapping_mul(31).to_le_bytes()[0]).collect();
        let quoted = format!("\"{}\"", base64_simd::STANDARD.encode_to_string(&bytes));
        assert_eq!(specimen_hash(&bytes), sha256(quoted.as_bytes()), "{length} bytes");
    }
}

#[test]
fn sha256_is_the_standard_one() {
    // FIPS 180-4, the example of one block.
    let expected = "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256(b"abc").to_string(), expected);
}
