//! Keys from everywhere, and that nothing shows them.

use std::{
    error::Error,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use alloy_primitives::{Bytes, Signature, U256};
use axum::{Json, Router, extract::State, routing::post};
use refiner_diagnostics::Diagnostic as _;
use refiner_http_client::Egress;
use refiner_proofchain::{
    FeePolicy, Fees, KeyError, KeySource, KeystoreError, LocalKey, Prover, Secret, SecretFile, SignError, Signer,
};
use refiner_testchain::{
    OPERATOR, OPERATOR_KEY, OPERATOR_KEYSTORE as KEYSTORE, STRANGER, STRANGER_KEY, Setup, TestChain,
};
use serde_json::{Value, json};

use crate::{HEIGHT, LIMITS, connect, proof, prover, prover_with, ready, start};

async fn value(text: &str) -> Result<Signer, KeyError> {
    Signer::load(&KeySource::Value(Secret::new(text.to_owned()))).await
}

#[tokio::test]
async fn a_key_is_read_in_every_usual_spelling() {
    for text in [
        OPERATOR_KEY.to_owned(),
        format!("0x{OPERATOR_KEY}"),
        format!("0X{}", OPERATOR_KEY.to_uppercase()),
        format!(" {OPERATOR_KEY}\n"),
    ] {
        assert_eq!(value(&text).await.unwrap().address(), OPERATOR);
    }
}

#[tokio::test]
async fn what_is_no_key_is_refused_without_being_shown() {
    let short = &OPERATOR_KEY[1..];
    let long = format!("{OPERATOR_KEY}0");
    let not_hex = format!("g{short}");
    let multibyte = format!("é{short}");
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for (text, message) in [
        ("", "a key of 0 digits instead of 64"),
        (short, "a key of 63 digits instead of 64"),
        (&long, "a key of 65 digits instead of 64"),
        (&not_hex, "a key with something else than hex digits"),
        (&multibyte, "a key with something else than hex digits"),
        (&"0".repeat(64), "a number that is no secp256k1 key"),
        (order, "a number that is no secp256k1 key"),
    ] {
        let error = value(text).await.unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(text.len() < 8 || !everything(&error).contains(&text[8..]));
    }
}

fn everything(error: &KeyError) -> String {
    let mut text = format!("{error:?} {error:#?} {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error:?} {error}"));
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn debug_shows_the_address_alone() {
    let secret = Secret::new(OPERATOR_KEY.to_owned());
    let source = KeySource::Value(secret.clone());
    let signer = Signer::load(&source).await.unwrap();
    for text in [format!("{secret:?} {source:?}"), format!("{signer:?}"), format!("{signer:#?}")] {
        let lower = text.to_lowercase();
        for part in [&OPERATOR_KEY[..8], &OPERATOR_KEY[28..36], &OPERATOR_KEY[56..], "124, 133, 33"] {
            assert!(!lower.contains(part), "{text}");
        }
    }
    assert!(format!("{signer:?}").contains("0x90f79bf6eb2c4f870365e785982e1f101e93b906"));
}

/// Writes a file that only its owner may read.
fn private(path: &Path, text: &str) -> SecretFile {
    fs::write(path, text).unwrap();
    mode(path, 0o600)
}

fn mode(path: &Path, mode: u32) -> SecretFile {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    SecretFile::new(path)
}

async fn keystore(folder: &Path, keystore: &str, password: &str) -> Result<Signer, KeyError> {
    let keystore = private(&folder.join("keystore.json"), keystore);
    let password = private(&folder.join("password"), password);
    Signer::load(&KeySource::Keystore { keystore, password }).await
}

#[tokio::test]
async fn a_keystore_opens_with_its_password_and_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for password in ["testpassword", "testpassword\n", "testpassword\r\n"] {
        assert_eq!(keystore(folder.path(), KEYSTORE, password).await.unwrap().address(), OPERATOR);
    }
    for password in ["s3cretpassword", "", "testpassword "] {
        let error = keystore(folder.path(), KEYSTORE, password).await.unwrap_err();
        let is_wrong_password = matches!(error, KeyError::Keystore { source: KeystoreError::WrongPassword, .. });
        assert!(is_wrong_password, "{error}");
        assert!(!everything(&error).contains("s3cret"));
    }
}

