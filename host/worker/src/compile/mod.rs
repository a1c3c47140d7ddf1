//! Components into machine code, in a child process that may die of it.

mod cache;
mod error;

pub use self::{
    cache::{CacheError, CodeCache},
    error::CompileError,
};

use std::{sync::Arc, time::Duration};

use alloy_primitives::{B256, Bytes};
use refiner_evm::ExecutionTerms;
use refiner_manifest::Manifest;
use refiner_rule_model::{AdmissionError, Grants, HostFailure, Limits, manifest_of};
use refiner_sandbox::{AdmitFailure, AdmittedRule, EngineProfile, Sandbox};
use sha2::{Digest, Sha256};
use tracing::warn;

use self::cache::CodeKey;
use crate::{
    CODE_BYTES_MAX, COMPILE_ARGUMENT, ChildCommand,
    confine::{Ceilings, Requirement},
    pool::send,
    process::Process,
    protocol::{
        self, CompileRequest, Hello, Kind, ProtocolError, RuleRequest, Settings, announced_bytes, read_bytes,
        read_failure, read_refusal,
    },
};

/// Limits for compiling one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// Address space of the compiler's process.
    pub memory_bytes: u64,
    /// Processor time of all its threads.
    pub cpu_seconds: u64,
    /// Wall time from start to the last byte of code.
    pub wall_ms: u64,
}

impl Default for CompileLimits {
    /// 2 GiB, 120 s, 120 s. A 640-byte component was seen to cost a compiler 2.2 GB, one of 26 KB 28 s. The runtime of a whole
    /// language costs an honest rule 44 s of processor time (CPython, 18 MB) to 50 s (SpiderMonkey, 12 MB), half of it on two cores.
    fn default() -> Self {
        Self { memory_bytes: 2 << 30, cpu_seconds: 120, wall_ms: 120_000 }
    }
}

/// A component and its code, for [`crate::Job`]s. The code has not run and the imports have not been linked.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    digest: B256,
    manifest: Arc<Manifest>,
    limits: Limits,
    request: RuleRequest,
    requirement: Requirement,
}

impl CompiledRule {
    fn new(
        digest: B256,
        request: CompileRequest,
        code: Bytes,
        requirement: Requirement,
    ) -> Result<Self, AdmissionError> {
        let CompileRequest { component, beside, grants } = request;
        let manifest = manifest_of(&component, beside.as_deref())?;
        let limits = grants.allow(&manifest)?;
        let request = RuleRequest { component, code_sha256: sha256(&code), code, beside, grants };
        Ok(Self { digest, manifest: Arc::new(manifest), limits, request, requirement })
    }

    /// sha256 of the component.
    pub const fn digest(&self) -> B256 {
        self.digest
    }

    /// Its manifest. Its first worker finds out whether the rule describes itself in the same way.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The component.
    pub const fn component(&self) -> &Bytes {
        &self.request.component
    }

    /// The text of the manifest beside it, for one that carries none.
    pub fn beside(&self) -> Option<&str> {
        self.request.beside.as_deref()
    }

    /// The limits it gets by default: what it asks for, within the ceilings it was compiled under.
    pub const fn default_limits(&self) -> Limits {
        self.limits
    }

    /// Loads the code in this process and asks the rule to describe itself: for a process without a key, whose user takes the
    /// risk of running a stranger's rule in it, and not that of compiling one.
    pub fn admit_into(&self, sandbox: &Sandbox) -> Result<AdmittedRule, AdmitFailure> {
        let RuleRequest { component, code, beside, grants, .. } = &self.request;
        let loaded = sandbox.load(component, beside.as_deref(), code, grants)?;
        sandbox.describe(loaded)
    }

    /// The confinement without which no worker gets it.
    pub(crate) const fn requirement(&self) -> Requirement {
        self.requirement
    }

    /// Bytes of component and code.
    pub(crate) fn bytes(&self) -> u64 {
        (self.request.component.len() + self.request.code.len()) as u64
    }

    pub(crate) const fn request(&self) -> &RuleRequest {
        &self.request
    }
}

/// Compiles components in child processes and remembers the code.
pub struct Compiler {
    command: ChildCommand,
    limits: CompileLimits,
    cache: Option<CodeCache>,
    compatibility: B256,
}

