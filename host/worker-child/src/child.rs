//! The child's side: confine, then serve.

use std::{
    ffi::OsStr,
    io::{self, BufWriter, Write},
    panic::resume_unwind,
    process::ExitCode,
    sync::Arc,
    thread,
};

use refiner_buffers::Buffers;
use refiner_diagnostics::ErrorChain;
use refiner_evm::{ChainConfigError, ChainSpec, Chains, EmbeddedExecutor, ExecutionTerms, Executor};
use refiner_rule_model::{AdmissionError, HostFailure, SpecimenHash, UntrustedText};
use refiner_sandbox::{AdmitFailure, AdmittedRule, EngineError, EngineProfile, RunInput, Sandbox};

use refiner_worker::{
    COMPILE_ARGUMENT, Phase, WORKER_ARGUMENT, processor_time,
    protocol::{
        self, CompileRequest, Hello, Kind, ProtocolError, RuleRequest, RunRequest, Settings, write_announced,
        write_failure, write_hash, write_refusal, write_run, write_sample, write_spans, write_text,
    },
};

use crate::{
    confine::{ConfineError, Confined},
    recorder::{Recorder, TimedExecutor},
    remote,
    rules::Rules,
    standard::{Input, Output},
};

/// Errors that end a child by itself.
#[derive(Debug, thiserror::Error)]
enum ChildError {
    #[error("started as neither '{WORKER_ARGUMENT}' nor '{COMPILE_ARGUMENT}'")]
    Argument,
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Confine(#[from] ConfineError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Chain(#[from] ChainConfigError),
    #[error("a thread could not be started: {0}")]
    Thread(#[source] io::Error),
}

/// Stack of the thread that runs a rule: the engine's limit of 1 MiB, and the host's frames below it.
const STACK_BYTES: usize = 8 << 20;

/// The whole life of a child. For a `main` whose first argument is [`WORKER_ARGUMENT`] or [`COMPILE_ARGUMENT`], before it has
/// started a thread, opened a file or read its environment.
pub fn child_main() -> ExitCode {
    serve_child(&std::env::args_os().nth(1).unwrap_or_default())
}

/// The same for a program that has other arguments too, such as an interpreter that loaded this library. It has cleared its environment.
pub fn serve_child(argument: &OsStr) -> ExitCode {
    let served = if argument == WORKER_ARGUMENT {
        work()
    } else if argument == COMPILE_ARGUMENT {
        compile()
    } else {
        Err(ChildError::Argument)
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        // The supervisor is gone or wants no more: there is no reader left.
        Err(ChildError::Protocol(ProtocolError::Closed)) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the last channel there is.
            let _ = writeln!(io::stderr(), "{}", ErrorChain(&error));
            ExitCode::FAILURE
        }
    }
}

fn work() -> Result<(), ChildError> {
    let settings = Settings::receive(&mut Input)?;
    let profile = EngineProfile::of_children();
    let confinement = Confined::begin(settings.supervisor, &settings.ceilings)?;
    on_its_own_stack(|| serve(&settings, profile, confinement))
}

/// The first thread's stack is as large as whoever started this program made it, and a rule's recursion must end at the engine's limit.
fn on_its_own_stack(serve: impl FnOnce() -> Result<(), ChildError> + Send) -> Result<(), ChildError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, serve);
        thread.map_err(ChildError::Thread)?.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn serve(settings: &Settings, profile: EngineProfile, mut confinement: Confined) -> Result<(), ChildError> {
    let (input, output) = (&mut Input, &mut BufWriter::new(Output));
    let sandbox = Sandbox::new(profile)?;
    let ExecutionTerms { executed_by, policy } = settings.terms;
    let embedded = EmbeddedExecutor::new(chains(&settings.chains)?).with_policy(policy).with_clock(processor_time);
    let executor = remote::executor(executed_by, embedded);
    confinement.lock()?;
    greet(output, &confinement, &sandbox)?;
    let admitted = match admit(&sandbox, &confinement, RuleRequest::receive_all(input)?) {
        Ok(admitted) => admitted,
        Err(AdmitFailure::Refused(refusal)) => return refuse(output, &refusal),
        Err(AdmitFailure::Host(failure)) => {
            write_failure(output, &failure)?;
            return Ok(flush(output)?);
        }
    };
    for rule in &admitted {
        write_hash(output, Kind::Admitted, &rule.component())?;
    }
    flush(output)?;
    let (buffers, mut rules) = (Buffers::default(), Rules::new(admitted, executor));
    loop {
        let payload = protocol::read(input)?.expect(Kind::Run)?;
        answer(output, &mut rules, RunRequest::receive(&payload, input, &buffers)?)?;
        flush(output)?;
    }
}

