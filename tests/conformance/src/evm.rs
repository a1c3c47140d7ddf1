//! EIP-7610 and EIP-1283, which revm's own handlers and instructions do not have.

use revm::{
    Inspector,
    bytecode::opcode::SSTORE,
    context::{ContextTr as _, JournalTr as _},
    context_interface::{
        cfg::{GasId, GasParams},
        host::Host as _,
        journaled_state::account::JournaledAccountTr as _,
    },
    handler::{EthFrame, EthPrecompiles, MainnetContext, instructions::EthInstructions},
    interpreter::{
        CreateInputs, CreateOutcome, Gas, InstructionContext, InstructionResult, InterpreterResult,
        instructions::{Instruction, host::sstore_with_gas_accounting},
        interpreter::EthInterpreter,
    },
    primitives::hardfork::SpecId,
};

use crate::recorder::Recorder;

/// The EVM of this crate.
pub type TestEvm<'a> = revm::context::Evm<
    MainnetContext<Recorder<'a>>,
    Collisions,
    EthInstructions<EthInterpreter, MainnetContext<Recorder<'a>>>,
    EthPrecompiles,
    EthFrame<EthInterpreter>,
>;

/// Fails a creation at an address that has storage, as EIP-7610 demands of every fork.
#[derive(Clone, Copy, Debug, Default)]
pub struct Collisions;

impl<'a> Inspector<MainnetContext<Recorder<'a>>> for Collisions {
    fn create(
        &mut self,
        context: &mut MainnetContext<Recorder<'a>>,
        inputs: &mut CreateInputs,
    ) -> Option<CreateOutcome> {
        let caller = context.journal_mut().load_account(inputs.caller()).ok()?.data.info.clone();
        // These two fail before the address is looked at, and leave the nonce as it is.
        if caller.balance < inputs.value() || caller.nonce == u64::MAX {
            return None;
        }
        let address = inputs.created_address(caller.nonce);
        if !context.db().is_bare_storage(&address) {
            return None;
        }
        let created = context.journal_mut().load_account(address).ok()?;
        if created.data.info.nonce != 0 || !created.data.info.is_empty_code_hash() {
            return None;
        }
        context.journal_mut().load_account_mut(inputs.caller()).ok()?.data.bump_nonce();
        let result = InterpreterResult {
            result: InstructionResult::CreateCollision,
            gas: Gas::new(inputs.gas_limit()),
            output: Default::default(),
        };
        Some(CreateOutcome::new(result, None))
    }
}

/// The gas of SSTORE under EIP-1283, which only Constantinople without Petersburg has.
pub fn net_gas_metering(evm: &mut TestEvm<'_>) {
    /// EIP-1283: what SLOAD costs, a set slot and a changed one.
    const SLOAD: u64 = 200;
    const SET: u64 = 20_000;
    const RESET: u64 = 5_000;
    let mut gas = GasParams::new_spec(SpecId::PETERSBURG);
    gas.override_gas([
        (GasId::sstore_static(), SLOAD),
        (GasId::sstore_set_without_load_cost(), SET - SLOAD),
        (GasId::sstore_reset_without_cold_load_cost(), RESET - SLOAD),
        (GasId::sstore_set_refund(), SET - SLOAD),
        (GasId::sstore_reset_refund(), RESET - SLOAD),
    ]);
    evm.ctx.cfg.gas_params = gas;
    let sstore = Instruction::new(|context: InstructionContext<'_, MainnetContext<Recorder<'_>>, EthInterpreter>| {
        sstore_with_gas_accounting(context, |context, _, load| {
            let gas = context.host.gas_params();
            let (cost, refund) = (gas.sstore_dynamic_gas(true, &load.data, false), gas.sstore_refund(true, &load.data));
            if !context.interpreter.gas.record_regular_cost(cost) {
                return Err(InstructionResult::OutOfGas);
            }
            context.interpreter.gas.record_refund(refund);
            Ok(())
        })
    });
    evm.instruction.insert_instruction(SSTORE, sstore, 0);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use alloy_consensus::Header;
    use alloy_primitives::{Address, U256, hex};
    use refiner_specimen::Transaction;

    use crate::{
        execute::{Job, execute},
        fork::Fork,
        world::Account,
    };

    /// Gas of a transaction that runs `code` with `original` in slot 0.
    fn gas_used(code: &str, original: u64) -> u64 {
        let (sender, contract) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let slots = BTreeMap::from([(U256::ZERO, U256::from(original))]);
        let world = [
            (sender, Account::new(0, U256::MAX >> 1, Default::default(), BTreeMap::new())),
            (contract, Account::new(1, U256::ZERO, hex::decode(code).unwrap().into(), slots)),
        ];
        let call = Transaction { to: Some(contract), gas: 100_000, ..Transaction::default() };
        let job = Job {
            fork: Fork::Constantinople,
            blobs: None,
            chain_id: 1,
            moves_dao: false,
            rewarded: true,
            header: &Header { gas_limit: 100_000, ..Header::default() },
            transactions: &[(call, sender)],
            ommers: &[],
            withdrawals: &[],
            block_hashes: &BTreeMap::new(),
            lenient: false,
        };
        execute(&job, &world.into_iter().collect()).receipts[0].cumulative_gas_used
    }

    #[test]
    fn constantinople_meters_storage_by_what_changes_in_the_end() {
        // The table of EIP-1283: code, original value, gas, refund.
        for (code, original, gas, refund) in [
            ("60006000556000600055", 0, 412, 0),
            ("60006000556001600055", 0, 20_212, 0),
            ("60016000556000600055", 0, 20_212, 19_800),
            ("60016000556002600055", 0, 20_212, 0),
            ("60006000556000600055", 1, 5_212, 15_000),
            ("60006000556001600055", 1, 5_212, 4_800),
            ("60026000556000600055", 1, 5_212, 15_000),
            ("600160005560006000556001600055", 0, 40_218, 19_800),
            ("600060005560016000556000600055", 1, 10_218, 19_800),
        ] {
            let used: u64 = 21_000 + gas;
            assert_eq!(gas_used(code, original), used - u64::min(refund, used / 2), "{code} on {original}");
        }
    }
}