#[tokio::test]
async fn keystores_open_as_the_usual_programs_write_them() {
    let folder = tempfile::tempdir().unwrap();
    for (program, text) in [
        ("geth and Clef", include_str!("keystores/geth.json")),
        ("ethers 5", include_str!("keystores/ethers-5.json")),
        ("ethers 6, with its own members", include_str!("keystores/ethers-6.json")),
        ("MEW", include_str!("keystores/mew.json")),
        ("Foundry", include_str!("keystores/foundry.json")),
        ("web3.py, pbkdf2", include_str!("keystores/web3-py.json")),
    ] {
        for text in [text.to_owned(), text.replacen("\"crypto\"", "\"Crypto\"", 1)] {
            let opened = keystore(folder.path(), &text, "testpassword").await;
            assert_eq!(opened.unwrap_or_else(|error| panic!("{program}: {error}")).address(), OPERATOR, "{program}");
        }
    }
}

#[tokio::test]
async fn a_keystore_of_version_1_and_one_of_another_address_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let foundry = include_str!("keystores/foundry.json");
    for version in ["1", "\"1\""] {
        let text = foundry.replace("\"version\":3", &format!("\"version\":{version}"));
        let error = keystore(folder.path(), &text, "testpassword").await.unwrap_err();
        assert!(error.to_string().ends_with("keystore.json: a keystore of version 1, expected version 3"), "{error}");
        assert!(error.hint().unwrap().contains("geth account update"));
    }
    let text = include_str!("keystores/mew.json").replace("90f79bf6eb", "15d34aaf54");
    let error = keystore(folder.path(), &text, "testpassword").await.unwrap_err();
    let expected = "states address 0x15D34AAF542c4f870365e785982e1f101e93b906, and its key is of address 0x90F79bf6EB2c4f870365E785982E1f101E93b906";
    assert!(error.to_string().to_lowercase().ends_with(&expected.to_lowercase()), "{error}");
    for address in ["null", "\"0x90F79bf6EB2c4f870365E785982E1f101E93b906\""] {
        let text = foundry.replacen('{', &format!("{{\"address\":{address},"), 1);
        assert_eq!(keystore(folder.path(), &text, "testpassword").await.unwrap().address(), OPERATOR, "{address}");
    }
}

