//! `refiner rule run`: one rule, one specimen, everything that is to be known about it.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use alloy_primitives::{B256, Bytes};
use refiner_authoring::digest;
use refiner_config::Values;
use refiner_diagnostics::{Diagnostic, ExitCode, Failure, Hint};
use refiner_evm::{ExecutionPolicy, ExecutionTerms};
use refiner_evm_server::remote::SetupError;
use refiner_rule_model::{
    Artifact, BasisReport, FuelParts, FuelSample, Params, RuleIdentity, SpecimenHash, TwoValues, Verdict,
};
use refiner_text::OneLine;
use refiner_worker::WorkerRun;
use serde_json::{Value, json};

use super::{
    RuleError,
    arguments::Run,
    profile::{DISTANCE_MIN, FunctionFuel, Profile},
    session::{PrepareError, Prepared, Session},
    show,
};
use crate::{
    chains::{ChainError, ConfiguredChains},
    checks,
    executor::{self, Evm, unusual_terms},
    input::{self, Input, InputError},
    output::{OutputDirectory, OutputError, refuse_input},
    rules::{Allowance, Found, Sources},
    terminal::{self, EscapingStdout, PrintError},
};

/// Functions of a profile that are printed.
const FUNCTIONS_SHOWN: usize = 10;
/// Advice where a profile has numbers in place of names.
const NO_NAMES: &str =
    "the component has no names of functions; `refiner rule build --names` keeps those of Rust and Go";

/// A finished run with everything that is shown of it.
struct Shown {
    rule: Prepared,
    identity: B256,
    policy: ExecutionPolicy,
    /// Chain and height, `1-22500000`.
    block: String,
    finished: WorkerRun,
    /// Artifacts with where they are, if they were written.
    artifacts: Vec<(Artifact, Option<PathBuf>)>,
    /// Fuel by function, where it was wanted and the run used any, and the file that it was written to.
    profile: Option<(Option<Profile>, PathBuf)>,
}

pub fn run(arguments: &Run) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let input = specimen(&arguments.specimen)?;
    if let Some(profile) = &arguments.profile {
        let rule = Sources::of(&settings).input_files(&arguments.rule);
        let inputs = rule.iter().map(PathBuf::as_path).chain(input.path());
        refuse_input(profile, inputs.chain(arguments.chains.chain_configs.iter().map(PathBuf::as_path)))?;
    }
    let raw = Bytes::from(input.read()?);
    let block = block(&raw, input)?;
    let mut found = Sources::of(&settings).find(&arguments.rule)?;
    let several = RuleError::Several { argument: arguments.rule.clone(), found: found.len() };
    let found = found.pop().filter(|_| found.is_empty()).ok_or(several)?;

    let called = found.called.clone();
    let stdout = &mut terminal::out(arguments.json);
    let shown = match finish(arguments, &settings, found, &raw, block) {
        Ok(shown) => shown,
        Err(NoResult::Rule(refused)) if arguments.json => {
            writeln!(stdout, "{}", show::refused(&called, &refused))?;
            return Ok(refused.exit_code());
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        writeln!(stdout, "{}", shown.as_json())?;
    } else {
        shown.print(arguments.show, stdout)?;
    }
    let produced = matches!(shown.finished.run.verdict, Verdict::Produced { .. });
    Ok(if produced { ExitCode::Done } else { ExitCode::Verdict })
}

/// A run without a result to show.
#[derive(Debug, thiserror::Error)]
enum NoResult {
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Params(#[from] TwoValues),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    EvmServer(#[from] SetupError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl From<PrepareError> for NoResult {
    fn from(error: PrepareError) -> Self {
        Self::Rule(error.into())
    }
}

impl Diagnostic for NoResult {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Rule(error) => error.exit_code(),
            Self::Params(_) => ExitCode::Usage,
            Self::Chain(error) => error.exit_code(),
            Self::EvmServer(error) => error.exit_code(),
            Self::Output(error) => error.exit_code(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Self::Rule(error) => error.hint(),
            Self::Params(_) => None,
            Self::Chain(error) => error.hint(),
            Self::EvmServer(error) => error.hint(),
            Self::Output(error) => error.hint(),
        }
    }
}

