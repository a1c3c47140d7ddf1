//! Signatures of rules, from the key pair to the operator who requires one.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use base64_simd::STANDARD;
use serde_json::Value;

use crate::program::{refiner, samples, text};

/// A component that is not built in, because a file names it, with its manifest inside.
fn unsigned(directory: &Path) -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/rules/transaction-summary.wasm");
    let path = directory.join("rule.wasm");
    fs::copy(built, &path).unwrap();
    path
}

fn keygen(directory: &Path, name: &str) -> (PathBuf, PathBuf) {
    let key = directory.join(name);
    let printed = refiner(&["rule", "keygen", text(&key), "--json"]).expect(0).json_lines();
    (key, PathBuf::from(printed[0]["public"].as_str().unwrap()))
}

#[test]
fn rule_runs_where_a_signer_is_required_only_with_a_signature_of_that_signer() {
    let directory = tempfile::tempdir().unwrap();
    let ((author, author_public), (_, stranger_public)) =
        (keygen(directory.path(), "author.pem"), keygen(directory.path(), "stranger.pem"));
    assert_eq!(fs::metadata(&author).unwrap().permissions().mode() & 0o777, 0o600);
    let rule = unsigned(directory.path());
    let sample = &samples()[0];
    let replay = |signer: &Path, isolate: bool| {
        let mut arguments = vec!["replay", text(sample), "--rule", text(&rule), "--require-signer", text(signer)];
        arguments.extend(isolate.then_some("--isolate"));
        refiner(&arguments)
    };
    let refused = replay(&author_public, false).expect(6);
    assert!(refused.stderr.contains("the component is not signed, and a signature is required"), "{}", refused.stderr);
    assert!(refused.stderr.contains("`refiner rule sign`"), "{}", refused.stderr);

    refiner(&["rule", "sign", text(&rule), "--key", text(&author)]).expect(0);
    for isolate in [false, true] {
        replay(&author_public, isolate).expect(0);
        let refused = replay(&stranger_public, isolate).expect(6);
        assert!(refused.stderr.contains("it has no signature of a required signer"), "{}", refused.stderr);
    }
    let shown = refiner(&["rule", "info", text(&rule), "--json"]).expect(0).json_lines();
    let named = shown[0]["signatures"].as_array().unwrap();
    assert!(named.len() == 1 && named[0].as_str().unwrap().starts_with("key "), "{named:?}");
    let printed = refiner(&["rule", "info", text(&rule)]).expect(0).text();
    assert!(printed.contains(&format!("signature  {}, unchecked", named[0].as_str().unwrap())), "{printed}");
    // One of several is enough, and rules that are built in need none.
    let both = ["--require-signer", text(&stranger_public), "--require-signer", text(&author_public)];
    refiner(&[&["rule", "check", text(&rule)], both.as_slice()].concat()).expect(0);
    refiner(&[&["replay", text(sample), "--rule", "transaction-summary"], both.as_slice()].concat()).expect(0);
    // What is put inside after the signature is not signed.
    let manifest = directory.path().join("rule.toml");
    fs::write(&manifest, "name = \"a\"\n").unwrap();
    let mut changed = fs::read(&rule).unwrap();
    changed.extend([0, 2, 1, b'x']);
    fs::write(&rule, changed).unwrap();
    let refused = replay(&author_public, false).expect(6);
    assert!(refused.stderr.contains("a section after the signature"), "{}", refused.stderr);
}

