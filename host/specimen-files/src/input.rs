//! Specimens named on the command line: files, directories, globs, and `-` for standard input.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_specimen::{DecodeError, JsonError};
use refiner_text::OneLine;

/// The most bytes read of one specimen (docs/specimen-format.md, section 7).
pub const SPECIMEN_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

const STDIN: &str = "standard input";

/// Where one specimen's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    Stdin,
    File(PathBuf),
}

/// Why an argument names no specimens, or a specimen's bytes cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Nothing is there under this name.
    #[error("{}: no such file or directory", OneLine(.0.display()))]
    Missing(PathBuf),
    /// A directory without a single `.avro` file.
    #[error("{}: the directory holds no .avro file", OneLine(.0.display()))]
    EmptyDirectory(PathBuf),
    /// A pattern that matches nothing.
    #[error("{}: the pattern matches no file", OneLine(.0))]
    NoMatch(String),
    /// A pattern that is none.
    #[error("{}: not a pattern: {source}", OneLine(.pattern))]
    Pattern {
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// Where one specimen is wanted, the argument names several.
    #[error("{}: names {found} files where one is wanted", OneLine(.argument))]
    Several {
        argument: String,
        /// How many files it names.
        found: usize,
    },
    /// Larger than [`SPECIMEN_LIMIT_BYTES`].
    #[error("{input}: larger than the limit of {SPECIMEN_LIMIT_BYTES} bytes for one specimen")]
    TooLarge { input: Input },
    /// The operating system refuses it.
    #[error("{input}: {source}")]
    Read {
        input: Input,
        /// The operating system's error.
        source: io::Error,
    },
    /// Bytes that are no specimen.
    #[error("{input}: {source}")]
    Decode { input: Input, source: DecodeError },
    /// Text that is no JSON.
    #[error("{input}: not JSON: {source}")]
    Json { input: Input, source: serde_json::Error },
    /// A specimen that cannot be written as JSON, or JSON that is none of a specimen.
    #[error("{input}: {source}")]
    Convert { input: Input, source: JsonError },
}

impl Diagnostic for InputError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Input
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::EmptyDirectory(path) => {
                Some(format!("specimens are found by their ending; name the files: `{}/*`", path.display()).into())
            }
            Self::NoMatch(_) => Some("quote the pattern so that the shell does not change it".into()),
            Self::Missing(_)
            | Self::Several { .. }
            | Self::Pattern { .. }
            | Self::TooLarge { .. }
            | Self::Read { .. }
            | Self::Decode { .. }
            | Self::Json { .. }
            | Self::Convert { .. } => None,
        }
    }
}

/// Turns command-line arguments into inputs: each argument's in name order, arguments in theirs, each file once.
pub fn expand(arguments: &[String]) -> Result<Vec<Input>, InputError> {
    let mut inputs = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for argument in arguments {
        for input in expand_one(argument)? {
            if seen.insert(input.clone()) {
                inputs.push(input);
            }
        }
    }
    Ok(inputs)
}

fn expand_one(argument: &str) -> Result<Vec<Input>, InputError> {
    if argument == "-" {
        return Ok(vec![Input::Stdin]);
    }
    let path = Path::new(argument);
    if path.is_dir() {
        return directory(path);
    }
    // A file wins over a pattern, so that a name with brackets in it can be given as it is.
    if path.exists() {
        return Ok(vec![Input::File(path.to_owned())]);
    }
    if !argument.contains(['*', '?', '[']) {
        return Err(InputError::Missing(path.to_owned()));
    }
    pattern(argument)
}

fn directory(path: &Path) -> Result<Vec<Input>, InputError> {
    let refuse = |source| InputError::Read { input: Input::File(path.to_owned()), source };
    let entries = fs::read_dir(path).map_err(refuse)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>().map_err(refuse)?;
    let mut files: Vec<_> = paths.into_iter().filter(|path| is_specimen(path)).map(Input::File).collect();
    files.sort();
    if files.is_empty() { Err(InputError::EmptyDirectory(path.to_owned())) } else { Ok(files) }
}

