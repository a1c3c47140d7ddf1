//! The command line of `refiner rule`.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand};
use refiner_arguments::{ChainConfigs, parameter};
use refiner_authoring::{Language, RuleName};
use refiner_config::{Flags, RuleLimit, scope};
use refiner_rule_model::Limit;

use crate::profile::{ProfileForm, SAMPLES, SAMPLES_MAX};

/// `refiner rule`.
#[derive(Debug, Subcommand)]
pub enum Rule {
    /// Writes a new rule with the SDK of its language, a test and a sample specimen.
    New(New),
    /// Builds a rule by the toolchain of its language to a component with its manifest inside, and checks it.
    Build(Build),
    /// Builds a rule and runs it over a specimen, and again after each change of its sources.
    Watch(Watch),
    /// Checks whether rules are admitted; if not, prints what was found, what is allowed and what to do.
    Check(Check),
    /// Prints identity, requested limits and imports of rules, without running them.
    Info(Info),
    /// Prints the JSON Schema of the rows of each output, from the columns in the rule's manifest.
    Schema(Schema),
    /// Runs a rule over one specimen and shows what it used and made.
    Run(Run),
    /// Agrees on what sources are today and writes it to rules.lock.
    Lock(Lock),
    /// Puts a manifest into a component that any toolchain made.
    Embed(Embed),
    /// Makes a key pair that signs rules.
    Keygen(Keygen),
    /// Puts a signature into a component, made with a key or by another program.
    Sign(Sign),
    /// Publishes a rule in an OCI registry and prints its source with the digest.
    Push(Push),
    /// Builds a rule again from its source and compares the bytes.
    Verify(Verify),
    /// Runs a rule over a folder of specimens and compares its artifacts with those agreed on.
    Test(Test),
}