#[test]
fn signature_is_one_that_openssl_checks_and_its_keys_sign() {
    let directory = tempfile::tempdir().unwrap();
    let openssl = |arguments: &[&str]| Command::new("openssl").args(arguments).current_dir(directory.path()).output();
    #[allow(clippy::print_stderr, reason = "a test that was skipped tells why")]
    if openssl(&["version"]).is_err() {
        eprintln!("skipped: no openssl");
        return;
    }
    let run = |arguments: &[&str]| {
        let output = openssl(arguments).unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem"]);
    run(&["pkey", "-in", "key.pem", "-pubout", "-out", "key.pub"]);
    let key = directory.path().join("key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();

    let rule = unsigned(directory.path());
    let before = fs::read(&rule).unwrap();
    fs::write(directory.path().join("before.wasm"), &before).unwrap();
    refiner(&["rule", "sign", text(&rule), "--key", text(&key)]).expect(0);
    let whole = fs::read(&rule).unwrap();
    assert!(whole.starts_with(&before));
    let bundle = &whole[before.len()..];
    let bundle: Value =
        serde_json::from_slice(&bundle[bundle.iter().position(|byte| *byte == b'{').unwrap()..]).unwrap();
    assert_eq!(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    let signature = STANDARD.decode_to_vec(bundle["messageSignature"]["signature"].as_str().unwrap()).unwrap();
    fs::write(directory.path().join("signature"), signature).unwrap();
    let checked = run(&["dgst", "-sha256", "-verify", "key.pub", "-signature", "signature", "before.wasm"]);
    assert_eq!(checked.trim(), "Verified OK");

    // The other way: a bundle that another program made over the file is put inside.
    let path = directory.path().join("bundle.sigstore.json");
    fs::write(&path, bundle.to_string()).unwrap();
    let attached = directory.path().join("attached.wasm");
    refiner(&[
        "rule",
        "sign",
        text(&directory.path().join("before.wasm")),
        "--bundle",
        text(&path),
        "--out",
        text(&attached),
    ])
    .expect(0);
    let public = directory.path().join("key.pub");
    refiner(&["rule", "check", text(&attached), "--require-signer", text(&public)]).expect(0);
}

#[test]
fn keys_and_signers_that_cannot_be_used_are_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let rule = unsigned(directory.path());
    let (key, public) = keygen(directory.path(), "a.pem");
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let ended = refiner(arguments).expect(code);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    };
    check(&["rule", "keygen", text(&key)], 2, "a.pem: there is a file already, and no key is overwritten");
    check(&["rule", "keygen", text(&directory.path().join("k.pub"))], 2, "both keys of the pair would be in this file");
    assert!(!directory.path().join("k.pub").exists());
    check(&["rule", "sign", text(&rule), "--key", text(&public)], 2, "found a public key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    check(&["rule", "sign", text(&rule), "--key", text(&key)], 2, "lets others read a private key");
    check(&["rule", "sign", text(&rule)], 2, "--key");
    check(&["rule", "sign", text(&rule), "--bundle", text(&rule)], 2, "rule.wasm");
    let run = ["replay", text(&samples()[0]), "--rule", text(&rule), "--require-signer"].map(str::to_owned);
    let with = |signer: &str, more: &[&str], code: i32, expected: &str| {
        let arguments: Vec<_> = run.iter().map(String::as_str).chain([signer]).chain(more.iter().copied()).collect();
        check(&arguments, code, expected);
    };
    with(text(&key), &[], 2, "expected a public key");
    with("nowhere.pub", &[], 2, "nowhere.pub: No such file");
    with("identity=a@example.org,issuer=https://example.org", &[], 2, "needs a trust root");
}

#[test]
fn signed_rule_that_changes_loses_its_signatures_openly_and_can_be_signed_again() {
    let directory = tempfile::tempdir().unwrap();
    let rule = unsigned(directory.path());
    let (key, public) = keygen(directory.path(), "a.pem");
    let before = fs::read(&rule).unwrap();
    // Not beside the component, where it would be its manifest.
    let manifest = directory.path().join("changed.toml");
    fs::write(&manifest, format!("{}# changed\n", refiner_manifest::read(&before).unwrap().unwrap())).unwrap();
    let sign = |more: &[&str]| refiner(&[&["rule", "sign", text(&rule), "--key", text(&key)], more].concat());
    let embed = |more: &[&str]| refiner(&[&["rule", "embed", text(&rule), text(&manifest)], more].concat());
    let check = || refiner(&["rule", "check", text(&rule), "--require-signer", text(&public)]);
    sign(&[]).expect(0);
    let signature = fs::read(&rule).unwrap().split_off(before.len());
    sign(&[]).expect(0);
    embed(&[]).expect(2);
    let shown = embed(&["--replace"]).expect(0).text();
    assert!(shown.contains("  2 earlier signatures were dropped\n"), "{shown}");
    let refused = check().expect(6).stderr;
    assert!(refused.contains("the component is not signed"), "{refused}");
    sign(&[]).expect(0);
    check().expect(0);

    // A component that holds no manifest yet: there is none to replace, and signatures would be lost all the same.
    fs::write(&rule, [refiner_manifest::without(&before).unwrap(), signature].concat()).unwrap();
    let refused = embed(&[]).expect(2).stderr;
    assert!(
        refused.contains("it has 1 signature, and") && refused.contains("--replace drops its signatures"),
        "{refused}"
    );
    embed(&["--replace"]).expect(0);
    sign(&[]).expect(0);

    // Another program put something behind the signature.
    fs::write(&rule, [&fs::read(&rule).unwrap()[..], &[0, 2, 1, b'x']].concat()).unwrap();
    let refused = sign(&[]).expect(6).stderr;
    assert!(refused.contains("a section after the signature") && refused.contains("rule sign --replace"), "{refused}");
    let signed = sign(&["--replace", "--json"]).expect(0).json_lines().remove(0);
    assert_eq!(signed["signaturesDropped"], 1, "{signed}");
    check().expect(0);
}

#[test]
fn signed_rule_is_verified_against_its_source_beside_its_signatures() {
    let directory = tempfile::tempdir().unwrap();
    let rule = unsigned(directory.path());
    let (key, _) = keygen(directory.path(), "a.pem");
    let built = directory.path().join("built.wasm");
    fs::copy(&rule, &built).unwrap();
    let whole = fs::read(&rule).unwrap();
    let manifest = refiner_manifest::read(&whole).unwrap().unwrap().to_owned();
    fs::write(directory.path().join("rule.toml"), &manifest).unwrap();
    for _ in 0..2 {
        refiner(&["rule", "sign", text(&rule), "--key", text(&key)]).expect(0);
    }
    let arguments = ["rule", "verify", text(&rule), "--source", text(directory.path()), "--built", text(&built)];
    let shown = refiner(&arguments).expect(0).text();
    assert!(shown.contains("rule.wasm: the same bytes, beside 2 signatures, sha256 "), "{shown}");
    let line = refiner(&[&arguments[..], &["--json"]].concat()).expect(0).json_lines().remove(0);
    assert_eq!((&line["same"], &line["signatures"]), (&Value::Bool(true), &Value::from(2)));
    fs::write(directory.path().join("rule.toml"), format!("{manifest}# changed\n")).unwrap();
    let shown = refiner(&arguments).expect(3).text();
    assert!(shown.contains("differs: the manifest section") && !shown.contains("differs: the custom"), "{shown}");
}
