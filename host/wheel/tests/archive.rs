//! Wheels as another program reads them.

#![allow(clippy::unwrap_used)]

use std::{fs, process::Command};

use refiner_wheel::{Compression, Wheel};

/// Checks every checksum of an archive, and prints its files and the record.
const READ: &str = "
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
for file in archive.infolist():
    print(file.filename, file.file_size, oct(file.external_attr >> 16), file.date_time[0])
print(archive.read('greeter-0.1.0.dist-info/RECORD').decode())
";

fn wheel() -> Wheel {
    let mut wheel = Wheel::new("greeter", "0.1.0", "py3-none-any");
    wheel.add("greeter/b.py", b"b".repeat(1000));
    wheel.add("greeter/a.py", b"hello\n".to_vec());
    wheel
}

#[test]
fn another_program_finds_every_file_with_its_checksum_mode_and_hash() {
    for compression in [Compression::Stored, Compression::Deflated] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(wheel().file_name());
        fs::write(&path, wheel().to_bytes(compression).unwrap()).unwrap();
        let output = Command::new("python3").args(["-c", READ]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("greeter/a.py 6 0o100644 1980\ngreeter/b.py 1000 0o100644 1980\n"), "{text}");
        // `printf 'hello\n' | openssl dgst -sha256 -binary | basenc --base64url`, without the padding.
        let hash = "greeter/a.py,sha256=WJG1tSLV3whtD_CxEPvZ0hu0_HFjrzTQgoai6Eb2vgM,6\n";
        assert!(text.contains(hash), "{text}");
        assert!(text.contains("\ngreeter-0.1.0.dist-info/RECORD,,\n"), "{text}");
    }
}

#[test]
fn same_files_in_another_order_are_the_same_bytes() {
    let mut other = Wheel::new("greeter", "0.1.0", "py3-none-any");
    other.add("greeter/a.py", b"hello\n".to_vec());
    other.add("greeter/b.py", b"b".repeat(1000));
    assert_eq!(other.to_bytes(Compression::Deflated).unwrap(), wheel().to_bytes(Compression::Deflated).unwrap());
}
