//! Key pairs: ECDSA over P-256 with SHA-256, in the PEM forms that OpenSSL and cosign read.

use std::{
    fmt, fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use base64_simd::STANDARD;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use sigstore_verify::types::DerPublicKey;
use zeroize::Zeroizing;

use crate::{
    SignError,
    key_file::{KeyFile, KeyKind, PRIVATE, PUBLIC},
};

/// Longest file with a key.
const KEY_BYTES_MAX: u64 = 16 << 10;
/// Characters of a line of PEM.
const LINE: usize = 64;
/// `SubjectPublicKeyInfo` of a point on P-256 up to the point (RFC 5480).
const SPKI_START: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A private key that signs rules.
pub struct SigningKey {
    pkcs8: Zeroizing<Vec<u8>>,
    pair: EcdsaKeyPair,
}

/// A public key, by which a signature is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(pub(crate) DerPublicKey);

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub fn generate() -> Result<Self, SignError> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        let pkcs8 = Zeroizing::new(document.map_err(SignError::Refused)?.as_ref().to_vec());
        Self::of(pkcs8).ok_or(SignError::Refused(ring::error::Unspecified))
    }

    /// Reads a key from a file of PEM that only its owner may read.
    ///
    /// # Errors
    ///
    /// The file cannot be read, others may read it, or it holds no such key.
    pub fn read(path: &Path) -> Result<Self, SignError> {
        let refuse = |source| SignError::File { path: path.to_owned(), source };
        let file = fs::File::open(path).map_err(refuse)?;
        let metadata = file.metadata().map_err(refuse)?;
        let bytes = bytes(file).map_err(refuse)?;
        // The content first: of a file that holds no private key, the mode is no fault.
        let no_key =
            || SignError::NotAKey { path: path.to_owned(), expected: KeyKind::Private, found: KeyFile::of(&bytes) };
        let der = unwrapped(&bytes, PRIVATE).ok_or_else(no_key)?;
        if let Some(mode) = refiner_permissions::open_to_others(&metadata) {
            return Err(SignError::OpenToOthers { path: path.to_owned(), mode });
        }
        Self::of(der).ok_or_else(no_key)
    }

    fn of(pkcs8: Zeroizing<Vec<u8>>) -> Option<Self> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &SystemRandom::new()).ok()?;
        Some(Self { pkcs8, pair })
    }

    /// Writes the key to a new file that only its owner may read, and the public key beside it, whose path it returns.
    ///
    /// # Errors
    ///
    /// One of the files is there already, both would be one, or the system refuses it. Neither of them is there then.
    pub fn write(&self, path: &Path) -> Result<PathBuf, SignError> {
        let public = path.with_extension("pub");
        if public == path {
            return Err(SignError::OnePath(public));
        }
        if let Some(taken) = [path, &public].into_iter().find(|path| fs::symlink_metadata(path).is_ok()) {
            return Err(SignError::Exists(taken.to_owned()));
        }
        create(path, &mut refiner_permissions::options(), &self.pem())?;
        if let Err(error) = create(&public, &mut fs::OpenOptions::new(), &self.public().pem()) {
            // Half a pair is of no use. Where it cannot be removed either, the first error is the one to report.
            let _ = fs::remove_file(path);
            return Err(error);
        }
        Ok(public)
    }

    /// The key as PEM.
    #[must_use]
    pub fn pem(&self) -> Zeroizing<String> {
        wrapped(&self.pkcs8, PRIVATE)
    }

    /// The public key that goes with it.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(DerPublicKey::new([&SPKI_START, self.pair.public_key().as_ref()].concat()))
    }

    /// A signature over the SHA-256 of bytes, in ASN.1.
    pub(crate) fn signature(&self, bytes: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self.pair.sign(&SystemRandom::new(), bytes).map_err(SignError::Refused)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().fingerprint())
    }
}

impl PublicKey {
    /// Reads a public key from a file of PEM.
    ///
    /// # Errors
    ///
    /// The file cannot be read or holds no public key.
    pub fn read(path: &Path) -> Result<Self, SignError> {
        let refuse = |source| SignError::File { path: path.to_owned(), source };
        let bytes = bytes(fs::File::open(path).map_err(refuse)?).map_err(refuse)?;
        let key = unwrapped(&bytes, PUBLIC).map(|der| Self(DerPublicKey::new(der.to_vec())));
        key.ok_or_else(|| SignError::NotAKey {
            path: path.to_owned(),
            expected: KeyKind::Public,
            found: KeyFile::of(&bytes),
        })
    }

    /// The key as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        wrapped(self.0.as_bytes(), PUBLIC).to_string()
    }

    /// The SHA-256 of the key in base64, by which bundles name it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        STANDARD.encode_to_string(ring::digest::digest(&ring::digest::SHA256, self.0.as_bytes()))
    }
}

/// Writes a new file, which is not there when an error is returned.
fn create(path: &Path, options: &mut fs::OpenOptions, text: &str) -> Result<(), SignError> {
    let refuse = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => SignError::Exists(path.to_owned()),
        _ => SignError::File { path: path.to_owned(), source },
    };
    let mut file = options.write(true).create_new(true).open(path).map_err(refuse)?;
    file.write_all(text.as_bytes()).map_err(|source| {
        let _ = fs::remove_file(path);
        refuse(source)
    })
}

