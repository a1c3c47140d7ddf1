//! Keys from everywhere, and that nothing shows them.

use std::{error::Error, fs, path::Path};

use alloy_primitives::Bytes;
use axum::{Json, Router, extract::State, routing::post};
use refiner_proofchain::{FeePolicy, Fees, KeyError, KeySource, Prover, Secret, SignError, Signer};
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

async fn keystore(folder: &Path, keystore: &str, password: &str) -> Result<Signer, KeyError> {
    let (path, password_file) = (folder.join("keystore.json"), folder.join("password"));
    fs::write(&path, keystore).unwrap();
    fs::write(&password_file, password).unwrap();
    Signer::load(&KeySource::Keystore { path, password_file }).await
}

#[tokio::test]
async fn a_keystore_opens_with_its_password_and_with_no_other() {
    let folder = tempfile::tempdir().unwrap();
    for password in ["testpassword", "testpassword\n", "testpassword\r\n"] {
        assert_eq!(keystore(folder.path(), KEYSTORE, password).await.unwrap().address(), OPERATOR);
    }
    for password in ["s3cretpassword", "", "testpassword "] {
        let error = keystore(folder.path(), KEYSTORE, password).await.unwrap_err();
        assert!(matches!(error, KeyError::WrongPassword { .. }), "{error}");
        assert!(!everything(&error).contains("s3cret"));
    }
}

#[tokio::test]
async fn a_keystore_that_would_hurt_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scrypt = |n: u64| {
        let (head, _) = KEYSTORE.split_once("\"kdf\"").unwrap();
        format!(
            r#"{head}"kdf":"scrypt","kdfparams":{{"dklen":32,"n":{n},"p":1,"r":8,"salt":"ab"}},"mac":"00"}},
            "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}}"#
        )
    };
    for (text, expected) in [
        (KEYSTORE.replace("ed23570b775368c931764712dc5f02bb", "6087"), "excessive parameters"),
        (KEYSTORE.replace("\"dklen\":32", "\"dklen\":8"), "excessive parameters"),
        (KEYSTORE.replace("\"c\":2048", "\"c\":4000000000"), "excessive parameters"),
        (KEYSTORE.replace("aes-128-ctr", "aes-256-gcm"), "excessive parameters"),
        (scrypt(1 << 30), "excessive parameters"),
        (scrypt(1_000), "excessive parameters"),
        (scrypt(2), "the password is not this keystore's"),
        (KEYSTORE.replace("crypto", "krypto"), "not a version 3 keystore"),
        (String::new(), "not a version 3 keystore"),
    ] {
        let error = keystore(folder.path(), &text, "testpassword").await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_key_file_is_read_up_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, format!("0x{OPERATOR_KEY}\n")).unwrap();
    assert_eq!(Signer::load(&KeySource::File(path.clone())).await.unwrap().address(), OPERATOR);
    fs::write(&path, " ".repeat(16 << 10)).unwrap();
    assert!(matches!(Signer::load(&KeySource::File(path.clone())).await, Err(KeyError::Length { digits: 0 })));
    fs::write(&path, " ".repeat((16 << 10) + 1)).unwrap();
    assert!(matches!(Signer::load(&KeySource::File(path)).await, Err(KeyError::File { .. })));
    let missing = Signer::load(&KeySource::File("/no/such/file".into())).await.unwrap_err();
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
                json!(inner.sign(&prepared, nonce, &fees).await.unwrap().raw)
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

async fn remote(chain: &TestChain, manner: Manner) -> Prover {
    let url = web3signer(chain, manner).await.parse().unwrap();
    let signer = Signer::load(&KeySource::Web3Signer { url, address: None }).await.unwrap();
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
    let error = Signer::load(&KeySource::Web3Signer { url, address: Some(STRANGER) }).await.unwrap_err();
    assert!(matches!(error, KeyError::NotHeld { wanted: STRANGER, held: 1 }), "{error}");
}
