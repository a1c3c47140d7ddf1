//! Facts of the kernel, the processor and the control group, as the system's own files have them, for reports of faults.

use std::{fmt::Write as _, fs::File, io::Read as _};

/// Files without anything of a user's. The environment and the command line of a process are not among them.
const FILES: [&str; 20] = [
    "/proc/version",
    "/etc/os-release",
    "/proc/uptime",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/self/limits",
    "/proc/self/status",
    "/proc/self/cgroup",
    "/proc/pressure/memory",
    "/proc/pressure/io",
    "/proc/sys/kernel/seccomp/actions_avail",
    "/proc/sys/kernel/unprivileged_userns_clone",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "/proc/sys/kernel/yama/ptrace_scope",
    "/proc/sys/user/max_user_namespaces",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/max_map_count",
    "/sys/kernel/security/lsm",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
];
/// Limits and use of a control group of version 2.
const CGROUP_FILES: [&str; 7] =
    ["memory.max", "memory.high", "memory.current", "memory.events", "cpu.max", "cpu.stat", "pids.max"];
/// Most bytes of one file.
const FILE_BYTES_MAX: u64 = 8 << 10;

/// All facts, each under the name of its file. A file that is not there is named as well, which is a fact too.
pub fn facts() -> String {
    let mut facts = processor();
    FILES.iter().for_each(|path| add(&mut facts, path));
    let group = read("/proc/self/cgroup").unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/").trim_end_matches('/').to_owned();
    for file in CGROUP_FILES {
        add(&mut facts, &format!("/sys/fs/cgroup{group}/{file}"));
    }
    facts
}

/// The model and the features of the first processor: there is one entry for each core.
fn processor() -> String {
    let cores = read("/proc/cpuinfo").unwrap_or_default();
    let first = cores.split("\n\n").next().unwrap_or_default();
    let wanted = ["model name", "flags", "Features", "cpu MHz", "cache size"];
    let lines = first.lines().filter(|line| wanted.iter().any(|name| line.starts_with(name)));
    lines.fold(String::from("== processor\n"), |text, line| text + line + "\n")
}

fn add(facts: &mut String, path: &str) {
    let text = read(path).unwrap_or_else(|error| format!("({error})"));
    // Writing to a text does not fail.
    let _ = writeln!(facts, "== {path}\n{}", text.trim_end());
}

fn read(path: &str) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
