//! Files that hold what was agreed on, and what they may not be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_text::{OneLine, UntrustedText};

use super::{Difference, Made};
use crate::input::{Input, is_specimen_name};

/// The file that holds a verdict without artifacts, in place of them.
pub const VERDICT: &str = "verdict";

/// Files that cannot hold what is agreed on.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// A file cannot be read or written.
    #[error("{}: {source}", OneLine(.path.display()))]
    File { path: PathBuf, source: io::Error },
    /// An output is called as the file of a verdict.
    #[error(
        "the rule has an output named {VERDICT:?}, and the file of that name holds the verdict of a run without artifacts"
    )]
    NamedVerdict,
    /// The file for an artifact is another one already, or would be taken for a specimen.
    #[error("{}: the output \"{output}\" would be kept in this file, which {taken}", OneLine(.path.display()))]
    Taken {
        path: PathBuf,
        output: UntrustedText,
        /// The file's other meaning.
        taken: Taken,
    },
    /// Two specimens would share a file.
    #[error("{}: two specimens would be compared with this one file: {one} and {other}", OneLine(.path.display()))]
    Shared {
        path: PathBuf,
        /// The first specimen.
        one: Input,
        /// The other.
        other: Input,
    },
}

/// The meaning of a file that holds no artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Specimen,
    NamedAsSpecimen,
    Rule,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Specimen => "is a specimen",
            Self::NamedAsSpecimen => "is named as specimens are",
            Self::Rule => "is the rule",
        })
    }
}

impl Diagnostic for GoldenError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::File { .. } => ExitCode::Host,
            Self::NamedVerdict | Self::Taken { .. } | Self::Shared { .. } => ExitCode::Usage,
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::File { .. } => None,
            Self::NamedVerdict => Some("give the output another name in rule.toml".into()),
            Self::Taken { .. } => Some(
                "give the output another name in rule.toml, such as one that ends with .ndjson, or name another folder with --golden"
                    .into(),
            ),
            Self::Shared { .. } => {
                Some("rename one of them, or test them in separate folders, each with its own --golden DIR".into())
            }
        }
    }
}

/// The files of a rule in one folder.
pub struct Goldens {
    folder: PathBuf,
    /// Names of the rule's outputs.
    outputs: Vec<String>,
}

impl Goldens {
    /// The files of these outputs for these specimens, of which none is a specimen or the rule and none belongs to two.
    pub fn of(
        folder: PathBuf,
        outputs: Vec<String>,
        specimens: &[Input],
        others: &[(&Path, Taken)],
    ) -> Result<Self, GoldenError> {
        if outputs.iter().any(|output| output == VERDICT) {
            return Err(GoldenError::NamedVerdict);
        }
        let goldens = Self { folder, outputs };
        let files = specimens.iter().filter_map(path_of).map(|path| (path, Taken::Specimen));
        let files: BTreeMap<_, _> =
            files.chain(others.iter().copied()).filter_map(|(path, taken)| Some((number(path)?, taken))).collect();
        let mut owners: BTreeMap<PathBuf, &Input> = BTreeMap::new();
        for specimen in specimens {
            for output in goldens.names() {
                let path = goldens.path(&stem(specimen), output);
                let is_named_so = path.file_name().is_some_and(is_specimen_name);
                // By its number: a link, or a name in another case, is the same file.
                let taken = number(&path).and_then(|number| files.get(&number).copied());
                if let Some(taken) = taken.or(is_named_so.then_some(Taken::NamedAsSpecimen)) {
                    return Err(GoldenError::Taken { path, output: UntrustedText::new(output), taken });
                }
                if let Some(one) = owners.insert(path.clone(), specimen).filter(|one| *one != specimen) {
                    return Err(GoldenError::Shared { path, one: one.clone(), other: specimen.clone() });
                }
            }
        }
        Ok(goldens)
    }

