//! `refiner rule info`: identity and requests of a rule, read from its bytes alone.

use alloy_primitives::B256;
use refiner_authoring::{
    digest,
    surface::{self, Surface},
};
use refiner_diagnostics::{ExitCode, Failure};
use refiner_evm::{ExecutionPolicy, ExecutionTerms};
use refiner_manifest::{Manifest, Output};
use refiner_rule_model::{
    FUEL_PER_INPUT_BYTE, LIMITS, Limit, LimitSpec, Limits, Params, PerLimit, RefusalKind, RuleIdentity, UntrustedText,
    engine, engine::WASMTIME_VERSION, manifest_of,
};
use refiner_rule_session::PrepareError;
use refiner_signatures::{ClaimedSigner, claimed_signers};
use refiner_text::OneLine;
use serde_json::{Value, json};

use super::{RuleError, arguments::Info, show};
use crate::{
    executor::{self, unusual_terms},
    rules::{Found, Sources},
    terminal::{self, EscapingStdout, PrintError},
};

/// What is known of a rule.
struct Known {
    called: String,
    manifest: Manifest,
    surface: Surface,
    /// Whoever its signatures name.
    signers: Vec<ClaimedSigner>,
    bytes: usize,
    component: B256,
    /// Amounts that may be above what can be granted.
    asked: PerLimit,
    /// What it may ask for where the operator sets nothing.
    ceilings: Limits,
    policy: ExecutionPolicy,
    /// None where it asks for more than can be granted, so that it has no run.
    identity: Option<B256>,
}

pub fn run(arguments: &Info) -> Result<ExitCode, Failure> {
    let settings = arguments.settings.values()?;
    let (sources, policy) = (Sources::of(&settings), executor::policy(&settings));
    let stdout = &mut terminal::out(arguments.json);
    let mut worst = ExitCode::Done;
    for argument in &arguments.rules {
        for (called, found) in sources.find_each(argument)? {
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    worst = worst.max(show::unusable(&called, &error, arguments.json)?);
                    continue;
                }
            };
            match Known::of(found, policy) {
                Ok(known) if arguments.json => writeln!(stdout, "{}", known.as_json())?,
                Ok(known) => known.print(stdout)?,
                Err(error) => worst = worst.max(show::unusable(&called, &error, arguments.json)?),
            }
        }
    }
    Ok(worst)
}

impl Known {
    fn of(found: Found, policy: ExecutionPolicy) -> Result<Self, RuleError> {
        let Found { called, component, beside, looked_for, built_in } = found;
        let manifest = manifest_of(&component, beside.as_deref())
            .map_err(|source| source.looked_for(looked_for.as_deref()))
            .map_err(|source| PrepareError::Refused { rule: called.clone(), source })?;
        let surface = surface::read(&component).map_err(|error| PrepareError::RefusedByWorker {
            rule: called.clone(),
            kind: RefusalKind::Malformed,
            reason: UntrustedText::new(&error.to_string()),
        })?;
        let signers = claimed_signers(&component).unwrap_or_else(|_| vec![ClaimedSigner::Unreadable]);
        let asked = Limits::amounts_asked_by(&manifest);
        let sha256 = B256::from(digest::sha256_bytes(&component));
        let terms = ExecutionTerms { policy, ..ExecutionTerms::default() };
        let identity = Limits::asked_by(&manifest)
            .map(|limits| RuleIdentity::of(sha256, &manifest, &Params::default(), &limits, &terms).digest());
        let ceilings = if built_in { Limits::caps() } else { Limits::default_ceilings() };
        let bytes = component.len();
        let identity = identity.ok();
        Ok(Self { called, bytes, component: sha256, manifest, surface, signers, asked, ceilings, policy, identity })
    }

