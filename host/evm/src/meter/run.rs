//! The metered EVM, and how a transaction is run in it.

use revm::{
    Inspector,
    context::{
        self, ContextSetters, TxEnv,
        result::{EVMError, ExecutionResult},
    },
    handler::{EthFrame, Handler, MainnetHandler, instructions::EthInstructions},
    inspector::InspectorHandler,
    interpreter::interpreter::EthInterpreter,
    primitives::TxKind,
};

use super::{budget::BudgetExceeded, bytes, context::Context, counter::Paying, instructions, precompiles::Precompiles};
use crate::not_carried::NotCarried;

/// The EVM whose every instruction that can be large looks at the meter.
pub(crate) type Evm<'a, INSP = ()> =
    context::Evm<Context<'a>, INSP, EthInstructions<EthInterpreter, Context<'a>>, Precompiles, EthFrame>;

/// The EVM's own outcome of a transaction.
pub(crate) type Executed = Result<ExecutionResult, EVMError<NotCarried>>;

/// Gas that a transaction pays before its first instruction for each part of a list (EIP-2930, and the refunded price
/// of EIP-7702). What is done for the lists is done before the EVM compares any gas with a bound.
const ACCESS_LIST_ADDRESS_GAS: u64 = 2_400;
const ACCESS_LIST_KEY_GAS: u64 = 1_900;
const AUTHORIZATION_GAS: u64 = 12_500;

/// The EVM over a context. A `guarded` one looks before each growth of memory.
pub(crate) fn evm<INSP>(context: Context<'_>, inspector: INSP, guarded: bool) -> Evm<'_, INSP> {
    let spec = context.cfg.spec;
    context::Evm::new_with_inspector(context, inspector, instructions::table(spec, guarded), Precompiles::new(spec))
}

/// Executes a system call.
pub(crate) fn run_system_call<INSP>(evm: &mut Evm<'_, INSP>, transaction: TxEnv) -> Executed {
    evm.ctx.set_tx(transaction);
    MainnetHandler::default().run_system_call(evm)
}

/// Executes a system call that the inspector watches.
pub(crate) fn inspect_system_call<'a, INSP: Inspector<Context<'a>>>(
    evm: &mut Evm<'a, INSP>,
    transaction: TxEnv,
) -> Executed {
    evm.ctx.set_tx(transaction);
    MainnetHandler::default().inspect_run_system_call(evm)
}

/// Runs a transaction by `run`.
///
/// # Errors
/// The outer error is the meter's, the inner one the EVM's.
pub(crate) fn metered<'a, INSP>(
    evm: &mut Evm<'a, INSP>,
    transaction: TxEnv,
    run: impl FnOnce(&mut Evm<'a, INSP>, TxEnv) -> Executed,
    paying: Paying,
) -> Result<Executed, BudgetExceeded> {
    let (prepaid, bytes) = before_execution(&transaction);
    evm.ctx.chain.begin(transaction.gas_limit, prepaid, bytes, paying)?;
    let result = run(evm, transaction);
    if let Some(stop) = evm.ctx.chain.take_stop() {
        return Err(stop);
    }
    if let Ok(result) = &result {
        evm.ctx.chain.settle(result.gas().total_gas_spent(), result.tx_gas_used())?;
    }
    Ok(result)
}

/// Gas and bytes of what is done for a transaction before its first instruction.
fn before_execution(transaction: &TxEnv) -> (u64, u64) {
    let addresses = transaction.access_list.len();
    let keys: usize = transaction.access_list.iter().map(|item| item.storage_keys.len()).sum();
    let parts = [
        (addresses, ACCESS_LIST_ADDRESS_GAS),
        (keys, ACCESS_LIST_KEY_GAS),
        (transaction.authorization_list.len(), AUTHORIZATION_GAS),
    ];
    let prepaid = parts.into_iter().map(|(parts, gas)| parts as u64 * gas).sum::<u64>();
    let init_code = if transaction.kind == TxKind::Create { bytes::of_code(transaction.data.len()) } else { 0 };
    (prepaid.min(transaction.gas_limit), bytes::of_access_list(addresses + keys) + init_code)
}