fn pattern(pattern: &str) -> Result<Vec<Input>, InputError> {
    let paths = glob::glob(pattern).map_err(|source| InputError::Pattern { pattern: pattern.to_owned(), source })?;
    let mut files = Vec::new();
    for path in paths {
        match path {
            Ok(path) if path.is_file() => files.push(Input::File(path)),
            Ok(_) => {}
            Err(error) => {
                return Err(InputError::Read { input: Input::File(error.path().to_owned()), source: error.into() });
            }
        }
    }
    if files.is_empty() { Err(InputError::NoMatch(pattern.to_owned())) } else { Ok(files) }
}

fn is_specimen(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "avro") && path.is_file()
}

impl Input {
    /// The name as it is, for JSON. `Display` escapes it, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => STDIN.to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Reads the bytes, at most [`SPECIMEN_LIMIT_BYTES`] of them, whatever size the source states.
    pub fn read(&self) -> Result<Vec<u8>, InputError> {
        self.read_up_to(SPECIMEN_LIMIT_BYTES)
    }

    fn read_up_to(&self, limit: u64) -> Result<Vec<u8>, InputError> {
        let refuse = |source| InputError::Read { input: self.clone(), source };
        let mut bytes = Vec::new();
        let taken = match self {
            Self::Stdin => io::stdin().lock().take(limit + 1).read_to_end(&mut bytes),
            Self::File(path) => {
                let file = fs::File::open(path).map_err(refuse)?;
                let stated = file.metadata().map_err(refuse)?.len();
                if stated > limit {
                    return Err(InputError::TooLarge { input: self.clone() });
                }
                bytes.reserve_exact(usize::try_from(stated).unwrap_or_default() + 1);
                file.take(limit + 1).read_to_end(&mut bytes)
            }
        }
        .map_err(refuse)?;
        if taken as u64 > limit { Err(InputError::TooLarge { input: self.clone() }) } else { Ok(bytes) }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str(STDIN),
            Self::File(path) => OneLine(path.display()).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory_with(names: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(directory.path().join(name), name).unwrap();
        }
        directory
    }

    fn names(argument: String) -> Vec<String> {
        let inputs = expand(&[argument]).unwrap();
        inputs
            .iter()
            .map(|input| match input {
                Input::Stdin => "-".to_owned(),
                Input::File(path) => path.file_name().unwrap().to_string_lossy().into_owned(),
            })
            .collect()
    }

    #[test]
    fn directory_gives_its_avro_files_in_name_order() {
        let directory = directory_with(&["1-20.avro", "1-10.avro", "notes.txt"]);
        assert_eq!(names(directory.path().display().to_string()), ["1-10.avro", "1-20.avro"]);
    }

    #[test]
    fn pattern_gives_what_it_matches() {
        let directory = directory_with(&["1-10.avro", "1-20.avro", "5-10.avro"]);
        assert_eq!(names(format!("{}/1-*", directory.path().display())), ["1-10.avro", "1-20.avro"]);
    }

    #[test]
    fn file_whose_name_looks_like_a_pattern_is_taken_as_it_is() {
        let directory = directory_with(&["1-[1].avro", "1-1.avro"]);
        assert_eq!(names(format!("{}/1-[1].avro", directory.path().display())), ["1-[1].avro"]);
    }

    #[test]
    fn file_named_twice_is_read_once() {
        let directory = directory_with(&["1-10.avro"]);
        let path = directory.path().join("1-10.avro").display().to_string();
        assert_eq!(expand(&[path.clone(), path, "-".into(), "-".into()]).unwrap().len(), 2);
    }

    #[test]
    fn argument_that_names_nothing_says_so() {
        let directory = directory_with(&["notes.txt"]);
        let at = directory.path().display().to_string();
        for (argument, message) in [
            (at.clone(), "holds no .avro file"),
            (format!("{at}/absent.avro"), "no such file"),
            (format!("{at}/*.avro"), "matches no file"),
            (format!("{at}/[*.avro"), "not a pattern"),
        ] {
            let error = expand(&[argument]).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let directory = directory_with(&[]);
        let path = directory.path().join("1-10.avro");
        fs::write(&path, [0; 9]).unwrap();
        let input = Input::File(path);
        assert_eq!(input.read_up_to(9).unwrap().len(), 9);
        assert!(matches!(input.read_up_to(8), Err(InputError::TooLarge { .. })));
        // A source that does not state its size is held to the same limit.
        let endless = Input::File("/dev/zero".into());
        assert!(matches!(endless.read_up_to(100_000), Err(InputError::TooLarge { .. })));
    }
}
