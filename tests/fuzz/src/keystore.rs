//! The text of a keystore, up to its decryption, which is slow by its design.

use refiner_proofchain::fuzz;

pub fn run(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        fuzz::read_keystore(text);
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let (word, half) = ("ab".repeat(32), "cd".repeat(16));
    let scrypt = format!(r#"{{"dklen":32,"n":131072,"p":1,"r":8,"salt":"{word}"}}"#);
    let pbkdf2 = format!(r#"{{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"0x{word}"}}"#);
    let keystore = |kdf: &str, parameters: &str, name: &str| {
        format!(
            r#"{{"version":3,"address":"{}","{name}":{{"cipher":"aes-128-ctr","ciphertext":"{word}","cipherparams":{{"iv":"{half}"}},"kdf":"{kdf}","kdfparams":{parameters},"mac":"{word}"}}}}"#,
            "ef".repeat(20)
        )
    };
    [keystore("scrypt", &scrypt, "crypto"), keystore("pbkdf2", &pbkdf2, "Crypto")].map(String::into_bytes).into()
}
