//! The real specimens, where this machine has them.

use refiner_testkit::{best_available, real, samples};
use sha2::{Digest as _, Sha256};

#[test]
fn real_specimens_are_the_files_their_vectors_describe() {
    let Some(specimens) = real::specimens().unwrap() else { return };
    assert!(!specimens.is_empty());
    for real::RealSpecimen { vector, file } in specimens {
        assert_eq!(file.bytes.len(), vector.bytes, "{}", vector.file);
        assert_eq!(Sha256::digest(&file.bytes).as_slice(), vector.sha256, "{}", vector.file);
        assert_eq!(file.name(), format!("{}-{}", vector.chain_id, vector.height));
    }
}

#[test]
fn best_available_specimens_are_the_real_ones_or_else_the_samples() {
    let expected = real::specimens().unwrap().map_or_else(|| samples().unwrap().len(), |specimens| specimens.len());
    assert_eq!(best_available().unwrap().len(), expected);
}

#[test]
fn cases_of_a_folder_are_specimens_in_order_of_their_names() {
    let Some(cases) = real::cases("real").unwrap() else { return };
    let names: Vec<_> = cases.iter().map(|file| file.name()).collect();
    assert!(names.is_sorted() && names.contains(&"1-15127614".to_owned()), "{names:?}");
}
