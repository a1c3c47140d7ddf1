//! A worker that was taken over: it speaks the protocol as far as it likes. Written from the protocol's documentation alone.

use std::{
    io::{self, Read, Write},
    process::ExitCode,
    thread,
    time::Duration,
};

use refiner_sandbox::{EngineProfile, Sandbox};
use sha2::{Digest, Sha256};

/// The version of the protocol that it speaks.
const VERSION: u8 = 8;
const HELLO: u8 = 0x81;
const ADMITTED: u8 = 0x82;
const LOG: u8 = 0x86;
const ARTIFACT: u8 = 0x87;
const VERDICT: u8 = 0x88;
const EXECUTE: u8 = 0x8a;
const DIFFERENCE: u8 = 0x8b;
const EVIDENCE: u8 = 0x8c;
const SAMPLE: u8 = 0x8e;
/// Lines of the table of limits.
const LIMITS: usize = refiner_rule_model::LIMITS.len();
const BYTES: u8 = 0x05;
/// The number of the measure without which it gets no rule.
const SYSTEM_CALLS: u8 = 9;

/// Lies as the name has it. Every error ends it: the other side hung up.
pub fn lie(name: &str) -> ExitCode {
    match tell(name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn tell(name: &str) -> io::Result<()> {
    read_frame()?;
    match name {
        "killed" => kill(),
        "compiles-nothing" => {
            let sandbox = Sandbox::new(EngineProfile::of_children()).map_err(io::Error::other)?;
            hello(&sandbox.code_compatibility().0)?;
            read_frame()?;
            Err(io::ErrorKind::Unsupported.into())
        }
        "garbage" => {
            io::stdout().write_all(&vec![0xff; 1 << 20])?;
            sleep()
        }
        "other-version" => say(HELLO, &[0, 0, 0, 9, 0, 0, 0, 0]),
        "endless-measures" => say(HELLO, &[0, 0, 0, VERSION, 0xff, 0xff, 0xff, 0xff]),
        _ => after_hello(name),
    }
}

/// It is believed in what it took from itself and in the code it loads, for it has nothing of a stranger's yet.
fn hello(compatibility: &[u8; 32]) -> io::Result<()> {
    say(HELLO, &[&[0, 0, 0, VERSION, 0, 0, 0, 1, SYSTEM_CALLS, 1, 0, 0, 0, 0], &compatibility[..]].concat())
}

fn after_hello(name: &str) -> io::Result<()> {
    hello(&[0; 32])?;
    let digest = read_rule()?;
    match name {
        "other-rule" => say(ADMITTED, &[0; 32])?,
        _ => say(ADMITTED, &digest)?,
    }
    if name == "deaf" {
        return sleep();
    }
    read_frame()?;
    match name {
        "dies" => {
            io::stderr().write_all(b"out of tune\x1b[2J")?;
            std::process::exit(3)
        }
        "silent" => sleep(),
        "long-frame" => {
            io::stdout().write_all(&[LOG, 0xff, 0xff, 0xff, 0xff])?;
            io::stdout().flush()?;
            sleep()
        }
        "endless-log" => loop {
            say(LOG, &[1, 0, 0, 0, 1, b'x'])?;
        },
        "endless-log-bytes" => {
            let mut line = vec![1, 0, 0, 4, 0];
            line.resize(5 + 1_024, b'x');
            loop {
                say(LOG, &line)?;
            }
        }
        "endless-artifacts" => {
            for number in 0u32.. {
                say(ARTIFACT, &artifact(&format!("a{number}"), 0))?;
            }
            Ok(())
        }
        "endless-stderr" => loop {
            io::stderr().write_all(&[b'x'; 4_096])?;
        },
        "endless-chunks" => {
            say(ARTIFACT, &artifact("drops", 64 << 20))?;
            loop {
                say(BYTES, b"x")?;
            }
        }
        "empty-chunks" => {
            say(ARTIFACT, &artifact("nothing", 64 << 20))?;
            loop {
                say(BYTES, b"")?;
            }
        }
        "large-artifact" => say(ARTIFACT, &artifact("large", u64::MAX)),
        "same-name" => {
            say(ARTIFACT, &artifact("twin", 0))?;
            say(ARTIFACT, &artifact("twin", 0))
        }
        "unlisted" => {
            say(ARTIFACT, &artifact("another", 0))?;
            say(VERDICT, &produced())
        }
        "endless-evidence" => loop {
            say(EVIDENCE, &[0; 23])?;
        },
        "endless-checks" => say(EVIDENCE, &endless_checks()),
        "path" => say(ARTIFACT, &artifact("../../etc/passwd", 0)),
        // Fuel, an empty stack and no call.
        "unasked-sample" => say(SAMPLE, &[0; 22]),
        "unknown-kind" => say(0x7f, b""),
        "cut-verdict" => say(VERDICT, &[0; 7]),
        "executes-for-ever" => loop {
            execute()?;
        },
        "differs-unasked" => say(DIFFERENCE, &[1, 0, 0, 0, 1, b'x']),
        "executes-and-is-content" => {
            execute()?;
            say(VERDICT, &produced_nothing())
        }
        "no-answer" => Ok(()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }?;
    sleep()
}

/// Many checks without a name that passed.
fn endless_checks() -> Vec<u8> {
    let checks = 200_000u32;
    let mut payload = checks.to_be_bytes().to_vec();
    payload.resize(4 + 5 * checks as usize + 16, 0);
    payload
}

/// Asks for an execution, and reads what comes.
fn execute() -> io::Result<()> {
    let format = b"evm-server@b";
    say(EXECUTE, &[&[0, 0, 0, 12][..], format].concat())?;
    let answer = read_frame()?;
    let bytes = answer.get(1..9).filter(|_| answer.first() == Some(&0)).and_then(|bytes| bytes.try_into().ok());
    let (bytes, mut read) = (bytes.map_or(0, u64::from_be_bytes), 0);
    while read < bytes {
        read += read_frame()?.len() as u64;
    }
    Ok(())
}

/// The verdict "produced", without an artifact.
fn produced_nothing() -> Vec<u8> {
    let mut payload = Vec::new();
    for _ in 0..3 {
        payload.extend_from_slice(&u32::try_from(LIMITS).unwrap_or_default().to_be_bytes());
        payload.resize(payload.len() + 8 * LIMITS, 0);
    }
    // No log line lost, produced, no record.
    payload.extend_from_slice(&[0; 8 + 1 + 8]);
    payload
}

fn artifact(name: &str, bytes: u64) -> Vec<u8> {
    let mut payload = Vec::new();
    for text in [name, "text/plain"] {
        payload.extend_from_slice(&u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
        payload.extend_from_slice(text.as_bytes());
    }
    payload.push(0);
    payload.extend_from_slice(&bytes.to_be_bytes());
    payload
}

/// Limits asked, granted and used, no line lost, and a verdict: produced, no records.
fn produced() -> Vec<u8> {
    let count = u32::try_from(LIMITS).unwrap_or_default();
    let list = [count.to_be_bytes().to_vec(), vec![0; 8 * LIMITS]].concat();
    [list.repeat(3), vec![0; 8], vec![0], vec![0; 8]].concat()
}

/// Reads a rule with its component and code, and gives the component's sha256.
fn read_rule() -> io::Result<[u8; 32]> {
    let payload = read_frame()?;
    let number = |at: usize| payload.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    let (component, code) = (number(32).unwrap_or_default(), number(40).unwrap_or_default());
    let mut hash = Sha256::new();
    let mut read = 0;
    while read < component + code {
        let chunk = read_frame()?;
        if read < component {
            hash.update(&chunk);
        }
        read += chunk.len() as u64;
    }
    Ok(hash.finalize().into())
}

fn read_frame() -> io::Result<Vec<u8>> {
    let mut header = [0; 5];
    io::stdin().read_exact(&mut header)?;
    let [_, length @ ..] = header;
    let mut payload = vec![0; u32::from_be_bytes(length) as usize];
    io::stdin().read_exact(&mut payload)?;
    Ok(payload)
}

fn say(kind: u8, payload: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&[kind])?;
    out.write_all(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes())?;
    out.write_all(payload)?;
    out.flush()
}

/// Ends as a process does that the kernel needs the memory of.
fn kill() -> io::Result<()> {
    Ok(rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?)
}

/// Longer than any test waits.
fn sleep() -> io::Result<()> {
    thread::sleep(Duration::from_secs(600));
    Ok(())
}
