//! Seccomp: the system calls that are left.
//!
//! What is not listed fails with EPERM: libraries try calls they can do without, and a worker that dies of such a try after
//! an update would take an honest rule with it. What no honest code here ever does kills the process: a caller that tries it
//! is not the program that we wrote, and the supervisor sees the signal.

use std::collections::BTreeMap;

use nix::libc;
use refiner_worker::Outcome;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

/// System calls of wasmtime, revm, an allocator and the standard library while rules run or compile, all threads being there.
const NEEDED: &[i64] = &[
    // The pipes, and the anonymous files that hold initial memories.
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_pwrite64,
    libc::SYS_memfd_create,
    libc::SYS_ftruncate,
    libc::SYS_poll,
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    // Threads that are there, and their end.
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Traps are signals.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Clocks and seeds of hash maps.
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    // For the filter that comes last.
    libc::SYS_seccomp,
];

/// Uses of `fcntl`: sealing the anonymous files, and the standard library's look whether a descriptor that it closes is open. The owner of a
/// pipe's signals, their number and the wish for them are set by others, and the kernel sends such a signal in the name of whoever uses the
/// pipe's other end: the supervisor's next write would end the supervisor.
const FCNTL_COMMANDS: [libc::c_int; 2] = [libc::F_ADD_SEALS, libc::F_GETFD];

/// System calls that no honest code here makes.
const DEADLY: &[i64] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_io_uring_setup,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_mknod,
    libc::SYS_mknodat,
];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Leaves the needed system calls to every thread of the process.
pub(super) fn lock() -> Outcome {
    let locked = deadly().and_then(|program| install(&program)).and_then(|()| install(&needed()?));
    match locked {
        Ok(()) => Outcome::applied(&format!("{} system calls left", NEEDED.len())),
        Err(error) => Outcome::unavailable(&error),
    }
}

/// Denies executable memory and further filters.
pub(super) fn seal_code() -> Result<(), SeccompError> {
    let executable = || {
        let bit = libc::PROT_EXEC.cast_unsigned().into();
        let condition = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bit), bit)?;
        Ok::<_, BackendError>(vec![SeccompRule::new(vec![condition])?])
    };
    let rules = Rules::from([
        (libc::SYS_mmap, executable()?),
        (libc::SYS_mprotect, executable()?),
        (libc::SYS_seccomp, Vec::new()),
        (libc::SYS_prctl, Vec::new()),
    ]);
    install(&filter(rules, SeccompAction::Allow, DENY)?)
}

/// The answer to what is not needed.
const DENY: SeccompAction = SeccompAction::Errno(libc::EPERM.cast_unsigned());

fn deadly() -> Result<BpfProgram, SeccompError> {
    let rules = DEADLY.iter().map(|call| (*call, Vec::new())).collect();
    filter(rules, SeccompAction::Allow, SeccompAction::KillProcess)
}

fn needed() -> Result<BpfProgram, SeccompError> {
    let mut rules: Rules = NEEDED.iter().map(|call| (*call, Vec::new())).collect();
    // An abort raises a signal in its own process, and only there.
    let own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, std::process::id().into())?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![own])?]);
    let command = |command: libc::c_int| {
        let value = command.cast_unsigned().into();
        SeccompRule::new(vec![SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value)?])
    };
    rules.insert(libc::SYS_fcntl, FCNTL_COMMANDS.into_iter().map(command).collect::<Result<_, _>>()?);
    // Installing the next filter sets this once more.
    let renounce = libc::PR_SET_NO_NEW_PRIVS.cast_unsigned().into();
    let renounce = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, renounce)?;
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(vec![renounce])?]);
    filter(rules, DENY, SeccompAction::Allow)
}

fn filter(rules: Rules, otherwise: SeccompAction, listed: SeccompAction) -> Result<BpfProgram, SeccompError> {
    Ok(SeccompFilter::new(rules, otherwise, listed, TargetArch::x86_64)?.try_into()?)
}

fn install(program: &BpfProgram) -> Result<(), SeccompError> {
    Ok(apply_filter_all_threads(program)?)
}

/// Reasons for which there is no filter.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeccompError {
    #[error(transparent)]
    Filter(#[from] BackendError),
    #[error(transparent)]
    Kernel(#[from] seccompiler::Error),
}
