//! The Go SDK's bindings are those that wit-bindgen-go makes of the contract.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use wit_bindgen_core::{Files, wit_parser::Resolve};
use wit_bindgen_go::{Format, Opts};

/// Import paths of the generator's library and of a program's own bindings, and what stands for them in the SDK.
const PATHS: [(&str, &str); 2] = [
    ("go.bytecodealliance.org/pkg/wit/", "refiner.internal/sdk/internal/wit/"),
    ("refiner.internal/sdk/internal/bindings/exports/", "refiner.internal/sdk/internal/exports/"),
];
const PACKAGE: &str = "refiner.internal/sdk/internal/bindings";

fn sdk() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/go")
}

/// Every file of the bindings by its path below `internal/bindings`.
fn generated() -> BTreeMap<String, String> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(sdk().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some("transform-with-evm")).unwrap();
    let options = Opts { format: Format::False, pkg_name: Some(PACKAGE.to_owned()), ..Opts::default() };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        PATHS.iter().fold(text, |text, (theirs, ours)| text.replace(theirs, ours))
    };
    files.iter().map(|(name, bytes)| (name.to_owned(), text(bytes))).collect()
}

#[test]
fn bindings_of_the_go_sdk_are_what_the_generator_makes_of_the_contract() {
    let directory = sdk().join("internal/bindings");
    let files = generated();
    if env::var_os("REFINER_BLESS").is_some() {
        for (name, text) in &files {
            let path = directory.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    for (name, text) in &files {
        let found = fs::read_to_string(directory.join(name)).unwrap_or_default();
        assert_eq!(&found, text, "{name} is stale: REFINER_BLESS=1 writes it");
    }
}
