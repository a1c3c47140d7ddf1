//! Processor time from Linux: on a shared machine it means more than the clock on the wall.

use std::fs;

/// Ticks of a processor's time in a second, as Linux tells it to programs.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process, `self` or a number, has used so far with all its threads.
pub fn seconds(process: impl std::fmt::Display) -> f64 {
    fields(process, 12..14)
}

/// The same of its children that ended and were waited for.
pub fn children_seconds(process: impl std::fmt::Display) -> f64 {
    fields(process, 14..16)
}

fn fields(process: impl std::fmt::Display, which: std::ops::Range<usize>) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, which may hold blanks, ends with the last parenthesis.
    let fields: Vec<_> = stat[stat.rfind(')').unwrap()..].split(' ').collect();
    fields[which].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS
}
