//! Servers that are known by their certificates.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use refiner_journal::State;

use super::{crew::Crew, nats::Nats};
use crate::{bench::Bench, specimens::stream};

/// An authority, and the file with its certificate.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(directory: &Path, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let file = directory.join(format!("{name}.pem"));
        fs::write(&file, parameters.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(parameters, key), file }
    }

    /// Lines of a server's configuration with a certificate for a name.
    fn server(&self, directory: &Path, name: &str) -> String {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let [certificate_file, key_file] = ["server.pem", "server.key"].map(|name| directory.join(name));
        fs::write(&certificate_file, certificate.pem()).unwrap();
        fs::write(&key_file, key.serialize_pem()).unwrap();
        format!("tls {{ cert_file: {certificate_file:?}, key_file: {key_file:?} }}\n")
    }

    fn argument(&self) -> &str {
        self.file.to_str().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_over_tls_to_servers_of_the_authority_and_to_no_other() {
    let Some(mut bench) = Bench::new().await else { return };
    let directory = bench.directory.path().to_owned();
    let [ours, theirs] = ["ours", "theirs"].map(|name| Authority::new(&directory, name));
    let Some(nats) = Nats::alone(&directory, &ours.server(&directory, "127.0.0.1")) else { return };
    let mut crew = Crew::of(&mut bench, &nats.url());
    bench.flags.extend(["--queue-ca", ours.argument()].map(str::to_owned));
    crew.hire("one", &["--queue-ca", ours.argument()]);
    crew.hire("stranger", &["--queue-ca", theirs.argument()]);
    let given = stream(8);
    bench.start_ready().await;
    bench.announce(&given).await;
    bench.until_all(State::Final, given.len()).await;
    assert_eq!(crew.host("one").completed(), given.len(), "{}", crew.logs());
    assert_eq!(crew.host("stranger").completed(), 0, "{}", crew.logs());
    assert!(crew.host("stranger").log().contains("certificate"), "{}", crew.logs());

    // A server without TLS, as an attacker in between would offer.
    let Some(plain) = Nats::alone(&directory.join("plain"), "") else { return };
    let ended = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .args(["queue", "status", "--queue", &plain.url(), "--queue-ca", ours.argument()])
        .output()
        .unwrap();
    let text = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && text.contains("--queue-ca requires TLS of every server"), "{text}");
}

#[test]
fn certificate_for_another_name_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let ours = Authority::new(directory.path(), "ours");
    let Some(nats) = Nats::alone(directory.path(), &ours.server(directory.path(), "nats.example")) else { return };
    let ended = Command::new(env!("CARGO_BIN_EXE_refiner"))
        .args(["queue", "status", "--queue", &nats.url(), "--queue-ca", ours.argument()])
        .output()
        .unwrap();
    let text = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && text.contains("certificate"), "{text}");
}
