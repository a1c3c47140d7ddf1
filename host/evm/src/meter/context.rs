//! The context in which the EVM is metered.

use revm::context::{BlockEnv, CfgEnv, TxEnv};

use super::counter::Meter;
use crate::{journal::BlockJournal, prestate::Beyond};

/// The EVM's context, with the meter as its chain.
pub(crate) type Context<'a> = revm::Context<BlockEnv, TxEnv, CfgEnv, Beyond, BlockJournal, Meter<'a>>;
