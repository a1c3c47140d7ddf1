//! Tells apart how a guest's code ended: the rule's doing or the host's.

use refiner_diagnostics::ErrorChain;
use refiner_rule_model::{
    FUNCTION_NAME_BYTES_MAX, Function, HostFailure, Limit, Limits, ReasonClass, TrapKind, UntrustedText, Verdict,
};
use wasmtime::{FrameInfo, Module, PoolConcurrencyLimitError, Trap, WasmBacktrace};

use crate::host::BudgetExceeded;

/// Parts of the messages with which wasmtime 48 refuses a value that breaks the canonical ABI; it has no type for them.
/// Each depends on nothing but the guest. An unlisted message stays an unknown trap, which is a host failure: retried,
/// never a verdict.
const ABI_MESSAGES: &[&str] = &[
    "pointer not aligned",
    "pointer is not aligned",
    "out of bounds",
    "byte length overflow",
    "byte length too large",
    "pointer size overflow",
    "size overflow copying a list",
    "invalid utf-8",
    "invalid option discriminant",
    "invalid expected discriminant",
    "unexpected discriminant",
    "unknown handle index",
    "is not a resource",
    "is not an own resource",
    "cannot remove owned resource while borrowed",
    "cannot lend resource",
    "store handle limit exceeded",
    "host resource already consumed",
    "host-owned resource was already de-allocated",
    "handle index",
    "borrow handles still remain",
    "unexpected return value from realloc",
    "realloc return",
];

/// Messages that tell an author of another toolchain nothing, each with what causes it.
const CAUSES: [(&str, &str); 2] = [
    (
        "borrow handles still remain",
        "a borrowed resource was not dropped; `refine` has to drop the specimen before it returns",
    ),
    (
        "cannot leave component instance",
        "the host was called while it was handing over a result, from `cabi_realloc`; where that is Go's collector under the \
         standard adapter of WASI, `refiner rule build` links a stub that needs no call",
    ),
];

/// The message, with its cause where it needs one.
fn explained(message: &str) -> UntrustedText {
    let cause = CAUSES.iter().find(|(part, _)| message.contains(part)).map(|(_, cause)| *cause);
    match cause {
        Some(cause) => UntrustedText::new(&format!("{message} ({cause})")),
        None => UntrustedText::new(message),
    }
}

/// The message with which wasmtime 48 ends a call that copies more than its hostcall fuel; the type is private.
const HOSTCALL_FUEL_MESSAGE: &str = "fuel allocated for hostcalls has been exhausted";

/// Innermost functions that a trap names.
const PLACE_FRAMES_MAX: usize = 8;
/// Most bytes of a function's name in the log.
const PLACE_NAME_BYTES_MAX: usize = 128;

/// The functions in which a trap came, innermost first, where the component has their names.
pub(crate) fn functions(error: &mut wasmtime::Error) -> Option<UntrustedText> {
    if !error.is::<Trap>() {
        return None;
    }
    let named = |frame| Some(name(frame, PLACE_NAME_BYTES_MAX)?.to_string());
    let names = frames(error).iter().take(PLACE_FRAMES_MAX);
    let names: Vec<_> = names.map(|frame| named(frame).unwrap_or_else(|| "?".to_owned())).collect();
    let any = names.iter().any(|name| name != "?");
    any.then(|| UntrustedText::new(&format!("trapped in {}", names.join(" < "))))
}

/// The functions in which a guest was ended, innermost first, by name or number.
///
/// Toolchains call the host through a module of their own, whose functions have no names and are no part of the rule: it is left out.
pub(crate) fn stack(error: &mut wasmtime::Error) -> Vec<Function> {
    let in_a_call = error.is::<BudgetExceeded>();
    let mut frames = frames(error);
    if let [innermost, caller, ..] = frames
        && in_a_call
        && innermost.func_name().is_none()
        && !Module::same(innermost.module(), caller.module())
    {
        frames = &frames[1..];
    }
    let function = |frame: &FrameInfo| match name(frame, FUNCTION_NAME_BYTES_MAX) {
        Some(name) => Function::Named(name),
        None => Function::Numbered(frame.func_index()),
    };
    frames.iter().map(function).collect()
}

/// The engine attaches them as context, and gives them in no other way that keeps the error.
fn frames(error: &mut wasmtime::Error) -> &[FrameInfo] {
    error.downcast_mut::<WasmBacktrace>().map_or(&[], |backtrace| backtrace.frames())
}

fn name(frame: &FrameInfo, bytes_max: usize) -> Option<UntrustedText> {
    let name = rustc_demangle::demangle(frame.func_name()?);
    Some(UntrustedText::at_most(&format!("{name:#}"), bytes_max))
}

/// The verdict, with the class of its reason, or the failure behind the error that ended a guest.
pub(crate) fn judge(
    error: wasmtime::Error,
    limits: &Limits,
    deadline_ms: u64,
    fuel: u64,
) -> Result<(Verdict, Option<ReasonClass>), HostFailure> {
    match error.downcast::<BudgetExceeded>() {
        Ok(stop) => {
            let class = stop.class();
            Ok((stop.judged()?, class))
        }
        Err(error) => Ok((judge_engine(error, limits, deadline_ms, fuel)?, None)),
    }
}

/// The same for an error that is no stop of the host.
fn judge_engine(error: wasmtime::Error, limits: &Limits, deadline_ms: u64, fuel: u64) -> Result<Verdict, HostFailure> {
    let error = match error.downcast::<Trap>() {
        Ok(trap) => return judge_trap(trap, deadline_ms, fuel),
        Err(error) => error,
    };
    if error.is::<PoolConcurrencyLimitError>() {
        return Err(HostFailure::NoRoom);
    }
    // The backtrace stands before the cause, as context.
    let contexts = usize::from(error.is::<WasmBacktrace>());
    let message = error.chain().nth(contexts).map(|cause| ErrorChain(cause).to_string()).unwrap_or_default();
    if message.contains(HOSTCALL_FUEL_MESSAGE) {
        return Ok(Verdict::OverBudget { limit: Limit::CallBytes, granted: limits.get(Limit::CallBytes) });
    }
    let message_text = UntrustedText::new(&message);
    if ABI_MESSAGES.iter().any(|part| message.contains(part)) {
        return Ok(Verdict::Trapped(TrapKind::Abi(explained(&message))));
    }
    Err(HostFailure::UnknownTrap { message: message_text })
}

fn judge_trap(trap: Trap, deadline_ms: u64, fuel: u64) -> Result<Verdict, HostFailure> {
    let kind = match trap {
        Trap::OutOfFuel => return Ok(Verdict::OutOfFuel { granted: fuel }),
        Trap::Interrupt => return Err(HostFailure::Deadline { wall_ms: deadline_ms }),
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::StackOverflow => TrapKind::StackOverflow,
        Trap::MemoryOutOfBounds => TrapKind::MemoryOutOfBounds,
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => TrapKind::IndirectCall,
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => TrapKind::Arithmetic,
        Trap::CannotEnterComponent
        | Trap::CannotLeaveComponent
        | Trap::InvalidChar
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer => TrapKind::Abi(explained(words(trap).as_str())),
        other => TrapKind::Other(words(other)),
    };
    Ok(Verdict::Trapped(kind))
}

fn words(trap: Trap) -> UntrustedText {
    let message = trap.to_string();
    UntrustedText::new(message.strip_prefix("wasm trap: ").unwrap_or(&message))
}
