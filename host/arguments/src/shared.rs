//! Arguments that commands of several subjects take.

use std::path::PathBuf;

use clap::Args;

/// Chains beyond the built-in ones.
#[derive(Debug, Default, Args)]
pub struct ChainConfigs {
    /// A geth-style chain config JSON for a chain that is not built in (mainnet, sepolia, holesky and hoodi are);
    /// can be repeated.
    #[arg(long = "chain-config", value_name = "FILE")]
    pub chain_configs: Vec<PathBuf>,
}

/// Block hashes that are known from elsewhere.
#[derive(Debug, Args)]
pub struct KnownBlockArguments {
    /// A list of known block hashes, one a line: `[CHAIN] HEIGHT HASH` (chain 1 where none is named), also with commas; `#` begins a
    /// comment. A specimen of another block than listed is rejected.
    #[arg(long = "block-hashes", value_name = "FILE")]
    pub block_hashes: Option<PathBuf>,
}

/// Splits `NAME=VALUE`, a parameter for rules, at the first equals sign.
///
/// # Errors
///
/// The form that is expected.
pub fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty") } else { Ok((name.to_owned(), value.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_is_split_at_the_first_equals_sign() {
        assert_eq!(parameter("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert!(parameter("=b").is_err());
        assert!(parameter("a").is_err());
    }
}
