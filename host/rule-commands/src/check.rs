//! `refiner rule check`: checks admission and determinism.

use std::{num::NonZeroUsize, path::Path};

use alloy_primitives::Bytes;
use refiner_authoring::template;
use refiner_diagnostics::{Diagnostic as _, ExitCode, Failure};
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::{Limit, Params, Run, SpecimenHash, Verdict};
use refiner_text::OneLine;
use serde_json::{Value, json};

use super::{
    arguments::Check,
    session::{PrepareError, Prepared, Session},
    show,
};
use crate::{
    chains::ConfiguredChains,
    executor,
    input::{self, InputError},
    rules::{Allowance, Found, Sources},
    terminal::{self, EscapingStdout, PrintError},
};

/// Version of the lines of `--json`: 2 since `letIn` became `admitted`. A line without it is of version 1.
pub const SCHEMA_VERSION: u32 = 2;

/// A specimen to try rules on.
struct Sample {
    name: String,
    raw: Bytes,
}

/// What one specimen showed.
struct Tried {
    sample: String,
    first: Run,
    /// The first repetition, from 2, that differed from the first run.
    differs: Option<(u32, Run)>,
}

pub fn run(arguments: &Check) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let sources = Sources::of(&settings);
    let samples = samples(&arguments.specimens)?;
    let allowance = Allowance::of(&settings);
    let (mut rules, mut unusable) = (Vec::new(), Vec::new());
    for argument in &arguments.rules {
        for (called, found) in sources.find_each(argument)? {
            match found {
                Ok(found) => rules.push(found),
                Err(error) => unusable.push((called, error)),
            }
        }
    }
    allowance.check_names(&rules)?;
    let session = Session::begin(
        &ConfiguredChains::read(&arguments.chains.chain_configs)?,
        executor::policy(&settings),
        allowance,
        NonZeroUsize::MIN,
    )?;
    let mut worst = ExitCode::Done;
    for (called, error) in &unusable {
        worst = worst.max(show::unusable(called, error, arguments.json)?);
    }
    for found in rules {
        worst = worst.max(check(&session, found, &samples, arguments)?);
    }
    Ok(worst)
}

/// Examines a component that was just built as `rule check` does by default. What it prints follows what was printed of the build; as JSON
/// it is returned.
pub fn examine_built(component: &Path, json: bool) -> Result<(ExitCode, Option<Value>), Failure> {
    let found = Sources::default().find_file(component)?;
    let (samples, called) = (samples(&[])?, found.called.clone());
    let session = Session::begin(
        &ConfiguredChains::default(),
        ExecutionPolicy::default(),
        Allowance::of_author(),
        NonZeroUsize::MIN,
    )?;
    let tried = tried(&session, found, &samples, 1);
    if !json {
        return Ok((report(&called, tried, 1, false)?, None));
    }
    Ok(match tried {
        Ok((rule, tried)) => (verdict_of(&tried), Some(as_json(&rule, &tried, 1))),
        Err(error) => (error.exit_code(), Some(show::refused(&called, &error))),
    })
}

fn check(session: &Session, found: Found, samples: &[Sample], arguments: &Check) -> Result<ExitCode, Failure> {
    let (called, repeat) = (found.called.clone(), arguments.repeat.get());
    report(&called, tried(session, found, samples, repeat), repeat, arguments.json)
}

fn tried(
    session: &Session,
    found: Found,
    samples: &[Sample],
    repeat: u32,
) -> Result<(Prepared, Vec<Tried>), PrepareError> {
    let rule = session.prepare(found)?;
    let tried = samples.iter().map(|sample| try_on(session, &rule, sample, repeat)).collect::<Result<_, _>>()?;
    Ok((rule, tried))
}

fn verdict_of(tried: &[Tried]) -> ExitCode {
    if tried.iter().all(Tried::is_good) { ExitCode::Done } else { ExitCode::Verdict }
}