/// Compiles, runs and keeps.
fn finish(arguments: &Run, settings: &Values, found: Found, raw: &Bytes, block: String) -> Result<Shown, NoResult> {
    let evm = Evm::of(settings);
    let differences = arguments.out.as_ref().map(|out| out.join("differences"));
    let policy = executor::policy(settings);
    let allowance = Allowance::of(settings);
    allowance.check_names([&found]).map_err(RuleError::from)?;
    let session = Session::begin(
        &ConfiguredChains::read(&arguments.chains.chain_configs)?,
        policy,
        allowance,
        NonZeroUsize::MIN,
    )?;
    let session = session.executing(evm.executes(differences)?);
    let rule = session.prepare(found)?;
    let params = Params::of(arguments.params.iter().cloned())?;
    let mut limits = rule.compiled.default_limits();
    for (name, value) in &arguments.limits {
        limits.set_by_name(name, *value).map_err(RuleError::from)?;
    }
    let finished = session.run(&rule, raw, SpecimenHash::of(raw.clone()), &params, limits)?;
    let terms = ExecutionTerms { executed_by: evm.executed_by(), policy };
    let identity =
        RuleIdentity::of(rule.compiled.digest(), rule.compiled.manifest(), &params, &limits, &terms).digest();
    let artifacts = keep(arguments, &rule, &block, &finished)?;
    let hash = SpecimenHash::of(raw.clone());
    let sample = |stop| session.sample(&rule, raw, hash.clone(), &params, limits, stop);
    let profile = profile(arguments, &format!("{} {block}", rule.compiled.manifest().name), sample)?;

    Ok(Shown { rule, identity, policy, block, finished, artifacts, profile })
}

/// Takes a profile of the run and writes it, where one is wanted.
fn profile(
    arguments: &Run,
    title: &str,
    sample: impl Fn(FuelParts) -> Result<FuelSample, PrepareError>,
) -> Result<Option<(Option<Profile>, PathBuf)>, NoResult> {
    let Some(path) = &arguments.profile else { return Ok(None) };
    let profile = Profile::take(title.to_owned(), arguments.profile_samples, sample)?;
    if let Some(profile) = &profile {
        let written = profile.write(path, arguments.profile_form);
        written.map_err(|source| RuleError::Profile { path: path.clone(), source })?;
    }
    Ok(Some((profile, path.clone())))
}

fn specimen(argument: &str) -> Result<Input, InputError> {
    let inputs = input::expand(&[argument.to_owned()])?;
    match inputs.as_slice() {
        [input] => Ok(input.clone()),
        inputs => Err(InputError::Several { argument: argument.to_owned(), found: inputs.len() }),
    }
}

/// Chain and height, for file names.
fn block(raw: &Bytes, input: Input) -> Result<String, InputError> {
    let specimen = refiner_specimen::decode(raw).map_err(|source| InputError::Decode { input, source })?;
    Ok(format!("{}-{}", specimen.block.network_id, specimen.block.header.number))
}

fn keep(
    arguments: &Run,
    rule: &Prepared,
    block: &str,
    finished: &WorkerRun,
) -> Result<Vec<(Artifact, Option<PathBuf>)>, OutputError> {
    let Verdict::Produced { artifacts, .. } = &finished.run.verdict else { return Ok(Vec::new()) };
    let output = arguments.out.as_deref().map(OutputDirectory::create).transpose()?;
    let mut kept = Vec::new();
    for artifact in artifacts {
        let file = format!("{block}.{}.{}", rule.compiled.manifest().name, artifact.name);
        let write = |output: &OutputDirectory| output.write(&file, artifact.sha256(), &artifact.bytes);
        kept.push((artifact.clone(), output.as_ref().map(write).transpose()?));
    }
    Ok(kept)
}

impl Shown {
    fn print(&self, content: bool, out: &mut EscapingStdout) -> Result<(), PrintError> {
        let Self { rule, identity, policy, block, finished, artifacts, profile } = self;
        let manifest = rule.compiled.manifest();
        let run = &finished.run;
        writeln!(out, "rule      {} {}, sha256 {:x}", manifest.name, manifest.version, rule.compiled.digest())?;
        writeln!(out, "identity  {identity:x}")?;
        writeln!(out, "granted   {}", granted(rule))?;
        for (term, value) in unusual_terms(*policy) {
            writeln!(out, "{term:<9} {}", show::plain(&value))?;
        }
        writeln!(out, "block     {block}")?;
        writeln!(out, "verdict   {}", run.verdict)?;
        match &run.evidence.basis {
            Some(BasisReport::Receipts { reason: Some(reason) }) => writeln!(out, "basis     receipts: {reason}")?,
            Some(basis) => writeln!(out, "basis     {}", basis.as_str())?,
            None => {}
        }
        writeln!(out, "time      {:.1} ms in a worker, try {}", finished.elapsed.as_secs_f64() * 1e3, finished.tries)?;
        show::usage_table(&run.usage, out)?;
        if let Some((profile, path)) = profile {
            print_profile(profile.as_ref(), path, out)?;
        }
        for line in &run.log {
            writeln!(out, "\nlog {:<5} {}", line.level.as_str(), line.message)?;
        }
        if let Some(lost) = show::lines_lost(run.usage.log_lines_lost) {
            writeln!(out, "\n{lost}")?;
        }
        for (artifact, path) in artifacts {
            let Artifact { name, media_type, bytes, .. } = artifact;
            writeln!(out, "\n{name}  {media_type}  {}  sha256 {:x}", digest::size(bytes.len()), artifact.sha256())?;
            if let Some(path) = path {
                writeln!(out, "  -> {}", OneLine(path.display()))?;
            }
            if content {
                out.bytes(bytes)?;
                if !bytes.ends_with(b"\n") {
                    writeln!(out)?;
                }
            }
        }
        Ok(())
    }

