//! Components signed by key pairs, and a bundle of Sigstore's public instance.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on fails")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use refiner_signatures::{
    PublicKey, RequiredSigner, SECTION, SIGNATURES_MAX, SignatureError, Signers, SigningKey, attach, sign, signatures,
};
use wasm_encoder::{ComponentSection as _, CustomSection};

/// A component of one custom section.
fn component() -> Vec<u8> {
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    append(&mut component, "other", b"content");
    component
}

fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    CustomSection { name: name.into(), data: data.into() }.append_to_component(component);
}

fn written(directory: &Path, name: &str, key: &PublicKey) -> RequiredSigner {
    let path = directory.join(name);
    fs::write(&path, key.pem()).unwrap();
    RequiredSigner::Key(path)
}

#[test]
fn component_is_accepted_with_a_signature_of_one_of_the_required_keys_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let keys: Vec<_> = (0..3).map(|_| SigningKey::generate().unwrap()).collect();
    let required: Vec<_> = keys[..2]
        .iter()
        .zip(["a.pub", "b.pub"])
        .map(|(key, name)| written(directory.path(), name, &key.public()))
        .collect();
    let signers = Signers::read(&required, None).unwrap();
    let component = component();
    assert!(matches!(signers.check(&component, false), Err(SignatureError::Unsigned)));

    let stranger = sign(&component, &keys[2]).unwrap();
    let error = signers.check(&stranger, false).unwrap_err().to_string();
    assert!(error.contains("a.pub: the signature is of another key") && error.contains("b.pub: "), "{error}");
    // A second signature is put after the first, and either will do.
    let both = sign(&stranger, &keys[1]).unwrap();
    assert!(signers.check(&both, false).unwrap().ends_with("b.pub"));
    assert_eq!(signatures(&both).unwrap().signed, component);
    assert!(matches!(signers.check(&both, true), Err(SignatureError::ManifestBeside)));
}

#[test]
fn every_changed_byte_of_what_is_signed_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let key = SigningKey::generate().unwrap();
    let signers = Signers::read(&[written(directory.path(), "a.pub", &key.public())], None).unwrap();
    let whole = sign(&component(), &key).unwrap();
    signers.check(&whole, false).unwrap();
    for at in 0..component().len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(signers.check(&changed, false).is_err(), "byte {at}");
    }
    // What follows the signature is not signed, so nothing may follow it.
    let mut longer = whole.clone();
    append(&mut longer, "refiner:rule-manifest", b"name = \"another\"");
    assert!(matches!(signers.check(&longer, false), Err(SignatureError::NotLast { offset }) if offset == whole.len()));
}

#[test]
fn signatures_are_bounded_in_number_and_length() {
    let key = SigningKey::generate().unwrap();
    let mut many = component();
    for _ in 0..SIGNATURES_MAX {
        many = sign(&many, &key).unwrap();
    }
    assert_eq!(signatures(&many).unwrap().bundles.len(), SIGNATURES_MAX);
    assert!(sign(&many, &key).unwrap_err().to_string().contains("more than 16 signatures"));
    append(&mut many, SECTION, b"{}");
    assert!(matches!(signatures(&many), Err(SignatureError::TooMany)));
    let mut long = component();
    append(&mut long, SECTION, &vec![b' '; (64 << 10) + 1]);
    assert!(matches!(signatures(&long), Err(SignatureError::TooLong { found }) if found == (64 << 10) + 1));
    let mut cut = component();
    append(&mut cut, SECTION, b"{}");
    cut.pop();
    assert!(matches!(signatures(&cut), Err(SignatureError::Malformed { .. })));
}

#[test]
fn bytes_that_are_no_bundle_are_no_signature() {
    let directory = tempfile::tempdir().unwrap();
    let key = SigningKey::generate().unwrap();
    let signers = Signers::read(&[written(directory.path(), "a.pub", &key.public())], None).unwrap();
    for text in ["", "{}", "[[[[", "\u{0}", r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#] {
        let mut whole = component();
        append(&mut whole, SECTION, text.as_bytes());
        assert!(matches!(signers.check(&whole, false), Err(SignatureError::OfOthers(_))), "{text}");
    }
    let path = directory.path().join("bundle");
    fs::write(&path, "{}").unwrap();
    assert!(attach(&component(), &path).unwrap_err().to_string().contains("not a Sigstore bundle"));
}

/// Files that come with the crate `sigstore-verify`, where cargo unpacked it.
fn of_sigstore(path: &str) -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME")
        .map_or_else(|| PathBuf::from(env::var_os("HOME").unwrap()).join(".cargo"), PathBuf::from);
    let registries = fs::read_dir(home.join("registry/src")).ok()?;
    let crates = registries.filter_map(|registry| fs::read_dir(registry.unwrap().path()).ok()).flatten();
    let unpacked = crates
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("sigstore-verify-0.15"));
    let found = unpacked.map(|entry| entry.path().join("test_data").join(path)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: no test data of sigstore-verify in cargo's registry");
    }
    found
}

#[test]
fn bundle_of_a_certificate_is_accepted_for_its_identity_issuer_and_bytes_alone() {
    let (Some(bundle), Some(blob)) =
        (of_sigstore("bundles/cosign-v3-blob.sigstore.json"), of_sigstore("bundles/cosign-v3-blob.txt"))
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("trusted_root.json");
    fs::write(&root, sigstore_verify::trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    let other_root = of_sigstore("trusted_roots/scaffolding.json");
    let (bundle, blob) = (fs::read(bundle).unwrap(), fs::read(blob).unwrap());
    let check = |identity: &str, issuer: &str, root: &Path, blob: &[u8]| {
        let required = RequiredSigner::Identity { identity: identity.to_owned(), issuer: issuer.to_owned() };
        let signers = Signers::read(&[required], Some(root))?;
        signers.check_bundles(blob, &[&bundle]).map(str::to_owned)
    };
    // The certificate's own claims, as the refusal names them.
    let refused = check("nobody@example.org", "https://example.org", &root, &blob).unwrap_err().to_string();
    let identity = refused.split("got ").nth(1).unwrap_or_else(|| panic!("{refused}")).trim().to_owned();
    let refused = check(&identity, "https://example.org", &root, &blob).unwrap_err().to_string();
    let issuer = refused.split("got ").nth(1).unwrap_or_else(|| panic!("{refused}")).trim().to_owned();
    assert_eq!(check(&identity, &issuer, &root, &blob).unwrap(), format!("{identity} by {issuer}"));
    assert!(check(&identity, &issuer, &root, b"other bytes").is_err());
    if let Some(other) = other_root {
        assert!(check(&identity, &issuer, &other, &blob).is_err());
    }
    let required = RequiredSigner::Identity { identity, issuer };
    assert!(matches!(Signers::read(&[required], None), Err(SignatureError::NoTrustRoot)));
}