fn report(
    called: &str,
    tried: Result<(Prepared, Vec<Tried>), PrepareError>,
    repeat: u32,
    json: bool,
) -> Result<ExitCode, Failure> {
    let stdout = &mut terminal::out(json);
    match tried {
        Ok((rule, tried)) => {
            if json {
                writeln!(stdout, "{}", as_json(&rule, &tried, repeat))?;
            } else {
                print(&rule, &tried, repeat, stdout)?;
            }
            Ok(verdict_of(&tried))
        }
        Err(error) => Ok(show::unusable(called, &error, json)?),
    }
}

impl Tried {
    /// True where every run was the same, and made something.
    fn is_good(&self) -> bool {
        self.differs.is_none() && matches!(self.first.verdict, Verdict::Produced { .. })
    }
}

fn samples(arguments: &[String]) -> Result<Vec<Sample>, InputError> {
    if arguments.is_empty() {
        let (name, raw) = template::SAMPLE;
        return Ok(vec![Sample { name: format!("the built-in {name}"), raw: Bytes::from_static(raw) }]);
    }
    let inputs = input::expand(arguments)?;
    let read = |input: input::Input| Ok(Sample { name: input.name(), raw: input.read()?.into() });
    inputs.into_iter().map(read).collect()
}

fn try_on(session: &Session, rule: &Prepared, sample: &Sample, repeat: u32) -> Result<Tried, PrepareError> {
    let run = || {
        let limits = rule.compiled.default_limits();
        session
            .run(rule, &sample.raw, SpecimenHash::of(sample.raw.clone()), &Params::default(), limits)
            .map(|finished| finished.run)
    };
    let first = run()?;
    let mut differs = None;
    for repetition in 2..=repeat {
        let again = run()?;
        if again != first {
            differs = Some((repetition, again));
            break;
        }
    }
    Ok(Tried { sample: sample.name.clone(), first, differs })
}

fn print(rule: &Prepared, tried: &[Tried], repeat: u32, out: &mut EscapingStdout) -> Result<(), PrintError> {
    let manifest = rule.compiled.manifest();
    writeln!(out, "{}: admitted", OneLine(&rule.called))?;
    writeln!(
        out,
        "  {} {}, world {}, sha256 {:x}",
        manifest.name,
        manifest.version,
        manifest.world,
        rule.compiled.digest()
    )?;
    for Tried { sample, first, differs } in tried {
        writeln!(out, "  {}: {}; {}", OneLine(sample), first.verdict, used(first))?;
        for line in &first.log {
            writeln!(out, "    log {:<5} {}", line.level.as_str(), line.message)?;
        }
        if let Some(lost) = show::lines_lost(first.usage.log_lines_lost) {
            writeln!(out, "    {lost}")?;
        }
        match differs {
            Some((repetition, again)) => {
                writeln!(out, "  run {repetition} differs from the first: {}; {}", again.verdict, used(again))?;
            }
            None if repeat > 1 => writeln!(out, "  {repeat} fresh instances gave the same output for the same fuel")?,
            None => {}
        }
    }
    Ok(())
}

fn used(run: &Run) -> String {
    let used = &run.usage.used;
    format!(
        "{} fuel, {} bytes of memory, {} calls",
        used.get(Limit::Fuel),
        used.get(Limit::MemoryBytes),
        used.get(Limit::Calls)
    )
}

fn as_json(rule: &Prepared, tried: &[Tried], repeat: u32) -> Value {
    let manifest = rule.compiled.manifest();
    let runs: Vec<_> = tried
        .iter()
        .map(|Tried { sample, first, differs }| {
            json!({
                "specimen": sample,
                "verdict": first.verdict.name(),
                "message": (!matches!(first.verdict, Verdict::Produced { .. })).then(|| first.verdict.to_string()),
                "usage": show::usage(&first.usage),
                "log": show::log(&first.log),
                "repeated": repeat,
                "same": differs.is_none(),
            })
        })
        .collect();
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "rule": rule.called,
        "admitted": true,
        "name": manifest.name,
        "version": manifest.version,
        "sha256": format!("{:x}", rule.compiled.digest()),
        "runs": runs,
    })
}