#[tokio::test]
async fn a_keystore_that_takes_too_much_memory_or_time_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scrypt = |n: u64, r: u64, p: u64| {
        let (head, _) = KEYSTORE.split_once("\"kdf\"").unwrap();
        let mac = "00".repeat(32);
        format!(
            r#"{head}"kdf":"scrypt","kdfparams":{{"dklen":32,"n":{n},"p":{p},"r":{r},"salt":"ab"}},"mac":"{mac}"}},
            "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}}"#
        )
    };
    for (text, expected) in [
        (KEYSTORE.replace("ed23570b775368c931764712dc5f02bb\"", "6087\""), "iv is missing or malformed"),
        (KEYSTORE.replace("\"dklen\":32", "\"dklen\":8"), "8 derived bytes, expected at least 32"),
        (KEYSTORE.replace("\"c\":2048", "\"c\":10000001"), "pbkdf2 with 10000001 rounds, expected 1 to 10000000"),
        (KEYSTORE.replace("\"c\":2048", "\"c\":0"), "pbkdf2 with 0 rounds"),
        (KEYSTORE.replace("aes-128-ctr", "aes-256-gcm"), "another cipher than aes-128-ctr"),
        (KEYSTORE.replace("hmac-sha256", "hmac-sha512"), "another function than scrypt or pbkdf2"),
        (KEYSTORE.replace("pbkdf2", "argon2id"), "another function than scrypt or pbkdf2"),
        (scrypt(1 << 21, 8, 1), "scrypt with n=2097152, r=8, p=1, beyond the limits"),
        (scrypt(1 << 18, 8, 17), "scrypt with n=262144, r=8, p=17, beyond the limits"),
        (scrypt(1 << 63, 1 << 63, 1), "beyond the limits"),
        (scrypt(2, 1, 1 << 24), "scrypt with n=2, r=1, p=16777216, beyond the limits"),
        (scrypt(1_000, 8, 1), "which RFC 7914 excludes"),
        (scrypt(1 << 18, 1, 8), "which RFC 7914 excludes"),
        (scrypt(2, 8, 0), "which RFC 7914 excludes"),
        (scrypt(2, 8, 1), "the password is not this keystore's"),
        (KEYSTORE.replace("crypto", "krypto"), "crypto is missing or malformed"),
        (KEYSTORE.replace("version", "generation"), "version is missing or malformed"),
        (String::new(), "no JSON object, line 1"),
        ("[]".to_owned(), "no JSON object, line 1"),
    ] {
        let error = keystore(folder.path(), &text, "testpassword").await.unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn a_new_keystore_opens_in_other_programs_and_replaces_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, password) = (folder.path().join("keystore"), Secret::new("correct horse".to_owned()));
    let key = LocalKey::generate().unwrap();
    key.write_keystore(&path, &password).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let opened = LocalKey::from_keystore(&SecretFile::new(&path), &password).unwrap();
    assert_eq!(opened.address(), key.address());
    // The library that Foundry writes and reads its keystores with.
    let bytes = eth_keystore::decrypt_key(&path, "correct horse").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let hex = alloy_primitives::hex::encode(&bytes);
    assert_eq!(LocalKey::parse(&Secret::new(hex.clone())).unwrap().address(), key.address());
    assert!(!text.contains(&hex) && !format!("{key:?}").contains(&hex[..8]));
    let stated = alloy_primitives::hex::encode(key.address());
    assert!(text.contains(&format!("\"address\":\"{stated}\"")), "{text}");

    let other = LocalKey::generate().unwrap();
    assert_ne!(other.address(), key.address());
    let error = other.write_keystore(&path, &password).unwrap_err();
    assert!(matches!(error, KeyError::Exists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
}

#[tokio::test]
async fn a_file_that_others_may_read_is_refused_unless_that_is_permitted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    private(&path, OPERATOR_KEY);
    for bits in [0o640, 0o604, 0o644, 0o660, 0o666] {
        let file = mode(&path, bits);
        let error = Signer::load(&KeySource::File(file.clone())).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{}: open to others (mode {bits:o}), expected mode 600", path.display()));
        assert!(error.hint().unwrap().contains("chmod 600"), "{bits:o}");
        let permitted = KeySource::File(file.permitting_others(true));
        assert_eq!(Signer::load(&permitted).await.unwrap().address(), OPERATOR);
    }
    for bits in [0o600, 0o400] {
        assert_eq!(Signer::load(&KeySource::File(mode(&path, bits))).await.unwrap().address(), OPERATOR, "{bits:o}");
    }
    let (open, kept) = (folder.path().join("open"), private(&folder.path().join("kept"), KEYSTORE));
    fs::write(&open, "testpassword").unwrap();
    let open = mode(&open, 0o644);
    let error = Signer::load(&KeySource::Keystore { keystore: kept, password: open }).await.unwrap_err();
    assert!(matches!(error, KeyError::Permissions { mode: 0o644, .. }), "{error}");
}

#[tokio::test]
async fn a_key_file_is_read_up_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let load = async |text: &str| Signer::load(&KeySource::File(private(&path, text))).await;
    assert_eq!(load(&format!("0x{OPERATOR_KEY}\n")).await.unwrap().address(), OPERATOR);
    assert!(matches!(load(&" ".repeat(16 << 10)).await, Err(KeyError::Length { digits: 0 })));
    assert!(matches!(load(&" ".repeat((16 << 10) + 1)).await, Err(KeyError::File { .. })));
    let missing = Signer::load(&KeySource::File(SecretFile::new("/no/such/file"))).await.unwrap_err();
    assert_eq!(missing.to_string(), "/no/such/file: No such file or directory (os error 2)");
}

/// How a Web3Signer behaves.
#[derive(Clone, Copy)]
enum Manner {
    Honest,
    /// Raises the fee.
    Altering,
    /// Signs with another key.
    Impostor,
    /// Answers with a few bytes.
    Babbling,
    /// Gives signatures with s in the upper half, which nodes refuse.
    HighS,
}

