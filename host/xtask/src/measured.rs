//! What a program takes: time of the wall, processor time, memory.

use std::{
    fs,
    process::{Child, Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

/// Time between two looks at a running program.
const INTERVAL: Duration = Duration::from_millis(20);
/// Looks at the memory in a second are enough at this distance.
const LOOKS_A_READING: u32 = 10;
/// Clock ticks of a second in /proc.
const TICKS: f64 = 100.0;

/// A program that ended.
pub struct Measured {
    pub status: ExitStatus,
    pub wall: Duration,
    /// Of the program and of the processes that it waited for.
    pub processor: Duration,
    /// Resident bytes of the program alone, five times a second.
    pub memory: Vec<u64>,
}

impl Measured {
    /// Medians of the second and of the last fifth of the readings, and the largest one. The first fifth fills caches.
    pub fn memory(&self) -> Option<Memory> {
        let fifth = self.memory.len() / 5;
        let middle = |part: &[u64]| {
            let mut part = part.to_vec();
            part.sort_unstable();
            part.get(part.len() / 2).copied()
        };
        let early = middle(self.memory.get(fifth..2 * fifth)?)?;
        let late = middle(self.memory.get(4 * fifth..)?)?;
        Some(Memory { early, late, peak: self.memory.iter().copied().max()? })
    }
}

/// Resident bytes early and late in a run, and at most.
pub struct Memory {
    pub early: u64,
    pub late: u64,
    pub peak: u64,
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Result<Measured> {
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{} does not start", command.get_program().display()))?;
    let mut memory = Vec::new();
    for look in 0_u32.. {
        // A program that ended keeps its times until it is waited for.
        if fields(&child)?.first().is_some_and(|state| state == "Z") {
            break;
        }
        if look % LOOKS_A_READING == 0 {
            memory.extend(resident(&child));
        }
        thread::sleep(INTERVAL);
    }
    let wall = begun.elapsed();
    let times = fields(&child)?;
    let status = child.wait()?;
    ensure!(times.len() > 15, "/proc shows no times of a process");
    let ticks: f64 = times[11..15].iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(Measured { status, wall, processor: Duration::from_secs_f64(ticks / TICKS), memory })
}

/// Fields of /proc/PID/stat after the name: the state first, the times at 11 to 14.
fn fields(child: &Child) -> Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).context("measuring needs /proc")?;
    Ok(text.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned).collect())
}

fn resident(child: &Child) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

/// The middle of some times; nothing without any.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_is_measured_to_its_end() {
        let measured =
            run(Command::new("sh").args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; exit 3"]));
        let measured = measured.expect("a shell runs");
        assert_eq!(measured.status.code(), Some(3));
        assert!(measured.processor > Duration::ZERO && measured.processor <= measured.wall * 2);
        assert!(!measured.memory.is_empty());
    }

    #[test]
    fn memory_is_compared_by_the_middles_of_its_parts() {
        let readings = [9, 9, 4, 5, 6, 7, 8, 90, 5, 5];
        let measured = Measured {
            status: ExitStatus::default(),
            wall: Duration::ZERO,
            processor: Duration::ZERO,
            memory: readings.to_vec(),
        };
        let memory = measured.memory().expect("there are readings");
        assert_eq!((memory.early, memory.late, memory.peak), (5, 5, 90));
    }
}
