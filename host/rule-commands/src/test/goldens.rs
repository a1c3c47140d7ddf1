//! Files that hold what was agreed on, and what they may not be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use refiner_diagnostics::{Diagnostic, ExitCode, Hint};
use refiner_manifest::is_artifact_name;
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

/// A folder of files that were agreed on.
#[derive(Clone, Debug)]
pub enum Folder {
    /// One that the user named for them: what no output is written to was agreed on once, and is removed like the others.
    Apart(PathBuf),
    /// That of the specimens, where the user may keep files of his own beside them.
    OfSpecimens(PathBuf),
}

/// The files of a rule in one folder.
pub struct Goldens {
    folder: Folder,
    /// Names of the rule's outputs.
    outputs: Vec<String>,
    /// Ends of the names of files that no output is written to, by the stem of their specimen.
    unclaimed: BTreeMap<String, Vec<String>>,
}

impl Goldens {
    /// The files of these outputs for these specimens, of which none is a specimen or the rule and none belongs to two.
    pub fn of(
        folder: Folder,
        outputs: Vec<String>,
        specimens: &[Input],
        others: &[(&Path, Taken)],
    ) -> Result<Self, GoldenError> {
        if outputs.iter().any(|output| output == VERDICT) {
            return Err(GoldenError::NamedVerdict);
        }
        let mut goldens = Self { folder, outputs, unclaimed: BTreeMap::new() };
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
        goldens.unclaimed = goldens.unclaimed(specimens, &files)?;
        Ok(goldens)
    }

    /// Files named `<stem>.<output>` whose output the rule does not have. A stem can be the start of another one, so a file belongs to the longest:
    /// those of these specimens, of their neighbours, and of every file that an output of the rule is written to.
    fn unclaimed(
        &self,
        specimens: &[Input],
        files: &BTreeMap<(u64, u64), Taken>,
    ) -> Result<BTreeMap<String, Vec<String>>, GoldenError> {
        let names = listed(self.folder())?;
        let tested: BTreeSet<String> = specimens.iter().map(stem).collect();
        let mut stems = tested.clone();
        let folders: BTreeSet<&Path> = specimens.iter().filter_map(path_of).filter_map(Path::parent).collect();
        for folder in folders {
            let neighbours = listed(folder)?.into_iter().filter(|name| is_specimen_name(name.as_ref()));
            stems.extend(neighbours.map(|name| stem_of(&name)));
        }
        let ends: Vec<_> = self.names().map(|output| format!(".{output}")).collect();
        let written = |name: &String| ends.iter().filter_map(|end| name.strip_suffix(end)).map(str::to_owned).collect();
        stems.extend(names.iter().flat_map::<Vec<String>, _>(written));

        let mut unclaimed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in names {
            let cuts = name.rmatch_indices('.').map(|(dot, _)| (&name[..dot], &name[dot + 1..]));
            let Some((stem, output)) = cuts.into_iter().find(|(stem, _)| stems.contains(*stem)) else { continue };
            let path = self.folder().join(&name);
            let is_golden = tested.contains(stem)
                && is_artifact_name(output)
                && !self.names().any(|claimed| claimed == output)
                && self.may_be_golden(output)
                && !is_specimen_name(name.as_ref())
                && path.is_file()
                && number(&path).is_some_and(|number| !files.contains_key(&number));
            if is_golden {
                unclaimed.entry(stem.to_owned()).or_default().push(output.to_owned());
            }
        }
        Ok(unclaimed)
    }

    /// False for files that users keep beside specimens, as `1-10.receipts.json`: a golden there ends as an output of the rule does.
    fn may_be_golden(&self, output: &str) -> bool {
        let end = |name: &str| Path::new(name).extension().map(ToOwned::to_owned);
        match self.folder {
            Folder::Apart(_) => true,
            Folder::OfSpecimens(_) => self.outputs.iter().any(|claimed| end(claimed) == end(output)),
        }
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
        let unclaimed = self.unclaimed.get(stem).into_iter().flatten().cloned();
        differences.extend(unclaimed.map(match self.folder {
            Folder::Apart(_) => Difference::Gone,
            Folder::OfSpecimens(_) => Difference::Unclaimed,
        }));
        Ok(differences)
    }