/// A Web3Signer that signs through provers of its own.
async fn web3signer(chain: &TestChain, manner: Manner) -> String {
    let key = if matches!(manner, Manner::Impostor) { STRANGER_KEY } else { OPERATOR_KEY };
    let inner = std::sync::Arc::new(prover_with(chain, chain.url(), key).await);
    async fn answer(
        State((inner, manner)): State<(std::sync::Arc<Prover>, Manner)>,
        Json(question): Json<Value>,
    ) -> Json<Value> {
        let fields = &question["params"][0];
        let number =
            |name: &str| u128::from_str_radix(fields[name].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        let result = match question["method"].as_str().unwrap() {
            "eth_accounts" => json!([OPERATOR]),
            "eth_signTransaction" if matches!(manner, Manner::Babbling) => json!("0x0102"),
            "eth_signTransaction" => {
                let extra = u128::from(matches!(manner, Manner::Altering));
                let fees = Fees::Dynamic {
                    max_fee_wei: number("maxFeePerGas") + extra,
                    tip_wei: number("maxPriorityFeePerGas"),
                };
                let calldata: Bytes = fields["data"].as_str().unwrap().parse().unwrap();
                let gas_limit = u64::try_from(number("gas")).unwrap();
                let prepared = refiner_proofchain::Prepared {
                    to: fields["to"].as_str().unwrap().parse().unwrap(),
                    calldata,
                    gas_limit,
                };
                let nonce = u64::try_from(number("nonce")).unwrap();
                let raw = inner.sign(&prepared, nonce, &fees).await.unwrap().raw;
                json!(if matches!(manner, Manner::HighS) { with_high_s(&raw) } else { raw })
            }
            other => panic!("{other}"),
        };
        Json(json!({"jsonrpc": "2.0", "id": 1, "result": result}))
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(answer)).with_state((inner, manner));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// The same transaction by the same key, with the other of the two values that s can have.
fn with_high_s(raw: &[u8]) -> Bytes {
    use alloy_consensus::{SignableTransaction as _, TxEnvelope};
    use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
    let order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".parse::<U256>().unwrap();
    let TxEnvelope::Eip1559(signed) = TxEnvelope::decode_2718_exact(raw).unwrap() else { panic!("a dynamic fee") };
    let (transaction, low, _) = signed.into_parts();
    let high = Signature::new(low.r(), order - low.s(), !low.v());
    transaction.into_signed(high).encoded_2718().into()
}

async fn remote(chain: &TestChain, manner: Manner) -> Prover {
    let url = web3signer(chain, manner).await.parse().unwrap();
    let signer = Signer::load(&KeySource::Web3Signer { url, address: None, egress: Egress::default() }).await.unwrap();
    Prover::new(connect(chain, chain.url(), LIMITS).await, signer, FeePolicy::default())
}

#[tokio::test]
async fn a_web3signer_gives_the_bytes_that_the_key_itself_would_give() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (local, remote) = (prover(&chain).await, remote(&chain, Manner::Honest).await);
    let prepared = ready(&local, &proof(HEIGHT)).await;
    let fees = Fees::Dynamic { max_fee_wei: 9_000_000_000, tip_wei: 1_000 };
    assert_eq!(remote.sign(&prepared, 3, &fees).await.unwrap(), local.sign(&prepared, 3, &fees).await.unwrap());
    assert_eq!(remote.address(), OPERATOR);
}

#[tokio::test]
async fn a_web3signer_s_high_s_is_made_the_one_that_nodes_take() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let (local, remote) = (prover(&chain).await, remote(&chain, Manner::HighS).await);
    let prepared = ready(&local, &proof(HEIGHT)).await;
    let fees = Fees::Dynamic { max_fee_wei: 9_000_000_000, tip_wei: 1_000 };
    let signed = remote.sign(&prepared, 0, &fees).await.unwrap();
    assert_eq!(signed, local.sign(&prepared, 0, &fees).await.unwrap());
    assert_ne!(signed.raw, with_high_s(&signed.raw), "it had another one");
    let sent = remote.send(&signed).await;
    assert!(matches!(sent, refiner_proofchain::Sent::Accepted), "{sent:?}");
}

#[tokio::test]
async fn a_web3signer_is_believed_only_what_it_was_asked_for() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let prepared = ready(&prover(&chain).await, &proof(HEIGHT)).await;
    let fees = Fees::Dynamic { max_fee_wei: 9_000_000_000, tip_wei: 1_000 };
    let sign = async |manner| remote(&chain, manner).await.sign(&prepared, 0, &fees).await.unwrap_err();
    assert!(matches!(sign(Manner::Altering).await, SignError::Altered));
    assert!(matches!(sign(Manner::Impostor).await, SignError::AnotherKey { found: Some(STRANGER), .. }));
    assert!(matches!(sign(Manner::Babbling).await, SignError::NotTransaction));
}

#[tokio::test]
async fn a_web3signer_without_the_operator_s_key_is_refused_at_the_start() {
    let Some(chain) = start(&Setup::default()).await else { return };
    let url = web3signer(&chain, Manner::Honest).await.parse().unwrap();
    let error = Signer::load(&KeySource::Web3Signer { url, address: Some(STRANGER), egress: Egress::default() })
        .await
        .unwrap_err();
    assert!(matches!(error, KeyError::NotHeld { wanted: STRANGER, held: 1 }), "{error}");
}