    /// Names of files that seem to be of a specimen and of an output that the rule had once: of the specimen by their beginning, and with the
    /// extension of one of the outputs. They may as well be the user's own or another rule's, so that they are neither compared nor removed.
    pub fn unclaimed(&self, specimens: &[Input]) -> Result<Vec<String>, GoldenError> {
        let refuse = |source| GoldenError::File { path: self.folder.clone(), source };
        let stems: Vec<_> = specimens.iter().map(|specimen| format!("{}.", stem(specimen))).collect();
        let ends: Vec<_> = self.names().map(|output| format!(".{output}")).collect();
        let extension = |name: &str| Path::new(name).extension().map(ToOwned::to_owned);
        let extensions: BTreeSet<_> = self.outputs.iter().filter_map(|output| extension(output)).collect();
        let mut unclaimed = BTreeSet::new();
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(refuse(source)),
        };
        for entry in entries {
            let Ok(name) = entry.map_err(refuse)?.file_name().into_string() else { continue };
            let is_of_a_specimen = stems.iter().any(|stem| name.starts_with(stem));
            let is_of_an_output = ends.iter().any(|end| name.ends_with(end));
            if is_of_a_specimen && !is_of_an_output && extension(&name).is_some_and(|end| extensions.contains(&end)) {
                unclaimed.insert(name);
            }
        }
        Ok(unclaimed.into_iter().collect())
    }

    /// Compares what a run made with the files, those included that it does not make any more.
    pub fn differences(&self, stem: &str, made: &Made) -> Result<Vec<Difference>, GoldenError> {
        let mut differences = Vec::new();
        for (name, bytes) in made {
            match read(&self.path(stem, name))? {
                None => differences.push(Difference::New(name.clone())),
                Some(agreed) if agreed == *bytes => {}
                Some(agreed) => differences.push(Difference::changed(name, &agreed, bytes)),
            }
        }
        for name in self.names().filter(|name| !made.iter().any(|(made, _)| made == name)) {
            if read(&self.path(stem, name))?.is_some() {
                differences.push(Difference::Gone(name.to_owned()));
            }
        }
        Ok(differences)
    }

    /// Agrees on what a run made: writes each file that differs, and removes what is not made any more.
    pub fn write(&self, stem: &str, made: &Made, differences: &[Difference]) -> Result<(), GoldenError> {
        let at = |path: &Path| {
            let path: PathBuf = path.to_owned();
            move |source| GoldenError::File { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(at(&self.folder))?;
        for difference in differences {
            let path = self.path(stem, difference.file());
            match made.iter().find(|(name, _)| name == difference.file()) {
                Some((_, bytes)) => fs::write(&path, bytes).map_err(at(&path))?,
                None => fs::remove_file(&path).map_err(at(&path))?,
            }
        }
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(String::as_str).chain([VERDICT])
    }

    fn path(&self, stem: &str, name: &str) -> PathBuf {
        self.folder.join(format!("{stem}.{name}"))
    }
}

/// The name of a specimen without its folder and its ending.
pub fn stem(specimen: &Input) -> String {
    let name = specimen.name();
    Path::new(&name).file_stem().map_or(name.clone(), |stem| stem.to_string_lossy().into_owned())
}

/// The path of a specimen that is a file by itself.
fn path_of(specimen: &Input) -> Option<&Path> {
    match specimen {
        Input::File(path) => Some(path),
        Input::Stream(_) | Input::Member(_) | Input::Remote(_) => None,
    }
}

/// Device and number of a file that is there, links followed.
fn number(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, GoldenError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(GoldenError::File { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::expand;

    /// The files of these outputs beside specimens of these names.
    fn of(names: &[&str], outputs: &[&str], more: &[&str]) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("folder");
        fs::create_dir(&folder).unwrap();
        for name in names.iter().chain(more) {
            fs::write(folder.join(name), name).unwrap();
        }
        let specimens = expand(&[&folder]).unwrap();
        let outputs = outputs.iter().map(|output| (*output).to_owned()).collect();
        let rule = folder.join("rule.wasm");
        let goldens = Goldens::of(folder.clone(), outputs, &specimens, &[(rule.as_path(), Taken::Rule)]);
        goldens.map(drop).map_err(|error| error.to_string().replace(&format!("{}/", folder.display()), ""))
    }

    #[test]
    fn file_of_an_artifact_is_never_a_specimen_nor_the_rule() {
        assert_eq!(of(&["a.avro", "1-2-b"], &["rows.ndjson"], &["a.rows.ndjson"]), Ok(()));
        let check = |names: &[&str], output: &str, more: &[&str], expected: &str| {
            let error = of(names, &[output], more).unwrap_err();
            assert_eq!(error, expected, "{names:?} {output}");
        };
        let kept = |path: &str, output: &str, taken: &str| {
            format!("{path}: the output {output:?} would be kept in this file, which {taken}")
        };
        check(&["a.avro"], "avro", &[], &kept("a.avro", "avro", "is a specimen"));
        check(&["1-2-a"], "avro", &[], &kept("1-2-a.avro", "avro", "is named as specimens are"));
        check(&["a.avro"], "AVRO.zst", &[], &kept("a.AVRO.zst", "AVRO.zst", "is named as specimens are"));
        check(&["rule.avro"], "wasm", &["rule.wasm"], &kept("rule.wasm", "wasm", "is the rule"));
    }

    #[test]
    fn file_belongs_to_one_specimen_and_one_output() {
        let shared = of(&["1-2-a", "1-2-a.avro"], &["rows"], &[]).unwrap_err();
        assert!(shared.starts_with("1-2-a.rows: two specimens would be compared with this one file: "), "{shared}");
        let shared = of(&["a.avro", "a.b.avro"], &["b.rows", "rows"], &[]).unwrap_err();
        assert!(shared.starts_with("a.b.rows: two specimens"), "{shared}");
        assert!(of(&["a.avro"], &["verdict"], &[]).unwrap_err().contains("an output named \"verdict\""));
    }

    #[test]
    fn file_of_an_output_that_the_rule_lost_is_named_and_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().to_owned();
        for name in ["a.rows.ndjson", "a.verdict", "a.old.ndjson", "a.b.rows.ndjson", "b.old.ndjson", "a.notes.md"] {
            fs::write(folder.join(name), name).unwrap();
        }
        let specimens = [Input::File(folder.join("a.avro"))];
        let goldens = Goldens::of(folder, vec!["rows.ndjson".to_owned()], &specimens, &[]).unwrap();
        assert_eq!(goldens.unclaimed(&specimens).unwrap(), ["a.old.ndjson"]);
        let elsewhere = Goldens { folder: directory.path().join("none"), ..goldens };
        assert!(elsewhere.unclaimed(&specimens).unwrap().is_empty());
    }
}
