//! A replay's memory does not grow with the number of specimens.

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::program::{command, samples, text};
use refiner_testkit::real;

/// The bound that issue and README state.
const LIMIT_KIB: u64 = 400 * 1024;
/// The number of replays of the same specimens.
const ROUNDS: usize = 100;
/// Longer than the slowest machine should take; reached, the test fails.
const DEADLINE: Duration = Duration::from_secs(300);

#[test]
fn replaying_a_hundred_times_stays_flat_and_under_400_mb() {
    let specimens = real::directory().map_or_else(samples, |directory| {
        fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "avro"))
            .collect()
    });
    let directory = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        for specimen in &specimens {
            let name = format!("{round:03}-{}", specimen.file_name().unwrap().to_str().unwrap());
            // A link by name would be the same file, which is read once.
            let first = directory.path().join(format!("000-{}", specimen.file_name().unwrap().to_str().unwrap()));
            if round == 0 {
                fs::copy(specimen, &first).unwrap();
            } else {
                fs::hard_link(first, directory.path().join(name)).unwrap();
            }
        }
    }
    let mut child = command(&["replay", text(directory.path()), "--report", "summary"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let status_file = format!("/proc/{}/status", child.id());
    let mut resident = Vec::new();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < DEADLINE, "the replay did not end");
        if let Ok(status) = fs::read_to_string(&status_file) {
            resident.extend(kib(&status, "VmRSS:"));
            peak = kib(&status, "VmHWM:").unwrap_or(0).max(peak);
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(peak > 0 && peak < LIMIT_KIB, "peak of {peak} KiB");
    assert!(resident.len() > 20, "too few readings: {}", resident.len());
    let quarter = resident.len() / 4;
    let early = median(&mut resident[quarter / 2..quarter]);
    let late = median(&mut resident[quarter * 3..]);
    assert!(late * 5 < early * 6, "{early} KiB early, {late} KiB late, peak of {peak} KiB");
}

/// The middle of the readings. The largest would be that of two large blocks that happen to be executed at once.
fn median(readings: &mut [u64]) -> u64 {
    readings.sort_unstable();
    readings[readings.len() / 2]
}

fn kib(status: &str, field: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(field))?.trim().strip_suffix(" kB")?.parse().ok()
}
