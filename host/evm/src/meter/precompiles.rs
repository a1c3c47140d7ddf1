//! Precompiles, charged by measured cost before they run.

use alloy_primitives::Address;
use revm::{
    context::Cfg,
    context_interface::JournalTr,
    handler::{EthPrecompiles, PrecompileProvider},
    interpreter::{CallInputs, InstructionResult, InterpreterResult},
    primitives::{AddressSet, hardfork::SpecId},
};

use super::{context::Context, costs::of_precompile};

/// The fork's precompiles.
#[derive(Debug)]
pub(crate) struct Precompiles(EthPrecompiles);

impl Precompiles {
    pub(super) fn new(spec: SpecId) -> Self {
        Self(EthPrecompiles::new(spec))
    }
}

impl<'a> PrecompileProvider<Context<'a>> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, spec: <<Context<'a> as revm::context::ContextTr>::Cfg as Cfg>::Spec) -> bool {
        PrecompileProvider::<Context<'a>>::set_spec(&mut self.0, spec)
    }

    fn run(&mut self, context: &mut Context<'a>, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        let Some(precompile) = self.0.precompiles.get(&inputs.bytecode_address) else { return Ok(None) };
        let cost = of_precompile(precompile.id(), &inputs.input.as_bytes(&*context));
        // The journal opened a checkpoint for the call: its depth is one more than the caller's frame.
        let spent = context.chain.spent(context.journaled_state.depth().saturating_sub(1), inputs.gas_limit);
        if let Err(stop) = context.chain.before_precompile(spent, cost, inputs.gas_limit) {
            context.chain.stop(stop);
            return Err("ended by the meter".into());
        }
        let result = PrecompileProvider::<Context<'a>>::run(&mut self.0, context, inputs)?;
        if let Some(result) = &result
            && result.result != InstructionResult::PrecompileOOG
        {
            context.chain.weigh(cost.saturating_sub(result.gas.total_gas_spent()));
        }
        Ok(result)
    }

    fn warm_addresses(&self) -> &AddressSet {
        self.0.warm_addresses()
    }

    fn contains(&self, address: &Address) -> bool {
        self.0.contains(address)
    }
}