/// `refiner rule new`.
#[derive(Debug, Args)]
pub struct New {
    /// Its name: a-z, 0-9 and `-`.
    #[arg(value_name = "NAME")]
    pub name: RuleName,
    /// Where to, a directory that is empty or not there [default: its name].
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Its language: `rust`, `go`, `python`, `javascript` or `c`.
    #[arg(long, value_name = "LANGUAGE", default_value = Language::Rust.as_str())]
    pub language: Language,
    /// A rule that has the block executed.
    #[arg(long)]
    pub with_evm: bool,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule build`.
#[derive(Debug, Args)]
pub struct Build {
    /// The rule's directory, with `Cargo.toml`, `go.mod`, `pyproject.toml`, `package.json` or `rule.c`.
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Where to [default: `<name>.wasm` in the directory].
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Keeps names of functions in Rust and Go too, for profiles and traps; a larger component, with another digest.
    #[arg(long)]
    pub names: bool,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// The rule's directory. What toolchains make in it is not looked at.
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// The specimen [default: `sample.avro` in the directory].
    #[arg(long, value_name = "FILE")]
    pub specimen: Option<PathBuf>,
    /// Ends after so many builds [default: never].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: Option<u32>,
}

/// `refiner rule check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Built-in names, component files, directories of them, or sources.
    #[arg(required = true, value_name = "RULE")]
    pub rules: Vec<String>,
    /// Runs each rule so often, in fresh instances, and compares output and fuel.
    #[arg(long, value_name = "N", default_value = "1")]
    pub repeat: NonZeroU32,
    /// Specimens to run over: files, directories or patterns; can be repeated [default: one that is built in].
    #[arg(long = "specimen", value_name = "SPECIMEN")]
    pub specimens: Vec<String>,
    #[command(flatten)]
    pub settings: Flags<scope::RuleCheck>,
    #[command(flatten)]
    pub chains: ChainConfigs,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule info`.
#[derive(Debug, Args)]
pub struct Info {
    /// Built-in names, component files, directories of them, or sources.
    #[arg(required = true, value_name = "RULE")]
    pub rules: Vec<String>,
    #[command(flatten)]
    pub settings: Flags<scope::RuleInfo>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// A built-in name, a component file, or a source.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// The Arrow schema of the table in place of the JSON Schema of its rows: a line for each column.
    #[arg(long)]
    pub arrow: bool,
    #[command(flatten)]
    pub settings: Flags<scope::RuleVerify>,
}

/// `refiner rule run`.
#[derive(Debug, Args)]
pub struct Run {
    /// A built-in name, a component file, or a source.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// A specimen file, or `-` for standard input.
    #[arg(value_name = "SPECIMEN")]
    pub specimen: String,
    /// Directory for `<chain>-<height>.<rule>.<artifact>`; without it results are hashed and dropped.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A parameter for the rule, part of its identity; can be repeated.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub params: Vec<(String, String)>,
    /// Grants another limit than the rule asks for, up to its cap, such as `memory_bytes=64MiB` or `wall_ms=60s`; can be repeated. `rule info` names them.
    #[arg(long = "limit", value_name = "NAME=VALUE", value_parser = limit)]
    pub limits: Vec<(String, u64)>,
    /// Prints the artifacts' content.
    #[arg(long)]
    pub show: bool,
    /// Writes fuel by function: the run is made again and again, each time stopped at another place of its fuel.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// The viewer that the profile is for: `speedscope` or `firefox`.
    #[arg(long, value_name = "FORM", default_value = ProfileForm::Speedscope.as_str(), requires = "profile")]
    pub profile_form: ProfileForm,
    /// Places at which the run is stopped, up to 10,000; fewer where they would be closer than 1,000 units of fuel.
    #[arg(long, value_name = "N", default_value_t = SAMPLES, value_parser = clap::value_parser!(u32).range(1..=i64::from(SAMPLES_MAX)), requires = "profile")]
    pub profile_samples: u32,
    #[command(flatten)]
    pub settings: Flags<scope::RuleRun>,
    #[command(flatten)]
    pub chains: ChainConfigs,
    /// One JSON object.
    #[arg(long, conflicts_with = "show")]
    pub json: bool,
}

/// `refiner rule lock`.
#[derive(Debug, Args)]
pub struct Lock {
    /// Files, directories of them, or sources.
    #[arg(required = true, value_name = "RULE")]
    pub rules: Vec<String>,
    #[command(flatten)]
    pub settings: Flags<scope::RuleLock>,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule embed`.
#[derive(Debug, Args)]
pub struct Embed {
    /// The component.
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// Its manifest.
    #[arg(value_name = "MANIFEST", default_value = "rule.toml")]
    pub manifest: PathBuf,
    /// Where to [default: into the component's file].
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Takes the place of another manifest in the component, and drops the signatures over it.
    #[arg(long)]
    pub replace: bool,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule keygen`.
#[derive(Debug, Args)]
pub struct Keygen {
    /// File for the private key, which only its owner may read; the public key goes beside it, with the ending `.pub`.
    #[arg(value_name = "FILE", default_value = "signing.pem")]
    pub key: PathBuf,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule sign`.
#[derive(Debug, Args)]
pub struct Sign {
    /// The component, with its manifest inside.
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// Private key of P-256 in PKCS #8, as `refiner rule keygen` or OpenSSL writes it.
    #[arg(long, value_name = "FILE", conflicts_with = "bundle", required_unless_present = "bundle")]
    pub key: Option<PathBuf>,
    /// Sigstore bundle over the component as it is now, as `cosign sign-blob --bundle` writes it.
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Drops the signatures that the component has, and signs all the rest of it.
    #[arg(long, conflicts_with = "bundle")]
    pub replace: bool,
    /// Where to [default: into the component's file].
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule push`.
#[derive(Debug, Args)]
pub struct Push {
    /// The component, with its manifest inside or beside it.
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// Where to, as oci://ghcr.io/owner/rule:1.0.0.
    // As text: the command line's own errors repeat a value that does not parse, and this one may hold a password.
    #[arg(value_name = "SOURCE")]
    pub to: String,
    #[command(flatten)]
    pub settings: Flags<scope::RulePush>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// A component file, or a source.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Folder of its source, with its rule.toml.
    #[arg(long, value_name = "DIR")]
    pub source: PathBuf,
    /// The component that its own toolchain built of the source, in place of a build here.
    #[arg(long, value_name = "FILE")]
    pub built: Option<PathBuf>,
    #[command(flatten)]
    pub settings: Flags<scope::RuleVerify>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `refiner rule test`.
#[derive(Debug, Args)]
pub struct Test {
    /// A component file.
    #[arg(value_name = "RULE")]
    pub rule: String,
    /// Folder of specimens.
    #[arg(value_name = "SPECIMENS")]
    pub specimens: PathBuf,
    /// Folder of what was agreed on, as `<specimen>.<artifact>`, or `<specimen>.verdict` for a run without artifacts [default: that of the specimens].
    #[arg(long, value_name = "DIR")]
    pub golden: Option<PathBuf>,
    /// Agrees on what the runs give now, and writes it.
    #[arg(long)]
    pub bless: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub json: bool,
}

fn limit(text: &str) -> Result<(String, u64), String> {
    let (name, value) = parameter(text)?;
    // A run uses nothing of it, so that it would be granted and bound nothing.
    if Limit::from_name(&name) == Some(Limit::ComponentBytes) {
        return Err(format!(
            "{name} is checked once, before a rule is compiled, and no limit of a run; --rule-limit {name}=… lowers or raises it"
        ));
    }
    let value = RuleLimit::amount(&name, &value)
        .ok_or_else(|| format!("{value:?} is no number, nor a size or a duration that goes with this limit"))?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_is_a_name_and_a_number_or_an_amount_in_another_unit() {
        let check = |text: &str, name: &str, value: u64| assert_eq!(limit(text), Ok((name.to_owned(), value)));
        check("fuel=2_000", "fuel", 2_000);
        check("memory_bytes=1MiB", "memory_bytes", 1 << 20);
        check("wall_ms=2s", "wall_ms", 2_000);
        let refused = limit("component_bytes=1").expect_err("it bounds no run");
        assert!(refused.contains("--rule-limit component_bytes=…"), "{refused}");
        for text in
            ["fuel", "=1", "fuel=", "fuel=-1", "fuel=1e9", "fuel=18446744073709551616", "fuel=1MiB", "wall_ms=1MiB"]
        {
            assert!(limit(text).is_err(), "{text}");
        }
    }
}
