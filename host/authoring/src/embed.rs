//! A manifest into a component that any toolchain made.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_manifest::{MANIFEST_BYTES_MAX, Manifest, ManifestError, NotUtf8, ReadError};
use wasmparser::Parser;

/// Most bytes of a component: what a rule with WASI, which carries a language's whole runtime, can be granted.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// Errors of putting a manifest into a component.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file with more bytes than one of its kind has.
    #[error("{} has more than {limit_bytes} bytes", .path.display())]
    TooLarge {
        /// Path of the file.
        path: PathBuf,
        /// Bytes allowed.
        limit_bytes: usize,
    },
    /// The manifest is in another encoding.
    #[error("{}: {source}", .path.display())]
    NotText {
        /// Path of the manifest.
        path: PathBuf,
        /// Where.
        source: NotUtf8,
    },
    /// The manifest is none.
    #[error("{}: {source}", .path.display())]
    Manifest {
        /// Path of the manifest.
        path: PathBuf,
        /// The fault that was found.
        source: ManifestError,
    },
    /// Bytes that are no component.
    #[error("{}: expected a WebAssembly component, found {}", .path.display(), if *.is_module { "a core module" } else { "other bytes" })]
    NotAComponent {
        /// Path of the file.
        path: PathBuf,
        /// It is what a component is made of.
        is_module: bool,
    },
    /// A component that cannot be read.
    #[error("{}: {source}", .path.display())]
    Component {
        /// Path of the component.
        path: PathBuf,
        /// The fault that was found.
        source: ReadError,
    },
    /// A component with another manifest.
    #[error("{} holds another manifest already", .0.display())]
    Another(PathBuf),
}

impl Diagnostic for EmbedError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NotAComponent { .. } | Self::Component { .. } => ExitCode::Refused,
            Self::File { .. }
            | Self::TooLarge { .. }
            | Self::NotText { .. }
            | Self::Manifest { .. }
            | Self::Another(_) => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::NotText { .. } => Some("save it as UTF-8".into()),
            Self::Another(_) => Some("--replace takes it out".into()),
            Self::NotAComponent { is_module: true, .. } => Some(
                "make a component of it first: `wasm-tools component new`, after `wasm-tools component embed` with the contract's WIT".into(),
            ),
            Self::NotAComponent { is_module: false, .. } => {
                Some("name the .wasm file that the toolchain wrote, and the manifest after it".into())
            }
            Self::Component { source: ReadError::Malformed { .. }, .. } => {
                Some("the file is damaged: build or fetch it again, and compare its sha256 with the publisher's".into())
            }
            Self::Component { source: ReadError::Two { .. } | ReadError::NotText(_), .. } => {
                Some("--replace takes it out".into())
            }
            Self::File { .. } | Self::TooLarge { .. } | Self::Manifest { .. } => None,
        }
    }
}

/// The component in a file with the manifest of another file inside. The same files give the same bytes.
pub fn of_files(component: &Path, manifest: &Path, replace: bool) -> Result<Vec<u8>, EmbedError> {
    of_bytes(read_component(component)?, component, manifest, replace)
}

/// The bytes of a component's file, or of whatever is in its place.
pub fn read_component(path: &Path) -> Result<Vec<u8>, EmbedError> {
    read(path, COMPONENT_BYTES_MAX)
}

fn read(path: &Path, limit_bytes: usize) -> Result<Vec<u8>, EmbedError> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(at(path))?;
    file.take(limit_bytes as u64 + 1).read_to_end(&mut bytes).map_err(at(path))?;
    if bytes.len() > limit_bytes {
        return Err(EmbedError::TooLarge { path: path.to_owned(), limit_bytes });
    }
    Ok(bytes)
}