    fn print(&self, out: &mut EscapingStdout) -> Result<(), PrintError> {
        let Self { called, manifest, surface, signers, bytes, component, asked, ceilings, policy, identity } = self;
        let list = |items: &[String], none: &str| if items.is_empty() { none.to_owned() } else { items.join(", ") };
        writeln!(out, "{}", OneLine(called))?;
        writeln!(out, "  name       {} {}", manifest.name, manifest.version)?;
        writeln!(out, "  licence    {}", UntrustedText::new(&manifest.licence))?;
        writeln!(out, "  source     {}", UntrustedText::new(&manifest.source))?;
        writeln!(out, "  world      {}", manifest.world)?;
        writeln!(out, "  wasi       {}", if manifest.wasi.is_some() { "sealed" } else { "none" })?;
        writeln!(out, "  layouts    {}", list(&manifest.layouts, "all"))?;
        for output in &manifest.outputs {
            let schema = output.schema.as_deref().unwrap_or("none");
            writeln!(
                out,
                "  output     {}  {}  schema {}",
                output.name,
                output.media_type,
                UntrustedText::new(schema)
            )?;
            for column in &output.columns {
                writeln!(out, "    {}", show::column(column))?;
            }
        }
        for import in &surface.imports {
            writeln!(out, "  imports    {}", UntrustedText::new(import))?;
        }
        for export in &surface.exports {
            writeln!(out, "  exports    {}", UntrustedText::new(export))?;
        }
        writeln!(
            out,
            "  size       {} in {} modules, {} functions",
            digest::size(*bytes),
            surface.modules,
            surface.functions
        )?;
        writeln!(out, "  component  sha256 {component:x}")?;
        for signer in signers {
            writeln!(out, "  signature  {}, unchecked", UntrustedText::new(&signer.to_string()))?;
        }
        match identity {
            Some(identity) => {
                writeln!(out, "  identity   {identity:x}, without parameters and with the limits below")?;
            }
            None => writeln!(out, "  identity   none: it asks for more than can be granted")?,
        }
        for (term, value) in unusual_terms(*policy) {
            writeln!(out, "  {term:<10} {}", show::plain(&value))?;
        }
        writeln!(out, "  engine     {}, wasmtime {WASMTIME_VERSION}", engine::NAME)?;
        writeln!(out, "\n  {:<16} {:>16} {:>16} {:>16}", "limit", "asked", "ceiling", "cap")?;
        for spec in &LIMITS {
            let (asked, ceiling) = (asked.get(spec.limit), ceilings.get(spec.limit));
            let note = note(spec, asked, ceiling);
            writeln!(out, "  {:<16} {asked:>16} {ceiling:>16} {:>16}{note}", spec.name, spec.cap)?;
        }
        Ok(())
    }

    fn as_json(&self) -> Value {
        let Self { called, manifest, surface, signers, bytes, component, asked, ceilings, policy, identity } = self;
        let outputs: Vec<_> = manifest
            .outputs
            .iter()
            .map(|output| json!({ "name": output.name, "mediaType": output.media_type, "schema": output.schema, "columns": columns(output) }))
            .collect();
        let limits: serde_json::Map<_, _> = LIMITS
            .iter()
            .map(|spec| {
                let (asked, ceiling) = (asked.get(spec.limit), ceilings.get(spec.limit));
                let mut numbers =
                    json!({ "asked": asked, "default": spec.default, "ceiling": ceiling, "cap": spec.cap });
                if spec.limit == Limit::Fuel {
                    numbers["perSpecimenByte"] = FUEL_PER_INPUT_BYTE.into();
                }
                (spec.name.to_owned(), numbers)
            })
            .collect();
        let mut known = json!({
            "rule": called,
            "name": manifest.name,
            "version": manifest.version,
            "licence": manifest.licence,
            "source": manifest.source,
            "world": manifest.world.as_str(),
            "wasi": manifest.wasi.map(|_| "sealed"),
            "layouts": manifest.layouts,
            "capabilities": manifest.capabilities.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "outputs": outputs,
            "imports": surface.imports,
            "exports": surface.exports,
            "modules": surface.modules,
            "functions": surface.functions,
            "bytes": bytes,
            "sha256": format!("{component:x}"),
            "signatures": signers.iter().map(|signer| UntrustedText::new(&signer.to_string()).to_string()).collect::<Vec<_>>(),
            "ruleIdentity": identity,
            "engine": { "profile": engine::NAME, "id": engine::id(), "wasmtime": WASMTIME_VERSION },
            "limits": limits,
        });
        show::mark_hypothetical(&mut known, manifest);
        show::merge(&mut known, unusual_terms(*policy).into());
        known
    }
}

/// The columns of an output, each with the key in its rows where that differs from its name.
fn columns(output: &Output) -> Value {
    let mut described = refiner_rows::described(&output.columns);
    for (column, described) in output.columns.iter().zip(described.as_array_mut().into_iter().flatten()) {
        if column.field() != column.name {
            described["field"] = column.field().into();
        }
    }
    described
}

/// The note on a limit: where it is more than a rule can have, and what adds to it.
fn note(spec: &LimitSpec, asked: u64, ceiling: u64) -> String {
    let above = match asked {
        asked if asked > spec.cap => "  above its cap",
        asked if asked > ceiling => "  above its ceiling",
        _ => "",
    };
    let added = if spec.limit == Limit::Fuel { "  + 2,000 a byte of the specimen" } else { "" };
    format!("{added}{above}")
}

// The note has the number in words for a reader.
const _: () = assert!(FUEL_PER_INPUT_BYTE == 2_000);
