//! Components into machine code, in a child process that may die of it.

mod cache;
mod error;

pub use self::{
    cache::{CacheError, CodeCache},
    error::CompileError,
};

use std::time::Duration;

use alloy_primitives::{B256, Bytes};
use refiner_sandbox::{Allocation, EngineProfile, Grants, HostFailure, Sandbox};
use sha2::{Digest, Sha256};
use tracing::warn;

use self::cache::CodeKey;
use crate::{
    CODE_BYTES_MAX, COMPILE_ARGUMENT, ChildCommand,
    confine::Ceilings,
    pool::send,
    process::Process,
    protocol::{
        self, CompileRequest, Hello, Kind, ProtocolError, RuleRequest, Settings, announced_bytes, read_bytes,
        read_failure, read_text,
    },
};

/// What compiling one component may cost.
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
    /// 2 GiB, 60 s, 60 s. A 640-byte component was seen to cost a compiler 2.2 GB, one of 26 KB 28 s.
    fn default() -> Self {
        Self { memory_bytes: 2 << 30, cpu_seconds: 60, wall_ms: 60_000 }
    }
}

/// A component and its code, for [`crate::Job`]s. The code has not run and the imports have not been linked.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    digest: B256,
    request: RuleRequest,
}

impl CompiledRule {
    fn new(digest: B256, component: Bytes, code: Bytes, grants: &Grants) -> Self {
        let code_sha256 = sha256(&code);
        Self { digest, request: RuleRequest { component, code, code_sha256, grants: grants.clone() } }
    }

    /// sha256 of the component.
    pub const fn digest(&self) -> B256 {
        self.digest
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
        let profile = EngineProfile::with_allocation(Allocation::OnDemand);
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
    /// Blocks for the wall limit at most, and holds no more than component and code.
    pub fn compile(&self, component: Bytes, grants: &Grants) -> Result<CompiledRule, CompileError> {
        let digest = sha256(&component);
        let key = CodeKey { component: digest, compatibility: self.compatibility };
        if let Some(code) = self.cache.as_ref().and_then(|cache| cache.get(&key)) {
            return Ok(CompiledRule::new(digest, component, code, grants));
        }
        let request = CompileRequest { component, grants: grants.clone() };
        let code = self.in_child(&request)?;
        if let Some(Err(error)) = self.cache.as_ref().map(|cache| cache.put(&key, &code)) {
            warn!(%error, component = %digest, "Compiled code could not be kept and will be compiled again.");
        }
        Ok(CompiledRule::new(digest, request.component, code, grants))
    }

    fn in_child(&self, request: &CompileRequest) -> Result<Bytes, CompileError> {
        let mut process = Process::spawn(&self.command).map_err(CompileError::Spawn)?;
        process.allow(Duration::from_millis(self.limits.wall_ms));
        match self.exchange(&mut process, request) {
            Ok(Compiled::Code(code)) => Ok(code.into()),
            Ok(Compiled::Not(error)) => Err(error),
            Err(error) => Err(error::autopsy(process, error, &self.limits)),
        }
    }

    fn exchange(&self, process: &mut Process, request: &CompileRequest) -> Result<Compiled, ProtocolError> {
        let CompileLimits { memory_bytes, cpu_seconds, .. } = self.limits;
        let ceilings =
            Ceilings { data_bytes: memory_bytes, address_bytes: Some(memory_bytes), cpu_seconds, file_bytes: 0 };
        let settings = Settings { coordinator: std::process::id(), ceilings, chains: Vec::new() };
        send(process, |out| settings.send(out))?;
        let Hello { .. } = Hello::receive(process)?;
        send(process, |out| request.send(out))?;
        let frame = protocol::read(process)?;
        match frame.kind {
            Kind::Compiled => {
                let bytes = announced_bytes("compiled code", &frame.payload, CODE_BYTES_MAX)?;
                read_bytes(process, bytes).map(Compiled::Code)
            }
            Kind::Refused => Ok(Compiled::Not(CompileError::Refused { reason: read_text(&frame.payload)? })),
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
