//! `refiner rule test`: a rule over a folder of specimens, whose artifacts are compared with those that were agreed on.

use std::{
    fs, io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use alloy_primitives::Bytes;
use refiner_diagnostics::{ExitCode, Failure};
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::{Params, SpecimenHash, Verdict};
use refiner_text::OneLine;
use serde_json::json;

use super::{
    RuleError,
    arguments::Test,
    session::{Prepared, Session},
};
use crate::{
    input,
    rules::{Allowance, Sources},
    terminal,
};

/// The file that holds a verdict without artifacts, in place of them.
const VERDICT: &str = "verdict";
/// Most bytes of a line that a difference shows.
const LINE_BYTES_MAX: usize = 120;

/// The outcome for one specimen.
struct Outcome {
    specimen: String,
    /// Files compared, or written.
    files: usize,
    differences: Vec<Difference>,
}

/// A file that is not as agreed on.
enum Difference {
    /// Nothing was agreed on.
    New(String),
    /// The rule does not make it any more.
    Gone(String),
    /// Other bytes, with the first line that differs.
    Changed { file: String, line: usize, expected: String, found: String },
}

pub fn run(arguments: &Test) -> Result<ExitCode, Failure> {
    let Test { rule, specimens, bless, json, .. } = arguments;
    let mut found = Sources::default().find(rule)?;
    let several = RuleError::Several { argument: rule.clone(), found: found.len() };
    let found = found.pop().filter(|_| found.is_empty()).ok_or(several)?;
    let folder = arguments.golden.clone().unwrap_or_else(|| specimens.clone());
    let session = Session::begin(&[], ExecutionPolicy::default(), Allowance::of_author(), NonZeroUsize::MIN)?;
    let rule = session.prepare(found)?;
    let stdout = &mut terminal::out(*json);
    let mut good = true;
    for input in input::expand(&[specimens.display().to_string()])? {
        let name = input.name();
        let stem = Path::new(&name).file_stem().map_or(name.clone(), |stem| stem.to_string_lossy().into_owned());
        let made = made(&session, &rule, &input.read()?.into())?;
        let differences = differences(&folder, &stem, &made, &rule)?;
        if *bless {
            write(&folder, &stem, &made, &differences)?;
        }
        let outcome = Outcome { specimen: stem, files: made.len(), differences };
        good &= outcome.differences.is_empty() || *bless;
        if *json {
            writeln!(stdout, "{}", outcome.as_json(*bless))?;
        } else {
            for line in outcome.lines(*bless) {
                writeln!(stdout, "{}", OneLine(line))?;
            }
        }
    }
    Ok(if good { ExitCode::Done } else { ExitCode::Verdict })
}

/// The files of one run: artifacts by their names, or the verdict.
fn made(session: &Session, rule: &Prepared, raw: &Bytes) -> Result<Vec<(String, Vec<u8>)>, RuleError> {
    let limits = rule.compiled.default_limits();
    let finished = session.run(rule, raw, SpecimenHash::of(raw.clone()), &Params::default(), limits)?;
    Ok(match finished.run.verdict {
        Verdict::Produced { artifacts, .. } => {
            artifacts.into_iter().map(|artifact| (artifact.name, artifact.bytes.to_vec())).collect()
        }
        verdict => vec![(VERDICT.to_owned(), format!("{verdict}\n").into_bytes())],
    })
}

/// Compares what a run made with the files of a folder, those included that it does not make any more.
fn differences(
    folder: &Path,
    stem: &str,
    made: &[(String, Vec<u8>)],
    rule: &Prepared,
) -> Result<Vec<Difference>, RuleError> {
    let mut differences = Vec::new();
    for (name, bytes) in made {
        match read(&folder.join(format!("{stem}.{name}")))? {
            None => differences.push(Difference::New(name.clone())),
            Some(agreed) if agreed == *bytes => {}
            Some(agreed) => differences.push(Difference::changed(name, &agreed, bytes)),
        }
    }
    let outputs = rule.compiled.manifest().outputs.iter().map(|output| output.name.as_str());
    for name in outputs.chain([VERDICT]).filter(|name| !made.iter().any(|(made, _)| made == name)) {
        if read(&folder.join(format!("{stem}.{name}")))?.is_some() {
            differences.push(Difference::Gone(name.to_owned()));
        }
    }
    Ok(differences)
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, RuleError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RuleError::Golden { path: path.to_owned(), source }),
    }
}

/// Agrees on what a run made: writes each file that differs, and removes what is not made any more.
fn write(folder: &Path, stem: &str, made: &[(String, Vec<u8>)], differences: &[Difference]) -> Result<(), RuleError> {
    let at = |path: &Path| {
        let path: PathBuf = path.to_owned();
        move |source| RuleError::Golden { path, source }
    };
    fs::create_dir_all(folder).map_err(at(folder))?;
    for difference in differences {
        let path = folder.join(format!("{stem}.{}", difference.file()));
        match made.iter().find(|(name, _)| name == difference.file()) {
            Some((_, bytes)) => fs::write(&path, bytes).map_err(at(&path))?,
            None => fs::remove_file(&path).map_err(at(&path))?,
        }
    }
    Ok(())
}

impl Difference {
    fn changed(file: &str, agreed: &[u8], found: &[u8]) -> Self {
        let (mut agreed, mut found) = (agreed.split(|byte| *byte == b'\n'), found.split(|byte| *byte == b'\n'));
        let shown = |line: Option<&[u8]>| match line {
            Some(line) => String::from_utf8_lossy(&line[..line.len().min(LINE_BYTES_MAX)]).into_owned(),
            None => "the end".to_owned(),
        };
        for line in 1_usize.. {
            let (expected, found) = (agreed.next(), found.next());
            if expected != found || expected.is_none() {
                return Self::Changed { file: file.to_owned(), line, expected: shown(expected), found: shown(found) };
            }
        }
        Self::New(file.to_owned())
    }

    fn file(&self) -> &str {
        match self {
            Self::New(file) | Self::Gone(file) | Self::Changed { file, .. } => file,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::New(file) => format!("{file}: nothing was agreed on; --bless writes it"),
            Self::Gone(file) => format!("{file}: agreed on, and not made any more"),
            Self::Changed { file, line, expected, found } => {
                format!("{file}: line {line}: expected {expected}, found {found}")
            }
        }
    }
}

impl Outcome {
    fn lines(&self, blessed: bool) -> Vec<String> {
        let Self { specimen, files, differences } = self;
        if differences.is_empty() {
            return vec![format!("ok       {specimen}  {files} files as agreed on")];
        }
        let mark = if blessed { "written" } else { "differs" };
        differences.iter().map(|difference| format!("{mark}  {specimen}  {}", difference.text())).collect()
    }

    fn as_json(&self, blessed: bool) -> serde_json::Value {
        let differences: Vec<_> = self.differences.iter().map(Difference::text).collect();
        json!({ "specimen": self.specimen, "files": self.files, "differences": differences, "written": blessed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_that_differs_is_named() {
        let check = |agreed: &str, found: &str, expected: &str| {
            assert_eq!(Difference::changed("a", agreed.as_bytes(), found.as_bytes()).text(), expected);
        };
        check("1\n2\n", "1\n3\n", "a: line 2: expected 2, found 3");
        check("1\n", "1\n2\n", "a: line 2: expected , found 2");
        check("1", "1\n", "a: line 2: expected the end, found ");
    }
}