/// Between loading and describing, which runs code of rules for the first time, the process is sealed.
fn admit(
    sandbox: &Sandbox,
    confinement: &Confined,
    requests: Vec<RuleRequest>,
) -> Result<Vec<AdmittedRule>, AdmitFailure> {
    let load = |RuleRequest { component, beside, code, grants, .. }| {
        sandbox.load(&component, beside.as_deref(), &code, &grants)
    };
    let loaded: Vec<_> = requests.into_iter().map(load).collect::<Result<_, _>>()?;
    confinement.seal_code();
    loaded.into_iter().map(|loaded| sandbox.describe(loaded)).collect()
}

fn answer(output: &mut impl Write, rules: &mut Rules, request: RunRequest) -> Result<(), ProtocolError> {
    let RunRequest { rule, specimen_hash, raw, params, limits, trace, stop } = request;
    let recorder = Recorder::begin();
    let rule = rules.get(rule).ok_or(ProtocolError::NoRule { number: rule })?;
    let (specimen, executor) = match recorder.timed(Phase::Decode, || rules.block(&raw, stop.is_some())) {
        Ok(block) => block,
        Err(error) => return write_text(output, Kind::NoSpecimen, &UntrustedText::new(&error.to_string())),
    };
    let specimen_hash = specimen_hash.map_or_else(|| SpecimenHash::of(raw.clone()), SpecimenHash::from);
    let executor: Arc<dyn Executor> = match trace {
        None => executor,
        Some(_) => Arc::new(TimedExecutor { inner: executor, recorder: recorder.clone() }),
    };
    let input = RunInput { specimen, raw, specimen_hash, params, executor, limits };
    if let Some(stop) = stop {
        return match rule.sample(input, stop) {
            Ok(sample) => write_sample(output, &sample),
            Err(failure) => write_failure(output, &failure),
        };
    }
    let run = recorder.timed(Phase::Rule, || rule.run(input));
    if let Some(context) = trace {
        write_spans(output, &context, &recorder.spans())?;
    }
    match run {
        Ok(run) => write_run(output, &run),
        Err(failure) => write_failure(output, &failure),
    }
}

fn compile() -> Result<(), ChildError> {
    let (input, output) = (&mut Input, &mut BufWriter::new(Output));
    let settings = Settings::receive(input)?;
    let profile = EngineProfile::of_children();
    let mut confinement = Confined::begin(settings.supervisor, &settings.ceilings)?;
    let sandbox = Sandbox::new(profile)?;
    sandbox.start_compiler()?;
    confinement.lock()?;
    greet(output, &confinement, &sandbox)?;
    let request = CompileRequest::receive(input)?;
    match sandbox.compile(&request.component, request.beside.as_deref(), &request.grants) {
        Ok(code) => write_announced(output, Kind::Compiled, &code)?,
        Err(AdmissionError::Compile { message }) if is_out_of_memory(&message) => {
            write_failure(output, &HostFailure::SystemMemory(io::ErrorKind::OutOfMemory.into()))?;
        }
        Err(refusal) => return refuse(output, &refusal),
    }
    Ok(flush(output)?)
}

/// The system's words for memory refused: of the compiler's limit they speak, not of the component's faults.
fn is_out_of_memory(message: &UntrustedText) -> bool {
    message.as_str().contains("Cannot allocate memory") || message.as_str().contains("out of memory")
}

fn chains(configs: &[String]) -> Result<Chains, ChainConfigError> {
    configs.iter().try_fold(Chains::default(), |chains, config| Ok(chains.with(ChainSpec::from_geth_json(config)?)))
}

fn greet(output: &mut impl Write, confinement: &Confined, sandbox: &Sandbox) -> Result<(), ChildError> {
    Hello { confinement: confinement.report().clone(), compatibility: sandbox.code_compatibility() }.send(output)?;
    Ok(flush(output)?)
}

fn refuse(output: &mut impl Write, refusal: &AdmissionError) -> Result<(), ChildError> {
    write_refusal(output, refusal)?;
    Ok(flush(output)?)
}

fn flush(output: &mut impl Write) -> Result<(), ProtocolError> {
    Ok(output.flush()?)
}