/// The same for a component that was read from that file.
pub fn of_bytes(bytes: Vec<u8>, component: &Path, manifest: &Path, replace: bool) -> Result<Vec<u8>, EmbedError> {
    let text = read(manifest, MANIFEST_BYTES_MAX)?;
    let text =
        refiner_manifest::text(&text).map_err(|source| EmbedError::NotText { path: manifest.to_owned(), source })?;
    Manifest::parse(text).map_err(|source| EmbedError::Manifest { path: manifest.to_owned(), source })?;
    if !Parser::is_component(&bytes) {
        let is_module = Parser::is_core_wasm(&bytes);
        return Err(EmbedError::NotAComponent { path: component.to_owned(), is_module });
    }
    let unreadable = |source| EmbedError::Component { path: component.to_owned(), source };
    match refiner_manifest::read(&bytes) {
        Ok(None) => Ok(refiner_manifest::embed(&bytes, text)),
        Ok(Some(held)) if held == text => Ok(bytes),
        Ok(Some(_)) | Err(ReadError::NotText(_) | ReadError::Two { .. }) if replace => {
            Ok(refiner_manifest::embed(&refiner_manifest::without(&bytes).map_err(unreadable)?, text))
        }
        Ok(Some(_)) => Err(EmbedError::Another(component.to_owned())),
        Err(source) => Err(unreadable(source)),
    }
}

/// True for a component without a manifest inside.
pub fn lacks_manifest(component: &[u8]) -> bool {
    Parser::is_component(component) && matches!(refiner_manifest::read(component), Ok(None))
}

/// Writes a component in place of what was there: whole, or not at all. A link stays one.
pub fn write(path: &Path, component: &[u8]) -> Result<(), EmbedError> {
    refiner_atomic_file::write_through(path, component, &refiner_atomic_file::Terms::ORDINARY).map_err(at(path))
}

fn at(path: &Path) -> impl Fn(io::Error) -> EmbedError + use<'_> {
    |source| EmbedError::File { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const MANIFEST: &str = "name = \"a\"\nversion = \"1\"\nworld = \"transform\"\nlayouts = []\noutputs = []\nlicence = \"MIT\"\nsource = \"here\"\n";

    struct Files(tempfile::TempDir);

    impl Files {
        fn new(component: &[u8], manifest: &[u8]) -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            fs::write(directory.path().join("a.wasm"), component).expect("the directory is there");
            fs::write(directory.path().join("rule.toml"), manifest).expect("the directory is there");
            Self(directory)
        }

        fn embed(&self, replace: bool) -> Result<Vec<u8>, EmbedError> {
            of_files(&self.0.path().join("a.wasm"), &self.0.path().join("rule.toml"), replace)
        }
    }

    #[test]
    fn manifest_is_put_inside_once_and_replaced_only_when_asked() {
        let whole = Files::new(EMPTY, MANIFEST.as_bytes()).embed(false).expect("a component");
        assert_eq!(whole, refiner_manifest::embed(EMPTY, MANIFEST));
        assert_eq!(Files::new(&whole, MANIFEST.as_bytes()).embed(false).expect("the same"), whole);
        let other = MANIFEST.replace("MIT", "0BSD");
        let files = Files::new(&whole, other.as_bytes());
        assert!(matches!(files.embed(false), Err(EmbedError::Another(_))));
        assert_eq!(files.embed(true).expect("replaced"), refiner_manifest::embed(EMPTY, &other));
    }

    #[test]
    fn file_that_never_ends_is_read_to_a_limit() {
        let files = Files::new(EMPTY, MANIFEST.as_bytes());
        let endless = Path::new("/dev/zero");
        let check = |component: &Path, manifest: &Path, expected: &str| {
            let error = of_files(component, manifest, false).expect_err(expected).to_string();
            assert_eq!(error, expected);
        };
        check(endless, &files.0.path().join("rule.toml"), "/dev/zero has more than 67108864 bytes");
        check(&files.0.path().join("a.wasm"), endless, "/dev/zero has more than 32768 bytes");
    }

    #[test]
    fn files_that_do_not_go_together_are_told_apart() {
        let check = |component: &[u8], manifest: &[u8], expected: &str| {
            let error = Files::new(component, manifest).embed(false).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(b"\0asm\x01\0\0\0", MANIFEST.as_bytes(), "found a core module");
        check(MANIFEST.as_bytes(), MANIFEST.as_bytes(), "found other bytes");
        check(EMPTY, b"name = 1", "rule.toml: line 1");
        check(
            EMPTY,
            &MANIFEST
                .replace("MIT", "caf\u{e9}")
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect::<Vec<_>>(),
            "line 6 is not UTF-8 (byte 0xe9)",
        );
    }
}
