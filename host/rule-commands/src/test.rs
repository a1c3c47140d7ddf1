//! `refiner rule test`: a rule over a folder of specimens, whose artifacts are compared with those that were agreed on.

mod difference;
mod goldens;

use std::{num::NonZeroUsize, path::Path};

use alloy_primitives::Bytes;
use refiner_diagnostics::{Diagnostic as _, ExitCode, Failure};
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::{Params, SpecimenHash, Verdict};
use refiner_text::OneLine;
use serde_json::json;

pub use self::goldens::GoldenError;
use self::{
    difference::Difference,
    goldens::{Goldens, Taken, VERDICT, stem},
};
use super::{
    RuleError,
    arguments::Test,
    session::{Prepared, Session},
};
use crate::{
    chains::ConfiguredChains,
    failure,
    input::{self, Input, InputError},
    rules::{Allowance, Sources},
    terminal,
};

/// The files of one run: artifacts by their names, or the verdict.
type Made = [(String, Vec<u8>)];

/// The outcome for one specimen.
struct Outcome {
    specimen: String,
    /// Files compared, or written.
    files: usize,
    differences: Vec<Difference>,
}

pub fn run(arguments: &Test) -> Result<ExitCode, Failure> {
    let Test { rule: argument, specimens, bless, json, .. } = arguments;
    let mut found = Sources::default().find(argument)?;
    let several = RuleError::Several { argument: argument.clone(), found: found.len() };
    let found = found.pop().filter(|_| found.is_empty()).ok_or(several)?;
    let session = Session::begin(
        &ConfiguredChains::default(),
        ExecutionPolicy::default(),
        Allowance::of_author(),
        NonZeroUsize::MIN,
    )?;
    let rule = session.prepare(found)?;
    let inputs = input::expand(&[specimens.display().to_string()])?;
    let goldens = goldens(arguments, &rule, &inputs)?;
    for file in goldens.unclaimed(&inputs).map_err(RuleError::from)? {
        tracing::warn!(file = %OneLine(file), "file of no output of the rule, neither compared nor removed");
    }
    let stdout = &mut terminal::out(*json);
    let mut worst = ExitCode::Done;
    for input in inputs {
        let raw = match specimen(&input) {
            Ok(raw) => raw,
            Err(error) => {
                worst = worst.max(error.exit_code());
                if *json {
                    writeln!(stdout, "{}", json!({ "specimen": stem(&input), "error": error.to_string() }))?;
                } else {
                    failure::report_item(&input, &error);
                }
                continue;
            }
        };
        let (stem, made) = (stem(&input), made(&session, &rule, &raw)?);
        let differences = goldens.differences(&stem, &made).map_err(RuleError::from)?;
        if *bless {
            goldens.write(&stem, &made, &differences).map_err(RuleError::from)?;
        }
        let outcome = Outcome { specimen: stem, files: made.len(), differences };
        if !outcome.differences.is_empty() && !*bless {
            worst = worst.max(ExitCode::Verdict);
        }
        if *json {
            writeln!(stdout, "{}", outcome.as_json(*bless))?;
        } else {
            for line in outcome.lines(*bless) {
                writeln!(stdout, "{}", OneLine(line))?;
            }
        }
    }
    Ok(worst)
}

/// The files of what was agreed on. Refused before the first run where one of them is something else.
fn goldens(arguments: &Test, rule: &Prepared, inputs: &[Input]) -> Result<Goldens, RuleError> {
    let Test { rule: argument, specimens, golden, .. } = arguments;
    let outputs = rule.compiled.manifest().outputs.iter().map(|output| output.name.clone()).collect();
    let beside = specimens.parent().filter(|_| specimens.is_file()).unwrap_or(specimens);
    let folder = golden.as_deref().unwrap_or(beside).to_owned();
    let (component, manifest) = (Path::new(argument), Path::new(argument).with_extension("toml"));
    let others = [(component, Taken::Rule), (manifest.as_path(), Taken::Rule), (specimens.as_path(), Taken::Specimen)];
    Ok(Goldens::of(folder, outputs, inputs, &others)?)
}

/// The bytes of a specimen that decodes: a file that is none is not the rule's fault.
fn specimen(input: &Input) -> Result<Bytes, InputError> {
    let raw: Bytes = input.read()?.into();
    match refiner_specimen::decode(&raw) {
        Ok(_) => Ok(raw),
        Err(source) => Err(InputError::Decode { input: input.clone(), source }),
    }
}

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

impl Outcome {
    fn lines(&self, blessed: bool) -> Vec<String> {
        let Self { specimen, files, differences } = self;
        if differences.is_empty() {
            let word = terminal::by_number(*files as u64, "file", "files");
            return vec![format!("ok       {specimen}  {files} {word} as agreed on")];
        }
        let mark = if blessed { "written" } else { "differs" };
        differences.iter().map(|difference| format!("{mark}  {specimen}  {}", difference.text(blessed))).collect()
    }

    fn as_json(&self, blessed: bool) -> serde_json::Value {
        let differences: Vec<_> = self.differences.iter().map(|difference| difference.text(blessed)).collect();
        json!({ "specimen": self.specimen, "files": self.files, "differences": differences, "written": blessed })
    }
}
