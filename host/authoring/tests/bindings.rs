//! The bindings of the SDKs are those that the generators of wit-bindgen make of the contract.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use wit_bindgen_core::{Files, WorldGenerator, wit_parser::Resolve};
use wit_bindgen_go::Format;

/// Import paths of the generator's library and of a program's own bindings, and what stands for them in the SDK of Go.
const PATHS: [(&str, &str); 2] = [
    ("go.bytecodealliance.org/pkg/wit/", "refiner.internal/sdk/internal/wit/"),
    ("refiner.internal/sdk/internal/bindings/exports/", "refiner.internal/sdk/internal/exports/"),
];
const PACKAGE: &str = "refiner.internal/sdk/internal/bindings";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file of the bindings to a world, by its path below their folder.
fn generated(contract: &Path, world: &str, mut generator: Box<dyn WorldGenerator>) -> BTreeMap<String, String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(contract).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    files.iter().map(|(name, bytes)| (name.to_owned(), text(bytes))).collect()
}

#[track_caller]
fn check(directory: &Path, files: &BTreeMap<String, String>) {
    assert!(!files.is_empty());
    for (name, text) in files {
        let path = directory.join(name);
        if env::var_os("REFINER_BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        let found = fs::read_to_string(path).unwrap_or_default();
        assert_eq!(&found, text, "{name} is stale: REFINER_BLESS=1 writes it");
    }
}

#[test]
fn bindings_of_the_go_sdk_are_what_the_generator_makes_of_the_contract() {
    let sdk = root().join("guest-sdk/go");
    let options =
        wit_bindgen_go::Opts { format: Format::False, pkg_name: Some(PACKAGE.to_owned()), ..Default::default() };
    let mut files = generated(&sdk.join("wit"), "transform-with-evm", options.build());
    for text in files.values_mut() {
        *text = PATHS.iter().fold(text.clone(), |text, (theirs, ours)| text.replace(theirs, ours));
    }
    check(&sdk.join("internal/bindings"), &files);
}

#[test]
fn bindings_of_the_c_sdk_are_what_the_generator_makes_of_the_contract() {
    let options = wit_bindgen_c::Opts {
        rename_world: Some("contract".to_owned()),
        // `refiner rule build` puts the types of the contract into the module itself.
        no_object_file: true,
        ..Default::default()
    };
    let files = generated(&root().join("wit/refiner-rule-1"), "analyze", options.build());
    check(&root().join("guest-sdk/c"), &files);
}
