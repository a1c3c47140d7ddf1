//! The eight real specimens of `../shared/specimens`, against the figures that came with them.
use refiner_specimen::decode;
#[test]
fn every_real_specimen_decodes_under_its_layout() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specimens");
    let vectors: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.join("vectors.json")).unwrap()).unwrap();
    for vector in vectors.as_array().unwrap() {
        let bytes = std::fs::read(dir.join(vector["file"].as_str().unwrap())).unwrap();
        let specimen = decode(&bytes).unwrap();
        assert_eq!(specimen.layout.as_str(), vector["layout"]);
        assert_eq!(specimen.block.hash.to_string(), vector["blockHash"].as_str().unwrap());
        assert_eq!(specimen.block.header.hash_slow(), specimen.block.hash);
    }
}