    fn as_json(&self) -> Value {
        let Self { rule, identity, policy, block, finished, artifacts, profile } = self;
        let manifest = rule.compiled.manifest();
        let run = &finished.run;
        let artifacts: Vec<_> = artifacts
            .iter()
            .map(|(artifact, path)| {
                json!({
                    "name": artifact.name,
                    "mediaType": artifact.media_type,
                    "schema": artifact.schema,
                    "bytes": artifact.bytes.len(),
                    "sha256": format!("{:x}", artifact.sha256()),
                    "file": path,
                })
            })
            .collect();
        let mut shown = json!({
            "rule": manifest.name,
            "version": manifest.version,
            "component": format!("{:x}", rule.compiled.digest()),
            "ruleIdentity": identity,
            "granted": granted(rule),
            "block": block,
            "verdict": run.verdict.name(),
            "message": run.verdict.to_string(),
            "elapsedMs": finished.elapsed.as_secs_f64() * 1e3,
            "tries": finished.tries,
            "usage": show::usage(&run.usage),
            "log": show::log(&run.log),
            "logLinesLost": run.usage.log_lines_lost,
            "artifacts": artifacts,
        });
        if let Some((profile, path)) = profile {
            shown["profile"] = profile.as_ref().map_or(Value::Null, |profile| profile_json(profile, path));
        }
        show::mark_hypothetical(&mut shown, manifest);
        show::merge(&mut shown, checks::evidence(&run.evidence).into());
        show::merge(&mut shown, unusual_terms(*policy).into());
        shown
    }
}

fn print_profile(profile: Option<&Profile>, path: &Path, out: &mut EscapingStdout) -> Result<(), PrintError> {
    let Some(profile) = profile else {
        return writeln!(out, "\nno profile: the run used no fuel");
    };
    let all = profile.fuel().sum();
    writeln!(out, "\nfuel by function, from {} samples -> {}", profile.samples(), OneLine(path.display()))?;
    writeln!(out, "{:>16} {:>5}  {:>16} {:>5}", "own", "%", "with callees", "%")?;
    for FunctionFuel { name, own, total } in profile.by_function().into_iter().take(FUNCTIONS_SHOWN) {
        writeln!(out, "{own:>16} {:>5}  {total:>16} {:>5}  {}", percent(own, all), percent(total, all), OneLine(name))?;
    }
    if !profile.has_names() {
        writeln!(out, "note: {NO_NAMES}")?;
    }
    if profile.is_short() {
        writeln!(
            out,
            "note: a short run, so that samples are few: there is one for every {DISTANCE_MIN} units of fuel"
        )?;
    }
    Ok(())
}

fn profile_json(profile: &Profile, path: &Path) -> Value {
    let function = |FunctionFuel { name, own, total }| json!({ "name": name, "own": own, "total": total });
    let functions: Vec<_> = profile.by_function().into_iter().map(function).collect();
    let FuelParts { code, calls } = profile.fuel();
    json!({
        "file": path,
        "samples": profile.samples(),
        "code": code,
        "calls": calls,
        "named": profile.has_names(),
        "short": profile.is_short(),
        "functions": functions,
    })
}

/// A part in percent with one decimal.
fn percent(part: u64, all: u64) -> String {
    let thousandths = u128::from(part) * 1_000 / u128::from(all.max(1));
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

/// Capabilities in words: what the rule asked for, because its user chose it.
fn granted(rule: &Prepared) -> String {
    let manifest = rule.compiled.manifest();
    let capabilities = manifest.capabilities.iter().map(ToString::to_string);
    let asked: Vec<_> = capabilities.chain(manifest.wasi.map(|_| "sealed WASI".to_owned())).collect();
    if asked.is_empty() {
        "the specimen, output, log and parameters".to_owned()
    } else {
        format!("{}, as asked", asked.join(", "))
    }
}
