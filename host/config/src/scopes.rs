//! Groups of scopes that settings are read in.

use crate::row::Scope::{
    self, ContentGet, ContentPut, ContentServe, Data, EvmServe, KeyAddress, KeyImport, KeyNew, Queue, Replay,
    ReplayHosts, RuleCheck, RuleInfo, RuleLock, RulePush, RuleRun, RuleVerify, Run, Session, SpecimenCheck, Work,
};

/// The commands that check or execute blocks for a result of their own.
pub(crate) const CHECKING: &[Scope] = &[Run, Replay, SpecimenCheck, RuleCheck, RuleInfo, RuleRun];
/// The commands that execute blocks.
pub(crate) const BOUNDED: &[Scope] = &[Run, Replay, SpecimenCheck, RuleCheck, RuleInfo, RuleRun, EvmServe];
/// The commands that run rules with an executor of the user's choice.
pub(crate) const EXECUTING: &[Scope] = &[Run, Replay, RuleRun];
/// The commands that run rules.
pub(crate) const RUNNING: &[Scope] = &[Run, Replay, RuleCheck, RuleRun, Work];
/// The commands that find rules.
pub(crate) const RESOLVING: &[Scope] = &[Replay, RuleCheck, RuleInfo, RuleRun, RuleLock, RuleVerify];
/// Those of them that may be bound to the lock file, which the one that writes it is not.
pub(crate) const LOCKABLE: &[Scope] = &[Replay, RuleCheck, RuleInfo, RuleRun, RuleVerify];
/// The commands that ask others over HTTP.
pub(crate) const ONLINE: &[Scope] =
    &[Run, Session, Replay, RuleCheck, RuleInfo, RuleRun, RuleLock, RulePush, RuleVerify, ContentGet, ContentPut, Work];
/// The scopes that work in the daemon's directory.
pub(crate) const IN_DATA: &[Scope] = &[Run, Data, ContentPut, ContentServe, Work];
/// The commands that ask the proof chain.
pub(crate) const ON_CHAIN: &[Scope] = &[Run, Session];
/// The commands that share work over NATS.
pub(crate) const QUEUED: &[Scope] = &[Run, Work, Queue, ReplayHosts];
/// The commands that have worker hosts run rules.
pub(crate) const COORDINATING: &[Scope] = &[Run, ReplayHosts];
/// The commands that read a password.
pub(crate) const WITH_PASSWORD: &[Scope] = &[Run, KeyNew, KeyImport, KeyAddress];
