//! Open files: nothing but the pipes.

use std::fs;

use nix::unistd::close;
use refiner_worker::Outcome;

/// The highest descriptor closed where the list of open ones cannot be read.
const DESCRIPTOR_MAX: i32 = 4_096;

/// Closes what a supervisor, or the process that started it, left open without close-on-exec.
pub(super) fn close_all_but_standard() -> Outcome {
    let open: Vec<i32> = match fs::read_dir("/proc/self/fd") {
        Ok(entries) => entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect(),
        Err(_) => (0..DESCRIPTOR_MAX).collect(),
    };
    let closed = open.into_iter().filter(|descriptor| *descriptor > 2 && close(*descriptor).is_ok()).count();
    Outcome::applied(&format!("0, 1 and 2 open, {closed} closed"))
}