impl Compiler {
    /// This program's own compiler, with a cache or without.
    pub fn new(cache: Option<CodeCache>) -> Result<Self, refiner_sandbox::EngineError> {
        let profile = EngineProfile::of_children();
        Ok(Self {
            command: ChildCommand::this_program(COMPILE_ARGUMENT),
            limits: CompileLimits::default(),
            cache,
            compatibility: Sandbox::new(profile)?.code_compatibility(),
        })
    }

    /// The same with another program as its child.
    #[must_use]
    pub fn with_command(self, command: ChildCommand) -> Self {
        Self { command, ..self }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: CompileLimits) -> Self {
        Self { limits, ..self }
    }

    /// Compiles a component, or finds it compiled.
    ///
    /// `beside` is the text of a manifest that came with the component, for one that carries none. Blocks for the wall limit
    /// at most, and holds no more than component and code.
    pub fn compile(
        &self,
        component: Bytes,
        beside: Option<&str>,
        grants: &Grants,
    ) -> Result<CompiledRule, CompileError> {
        self.compile_requiring(component, beside, grants, Requirement::default())
    }

    /// The same under another requirement than the default, of the compiler's process and of the workers that get the rule.
    pub fn compile_requiring(
        &self,
        component: Bytes,
        beside: Option<&str>,
        grants: &Grants,
        requirement: Requirement,
    ) -> Result<CompiledRule, CompileError> {
        let digest = sha256(&component);
        let request = CompileRequest { component, beside: beside.map(Arc::from), grants: grants.clone() };
        let key = CodeKey { component: digest, compatibility: self.compatibility };
        if let Some(code) = self.cache.as_ref().and_then(|cache| cache.get(&key)) {
            return Ok(CompiledRule::new(digest, request, code, requirement)?);
        }
        let code = self.in_child(&request, requirement)?;
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.put(&key, &code)) {
            warn!(%error, component = %digest, "Compiled code could not be kept and will be compiled again.");
        }
        Ok(CompiledRule::new(digest, request, code, requirement)?)
    }

    fn in_child(&self, request: &CompileRequest, requirement: Requirement) -> Result<Bytes, CompileError> {
        let mut process = Process::spawn(&self.command).map_err(CompileError::Spawn)?;
        process.allow(Duration::from_millis(self.limits.wall_ms));
        match self.exchange(&mut process, request, requirement) {
            Ok(Compiled::Code(code)) => Ok(code.into()),
            Ok(Compiled::Not(error)) => Err(error),
            Err(error) => Err(error::autopsy(process, error, &self.limits)),
        }
    }

    fn exchange(
        &self,
        process: &mut Process,
        request: &CompileRequest,
        requirement: Requirement,
    ) -> Result<Compiled, ProtocolError> {
        let CompileLimits { memory_bytes, cpu_seconds, .. } = self.limits;
        let ceilings =
            Ceilings { data_bytes: memory_bytes, address_bytes: Some(memory_bytes), cpu_seconds, file_bytes: 0 };
        let settings =
            Settings { supervisor: std::process::id(), ceilings, chains: Vec::new(), terms: ExecutionTerms::default() };
        send(process, |out| settings.send(out))?;
        let Hello { confinement } = Hello::receive(process)?;
        if let Err(unconfined) = requirement.check(&confinement) {
            return Ok(Compiled::Not(CompileError::Unconfined(unconfined)));
        }
        send(process, |out| request.send(out))?;
        let frame = protocol::read(process)?;
        match frame.kind {
            Kind::Compiled => {
                let bytes = announced_bytes("compiled code", &frame.payload, CODE_BYTES_MAX)?;
                read_bytes(process, bytes).map(Compiled::Code)
            }
            Kind::Refused => {
                let (kind, reason) = read_refusal(&frame.payload)?;
                Ok(Compiled::Not(CompileError::Refused { kind, reason }))
            }
            Kind::HostFailure => match read_failure(&frame.payload)? {
                HostFailure::SystemMemory(_) => {
                    Ok(Compiled::Not(CompileError::OutOfMemory { allowed_bytes: memory_bytes }))
                }
                _ => Err(ProtocolError::Unexpected { found: Kind::HostFailure }),
            },
            found => Err(ProtocolError::Unexpected { found }),
        }
    }
}

enum Compiled {
    Code(Vec<u8>),
    Not(CompileError),
}

fn sha256(bytes: &[u8]) -> B256 {
    B256::from(<[u8; 32]>::from(Sha256::digest(bytes)))
}
