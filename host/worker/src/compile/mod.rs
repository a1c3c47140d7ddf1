//! Components into machine code, in a child process that may die of it.

mod cache;
mod error;
mod limits;

pub use self::{
    cache::{CacheError, CodeCache, CodeKey},
    error::CompileError,
    limits::CompileLimits,
};

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use alloy_primitives::{B256, Bytes};
use refiner_evm::ExecutionTerms;
use refiner_manifest::Manifest;
use refiner_rule_model::{AdmissionError, Grants, HostFailure, Limits, manifest_of};
use refiner_specimen::sha256;
use tracing::warn;

use crate::{
    CODE_BYTES_MAX, COMPILE_ARGUMENT, ChildCommand,
    confinement::{Ceilings, Requirement},
    process::Process,
    protocol::{
        self, CompileRequest, Hello, Kind, ProtocolError, RuleRequest, Settings, announced_bytes, read_bytes,
        read_failure, read_refusal, send,
    },
};

/// A component and its code, for [`crate::Job`]s. The code has not run and the imports have not been linked.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    digest: B256,
    manifest: Arc<Manifest>,
    limits: Limits,
    request: RuleRequest,
    requirement: Requirement,
    of_this_program: bool,
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
        Ok(Self { digest, manifest: Arc::new(manifest), limits, request, requirement, of_this_program: false })
    }

    /// The same as a rule that came with this program, which may share its workers with others that did.
    #[must_use]
    pub fn of_this_program(self) -> Self {
        Self { of_this_program: true, ..self }
    }

    /// True for a rule that came with this program.
    pub const fn is_of_this_program(&self) -> bool {
        self.of_this_program
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

    /// The compiled code.
    pub const fn code(&self) -> &Bytes {
        &self.request.code
    }

    /// What it was granted.
    pub const fn grants(&self) -> &Grants {
        &self.request.grants
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

/// Compiles components in child processes and remembers the code. No engine is in this process: which code can be loaded, a child
/// states when it greets.
pub struct Compiler {
    command: ChildCommand,
    limits: CompileLimits,
    cache: Option<CodeCache>,
    /// The compatibility that the first child stated. This program and its surroundings do not change while it runs.
    compatibility: OnceLock<B256>,
}

impl Compiler {
    /// This program's own compiler, with a cache or without.
    pub fn new(cache: Option<CodeCache>) -> Self {
        Self {
            command: ChildCommand::this_program(COMPILE_ARGUMENT),
            limits: CompileLimits::default(),
            cache,
            compatibility: OnceLock::new(),
        }
    }

    /// The same with another program as its child.
    #[must_use]
    pub fn with_command(self, command: ChildCommand) -> Self {
        Self { command, compatibility: OnceLock::new(), ..self }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(self, limits: CompileLimits) -> Self {
        Self { limits, ..self }
    }

    /// Compiles a component, or finds it compiled.
    ///
    /// `beside` is the text of a manifest that came with the component, for one that carries none. Blocks until the
    /// compiler ends, which its limits on time see to, and holds no more than component and code.
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
        let code = match self.compatibility.get().and_then(|compatibility| self.kept(digest, *compatibility)) {
            Some(code) => code,
            None => self.in_child(digest, &request, requirement)?,
        };
        Ok(CompiledRule::new(digest, request, code, requirement)?)
    }

    fn kept(&self, component: B256, compatibility: B256) -> Option<Bytes> {
        self.cache.as_ref()?.get(&CodeKey { component, compatibility })
    }

    fn in_child(
        &self,
        digest: B256,
        request: &CompileRequest,
        requirement: Requirement,
    ) -> Result<Bytes, CompileError> {
        let mut process = Process::spawn(&self.command).map_err(CompileError::Spawn)?;
        process.allow(Duration::from_millis(self.limits.wall_ms));
        let Hello { confinement, compatibility } = match self.greet(&mut process) {
            Ok(hello) => hello,
            Err(error) => return Err(error::autopsy(process, error, &self.limits)),
        };
        self.compatibility.get_or_init(|| compatibility);
        if let Some(code) = self.kept(digest, compatibility) {
            return Ok(code);
        }
        requirement.check(&confinement).map_err(CompileError::Unconfined)?;
        let code = match self.exchange(&mut process, request) {
            Ok(Compiled::Code(code)) => Bytes::from(code),
            Ok(Compiled::Not(error)) => return Err(error),
            Err(error) => return Err(error::autopsy(process, error, &self.limits)),
        };
        let key = CodeKey { component: digest, compatibility };
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.put(&key, &code)) {
            warn!(%error, component = %digest, "compiled code not kept, compiled again next time");
        }
        Ok(code)
    }

    fn greet(&self, process: &mut Process) -> Result<Hello, ProtocolError> {
        let CompileLimits { memory_bytes, cpu_seconds, .. } = self.limits;
        let ceilings =
            Ceilings { data_bytes: memory_bytes, address_bytes: Some(memory_bytes), cpu_seconds, file_bytes: 0 };
        let settings =
            Settings { supervisor: std::process::id(), ceilings, chains: Vec::new(), terms: ExecutionTerms::default() };
        send(process, |out| settings.send(out))?;
        Hello::receive(process)
    }

    fn exchange(&self, process: &mut Process, request: &CompileRequest) -> Result<Compiled, ProtocolError> {
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
                    Ok(Compiled::Not(CompileError::OutOfMemory { allowed_bytes: self.limits.memory_bytes }))
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