    /// Agrees on what a run made: writes each file that differs, and removes what is not made any more.
    pub fn write(&self, stem: &str, made: &Made, differences: &[Difference]) -> Result<(), GoldenError> {
        let at = |path: &Path| {
            let path: PathBuf = path.to_owned();
            move |source| GoldenError::File { path, source }
        };
        fs::create_dir_all(self.folder()).map_err(at(self.folder()))?;
        for difference in differences.iter().filter(|difference| difference.is_settled_by_bless()) {
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
        self.folder().join(format!("{stem}.{name}"))
    }

    fn folder(&self) -> &Path {
        match &self.folder {
            Folder::Apart(path) | Folder::OfSpecimens(path) => path,
        }
    }
}

/// The name of a specimen without its folder and its ending.
pub fn stem(specimen: &Input) -> String {
    stem_of(&specimen.name())
}

fn stem_of(name: &str) -> String {
    Path::new(name).file_stem().map_or(name.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// Names in a folder, in order, of which a golden is one only in UTF-8. There are none where there is no folder.
fn listed(folder: &Path) -> Result<Vec<String>, GoldenError> {
    let refuse = |source| GoldenError::File { path: folder.to_owned(), source };
    // The folder of a file that is named without one.
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match fs::read_dir(here) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(refuse(source)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(refuse)?.file_name().into_string().ok());
    }
    names.sort();
    Ok(names)
}

/// The path of a specimen that is a file by itself.
fn path_of(specimen: &Input) -> Option<&Path> {
    match specimen {
        Input::File(path) => Some(path),
        Input::Stdin(_) | Input::Member(_) | Input::Remote(_) => None,
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
        let goldens =
            Goldens::of(Folder::OfSpecimens(folder.clone()), outputs, &specimens, &[(rule.as_path(), Taken::Rule)]);
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

    /// Files beside these specimens that no output is written to, as `<stem> <output>`, where only the `tested` ones are.
    fn unclaimed(names: &[&str], tested: &[&str], outputs: &[&str], files: &[&str]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().to_owned();
        for name in names.iter().chain(files) {
            fs::write(folder.join(name), name).unwrap();
        }
        let specimens: Vec<_> = tested.iter().map(|name| Input::File(folder.join(name))).collect();
        let outputs = outputs.iter().map(|output| (*output).to_owned()).collect();
        let rule = folder.join("a.wasm");
        let goldens =
            Goldens::of(Folder::Apart(folder), outputs, &specimens, &[(rule.as_path(), Taken::Rule)]).unwrap();
        let found = goldens.unclaimed.iter().flat_map(|(stem, of)| of.iter().map(move |end| format!("{stem} {end}")));
        found.collect()
    }

    #[test]
    fn file_of_an_output_that_the_rule_lost_belongs_to_the_longest_stem_and_is_no_other_file() {
        let check = |names: &[&str], tested: &[&str], files: &[&str], expected: &[&str]| {
            assert_eq!(unclaimed(names, tested, &["rows.ndjson"], files), expected, "{names:?} {tested:?} {files:?}");
        };
        let both = ["a.avro", "a.b.avro"];
        check(&["a.avro"], &["a.avro"], &["a.rows.ndjson", "a.old.ndjson", "b.old.ndjson"], &["a old.ndjson"]);
        check(&both, &both, &["a.old", "a.b.old"], &["a old", "a.b old"]);
        check(&both, &["a.avro"], &["a.b.old", "a.b.rows.ndjson"], &[]);
        // Another specimen that is not here, but by what was agreed on for it.
        check(&["a.avro"], &["a.avro"], &["a.b.old", "a.b.verdict"], &[]);
        check(&["a.avro"], &["a.avro"], &["a.b.old"], &["a b.old"]);
        check(&["a.avro"], &["a.avro"], &["a.wasm", "a.zst~", "a.c.avro.gz", "ab.old"], &[]);
        check(&["1-2"], &["1-2"], &["1-2.old"], &["1-2 old"]);
    }

    #[test]
    fn bless_removes_what_the_rule_lost_and_only_from_a_folder_of_goldens() {
        for apart in [true, false] {
            let directory = tempfile::tempdir().unwrap();
            let at = |name: &str| directory.path().join(name);
            for name in ["a.avro", "a.old.ndjson", "a.b.rows.ndjson"] {
                fs::write(at(name), name).unwrap();
            }
            let folder = directory.path().to_owned();
            let folder = if apart { Folder::Apart(folder) } else { Folder::OfSpecimens(folder) };
            if !apart {
                fs::write(at("a.receipts.json"), "of the user").unwrap();
            }
            let goldens =
                Goldens::of(folder, vec!["rows.ndjson".to_owned()], &[Input::File(at("a.avro"))], &[]).unwrap();
            let made = [("rows.ndjson".to_owned(), b"row".to_vec())];
            let differences = goldens.differences("a", &made).unwrap();
            let shown: Vec<_> = differences.iter().map(Difference::text).collect();
            assert!(shown.len() == 2 && shown[1].starts_with("old.ndjson: "), "{shown:?}");
            goldens.write("a", &made, &differences).unwrap();
            assert_eq!(at("a.old.ndjson").exists(), !apart);
            let left = ["a.rows.ndjson", "a.b.rows.ndjson", "a.avro"];
            assert!(left.into_iter().all(|name| at(name).exists()));
        }
    }
}
