//! A supervisor that a test can kill: it runs a rule, prints the process that runs it, and waits for an end that never comes.

use std::{
    error::Error,
    fs, hint,
    io::{self, Read, Write},
    process::ExitCode,
    sync::Arc,
    thread,
};

use refiner_rule_model::{Grants, Limit, Limits, Params, SpecimenHash};
use refiner_worker::{COMPILE_ARGUMENT, ChildCommand, Compiler, Job, Pool, PoolConfig};

/// The variable that names a file with a key, which is read and held as a supervisor holds one.
const KEY_FILE: &str = "REFINER_KEY_FILE";

/// Standard input is the length of a component (u32, big-endian), the component, and a specimen.
pub fn coordinate() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let key = refiner_environment::variable(KEY_FILE).map(fs::read).transpose()?;
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input)?;
    let (length, rest) = input.split_first_chunk().ok_or("the input ends too early")?;
    let (component, raw) =
        rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or("the input ends too early")?;
    let compiler = Compiler::new(None).with_command(ChildCommand::this_program(COMPILE_ARGUMENT));
    let job = Job {
        rule: Arc::new(compiler.compile(component.to_vec().into(), None, &Grants::all())?),
        params: Params::default(),
        limits: Limits::default()
            .with(Limit::WallMs, Limit::WallMs.spec().cap)?
            .with(Limit::Fuel, Limit::Fuel.spec().cap)?,
        specimen_hash: SpecimenHash::of(raw.to_vec().into()),
        raw: raw.to_vec().into(),
        trace: None,
    };
    let pool = Pool::new(PoolConfig::new(1))?;
    thread::scope(|scope| {
        let run = scope.spawn(|| pool.run(&job));
        while !run.is_finished() {
            if let Some(worker) = pool.workers().iter().find(|worker| worker.attempt.is_some()) {
                writeln!(io::stdout(), "{}", worker.pid)?;
                break;
            }
            thread::yield_now();
        }
        let ended = run.join().map(drop).map_err(|_| "the run panicked".into());
        hint::black_box(&key);
        ended
    })
}