fn bytes(file: fs::File) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(KEY_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn wrapped(der: &[u8], label: &str) -> Zeroizing<String> {
    let digits = Zeroizing::new(STANDARD.encode_to_string(der));
    let mut text = Zeroizing::new(String::with_capacity(2 * digits.len() + 4 * LINE));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = digits.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(LINE.min(rest.len()));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// The bytes of the block of PEM with this label, where there is one.
fn unwrapped(pem: &[u8], label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = str::from_utf8(pem).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (digits, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let digits: Zeroizing<String> = Zeroizing::new(digits.split_ascii_whitespace().collect());
    STANDARD.decode_to_vec(digits.as_bytes()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use refiner_diagnostics::Diagnostic as _;

    use super::*;

    #[test]
    fn key_pair_is_read_as_it_was_written_and_never_shown() {
        let directory = tempfile::tempdir().expect("a directory");
        let (private, public) = (directory.path().join("a.pem"), directory.path().join("a.pub"));
        let key = SigningKey::generate().expect("a key");
        assert_eq!(key.write(&private).expect("written"), public);
        assert!(SigningKey::generate().expect("a key").write(&private).is_err(), "no key is overwritten");
        let set = |mode| fs::set_permissions(&private, fs::Permissions::from_mode(mode)).expect("permissions");
        set(0o644);
        let error = SigningKey::read(&private).expect_err("open to others").to_string();
        assert!(error.contains("mode 0644 lets others read a private key"), "{error}");
        set(0o600);
        let read = SigningKey::read(&private).expect("a key");
        assert_eq!((read.public(), PublicKey::read(&public).expect("a key")), (key.public(), key.public()));
        assert!(!format!("{read:?}").contains(key.pem().lines().nth(1).expect("digits")));
        assert_eq!(key.public().fingerprint().len(), 44);
    }

    #[test]
    fn pair_is_written_whole_or_not_at_all() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        let key = SigningKey::generate().expect("a key");
        let refused = key.write(&at("k.pub")).expect_err("one path").to_string();
        assert!(refused.contains("k.pub: both keys of the pair would be in this file"), "{refused}");
        assert!(!at("k.pub").exists());
        for (taken, free) in [("a.pub", "a.pem"), ("b.pem", "b.pub")] {
            fs::write(at(taken), "mine").expect("written");
            let refused = key.write(&at(taken).with_extension("pem")).expect_err("a file is there").to_string();
            assert!(refused.contains(&format!("{taken}: there is a file already")), "{refused}");
            assert!(!at(free).exists());
            assert_eq!(fs::read(at(taken)).expect("it is there"), b"mine");
        }
    }

    #[test]
    fn files_that_are_no_keys_are_refused_with_what_is_needed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("key");
        let key = SigningKey::generate().expect("a key");
        let block = |label: &str| format!("-----BEGIN {label}-----\n!\n-----END {label}-----");
        let parameters = format!("{}\n{}", block("EC PARAMETERS"), block("EC PRIVATE KEY"));
        let keygen = || "`refiner rule keygen FILE`".to_owned();
        let convert = |command: &str| format!("`openssl {command} -in {} -out signing.pem`", path.display());
        for (content, found, remedy) in [
            (Vec::new(), "found nothing", keygen()),
            (b"secret".to_vec(), "found text that is no PEM", keygen()),
            (b"\0asm\x0d\0\x01\0\xff".to_vec(), "found bytes that are no text", keygen()),
            (block("CERTIFICATE").into(), "found PEM with something else than a key", keygen()),
            (block(PRIVATE).into(), "found a private key that cannot be used here", keygen()),
            (parameters.into(), "found a private key in SEC1", convert("pkcs8 -topk8 -nocrypt")),
            (block("ENCRYPTED PRIVATE KEY").into(), "found an encrypted private key", convert("pkey")),
            (
                block("ENCRYPTED SIGSTORE PRIVATE KEY").into(),
                "found a private key of cosign",
                "`cosign import-key-pair --key FILE`".to_owned(),
            ),
            (key.public().pem().into(), "found a public key", "private key that goes with it".to_owned()),
        ] {
            // Open to others: the content is reported before the mode.
            fs::write(&path, content).expect("written");
            let error = SigningKey::read(&path).expect_err(found);
            let (text, hint) = (error.to_string(), error.hint().expect("there is a way").to_string());
            assert!(text.contains("expected a P-256 key in PKCS #8") && text.contains(found), "{text}");
            assert!(hint.contains(&remedy) && !text.contains("secret"), "{hint}");
        }
        for (content, found, remedy) in [
            (key.pem().to_string(), "found a private key", "`openssl pkey -in"),
            (block("EC PRIVATE KEY"), "found a private key in SEC1", "-pubout"),
            (block("ENCRYPTED COSIGN PRIVATE KEY"), "found a private key of cosign", "`cosign public-key --key"),
        ] {
            fs::write(&path, content).expect("written");
            let error = PublicKey::read(&path).expect_err("a private key");
            let (text, hint) = (error.to_string(), error.hint().expect("there is a way").to_string());
            assert!(text.contains("expected a public key") && text.contains(found), "{text}");
            assert!(hint.contains(remedy), "{hint}");
        }
    }
}
