//! The sale of gas to a transaction, as the executor of the network's evm-server did it.
//!
//! It made fewer checks than the chain, in an order of its own, and what a transaction had bought stayed bought when a later
//! check rejected it. The sender's code, nonce and chain id are not looked at; fees are counted in 256 bits.

use std::marker::PhantomData;

use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::U256;
use revm::{
    context::{
        ContextSetters as _, ContextTr as _, JournalTr as _, Transaction as _, TxEnv,
        journaled_state::account::JournaledAccountTr as _,
        result::{EVMError, HaltReason, InvalidTransaction as Reason},
    },
    handler::{FrameResult, Handler, validation::validate_initial_tx_gas_with_gas_params},
    interpreter::InitialAndFloorGas,
    primitives::{eip3860::MAX_INITCODE_SIZE, hardfork::SpecId},
};

use crate::{
    blob_price,
    meter::{Evm, Executed},
    not_carried::NotCarried,
    transaction::{ACCESS_LIST, BLOB, DYNAMIC_FEE, LEGACY},
};

/// The gas that a block has left to sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GasPools {
    gas: u64,
    /// `None` is without bound.
    blob_gas: Option<u64>,
}

impl GasPools {
    /// The pools of a block before its first transaction.
    pub(crate) const fn of(gas_limit: u64, blob_gas: Option<u64>) -> Self {
        Self { gas: gas_limit, blob_gas }
    }

    /// Sells gas to a transaction and executes it.
    pub(crate) fn run<I>(&mut self, evm: &mut Evm<'_, I>, transaction: TxEnv) -> Executed {
        let gas_limit = transaction.gas_limit;
        let spec = evm.ctx.cfg.spec;
        evm.ctx.journal_mut().set_spec_id(spec);
        if let Err(error) = self.sell(evm, &transaction) {
            evm.ctx.journal_mut().discard_tx();
            return Err(error);
        }
        let fault = fault_after_sale(evm, &transaction).map_err(EVMError::Transaction);
        if let Err(error) = fault.and_then(|()| bump_nonce(evm, &transaction).map_err(EVMError::Database)) {
            evm.ctx.journal_mut().commit_tx();
            return Err(error);
        }
        evm.ctx.set_tx(transaction);
        let result = Sold(PhantomData).run(evm)?;
        self.gas = self.gas.saturating_add(gas_limit.saturating_sub(result.tx_gas_used()));
        Ok(result)
    }

    fn sell<I>(&mut self, evm: &mut Evm<'_, I>, tx: &TxEnv) -> Result<(), EVMError<NotCarried>> {
        let spec = evm.ctx.cfg.spec;
        fits_fork(tx, spec)?;
        let fees = Fees::of(evm, tx);
        fees.check(spec)?;
        let blob_price = fees.blob_price(evm)?;
        if let Some(pool) = &mut self.blob_gas {
            let have = usize::try_from(fees.blob_gas / DATA_GAS_PER_BLOB).unwrap_or(usize::MAX);
            let max = usize::try_from(*pool / DATA_GAS_PER_BLOB).unwrap_or(usize::MAX);
            *pool = pool.checked_sub(fees.blob_gas).ok_or(Reason::TooManyBlobs { have, max })?;
        }
        let mut sender = evm.ctx.journal_mut().load_account_with_code_mut(tx.caller).map_err(EVMError::Database)?.data;
        let balance = *sender.balance();
        let most = fees.most(tx).ok_or(Reason::OverflowPaymentInTransaction)?;
        if balance < most {
            return Err(Reason::LackOfFundForMaxFee { fee: Box::new(most), balance: Box::new(balance) }.into());
        }
        self.gas = self.gas.checked_sub(tx.gas_limit).ok_or(Reason::CallerGasLimitMoreThanBlock)?;
        let price = fees.price * U256::from(tx.gas_limit) + blob_price.wrapping_mul(U256::from(fees.blob_gas));
        sender.touch();
        sender.set_balance(balance.wrapping_sub(price));
        Ok(())
    }
}

/// The fees of one transaction.
struct Fees {
    cap: U256,
    tip: U256,
    base: U256,
    /// Paid for each unit of gas.
    price: U256,
    blob_cap: U256,
    blob_gas: u64,
}

impl Fees {
    fn of<I>(evm: &Evm<'_, I>, tx: &TxEnv) -> Self {
        let base = evm.ctx.block.basefee;
        let blobs = if tx.tx_type == BLOB { tx.blob_hashes.len() as u64 } else { 0 };
        Self {
            cap: U256::from(tx.gas_price),
            tip: U256::from(if tx.tx_type < DYNAMIC_FEE {
                tx.gas_price
            } else {
                tx.gas_priority_fee.unwrap_or_default()
            }),
            base: U256::from(base),
            price: U256::from(tx.effective_gas_price(base.into())),
            blob_cap: U256::from(tx.max_fee_per_blob_gas),
            blob_gas: blobs * DATA_GAS_PER_BLOB,
        }
    }

    fn check(&self, spec: SpecId) -> Result<(), Reason> {
        if !spec.is_enabled_in(SpecId::LONDON) {
            return Ok(());
        }
        if self.cap < self.tip {
            return Err(Reason::PriorityFeeGreaterThanMaxFee);
        }
        if self.cap < self.base { Err(Reason::GasPriceLessThanBasefee) } else { Ok(()) }
    }

    /// The price of blob gas since Cancun. Without one no transaction of the block buys any gas, with blobs or without.
    fn blob_price<I>(&self, evm: &Evm<'_, I>) -> Result<U256, Reason> {
        if !evm.ctx.cfg.spec.is_enabled_in(SpecId::CANCUN) {
            return Ok(U256::ZERO);
        }
        let none = Reason::BlobGasPriceGreaterThanMax { block_blob_gas_price: u128::MAX, tx_max_fee_per_blob_gas: 0 };
        let fraction = evm.ctx.cfg.blob_base_fee_update_fraction.unwrap_or(u64::MAX);
        let Some(blobs) = evm.ctx.block.blob_excess_gas_and_price else { return Err(none) };
        let price = match blobs.blob_gasprice {
            u128::MAX => blob_price::price(blobs.excess_blob_gas, fraction).ok_or(none.clone())?,
            price => U256::from(price),
        };
        if self.blob_gas > 0 && self.blob_cap < price { Err(none) } else { Ok(price) }
    }

    /// The most that the transaction can cost its sender, if that has a number.
    fn most(&self, tx: &TxEnv) -> Option<U256> {
        let gas = self.cap.checked_mul(U256::from(tx.gas_limit))?;
        let blobs = self.blob_cap.checked_mul(U256::from(self.blob_gas))?;
        gas.checked_add(tx.value)?.checked_add(blobs)
    }
}

const fn fits_fork(tx: &TxEnv, spec: SpecId) -> Result<(), Reason> {
    match tx.tx_type {
        LEGACY => Ok(()),
        ACCESS_LIST if spec.is_enabled_in(SpecId::BERLIN) => Ok(()),
        ACCESS_LIST => Err(Reason::Eip2930NotSupported),
        DYNAMIC_FEE if spec.is_enabled_in(SpecId::LONDON) => Ok(()),
        DYNAMIC_FEE => Err(Reason::Eip1559NotSupported),
        BLOB if spec.is_enabled_in(SpecId::CANCUN) => Ok(()),
        BLOB => Err(Reason::Eip4844NotSupported),
        _ => Err(Reason::Eip7702NotSupported),
    }
}

/// A fault that was only found when the gas was sold.
fn fault_after_sale<I>(evm: &Evm<'_, I>, tx: &TxEnv) -> Result<(), Reason> {
    intrinsic_gas(evm, tx)?;
    let limits_init_code = evm.ctx.cfg.spec.is_enabled_in(SpecId::SHANGHAI);
    if limits_init_code && tx.kind.is_create() && tx.data.len() > MAX_INITCODE_SIZE {
        return Err(Reason::CreateInitCodeSizeLimit);
    }
    Ok(())
}

fn intrinsic_gas<I>(evm: &Evm<'_, I>, tx: &TxEnv) -> Result<InitialAndFloorGas, Reason> {
    let cfg = &evm.ctx.cfg;
    validate_initial_tx_gas_with_gas_params(tx, cfg.spec, &cfg.gas_params, false, false, u64::MAX, None)
}

/// The nonce of a caller grows before the call, from the largest to zero. That of a creator grows within the creation.
fn bump_nonce<I>(evm: &mut Evm<'_, I>, tx: &TxEnv) -> Result<(), NotCarried> {
    if tx.kind.is_call() {
        let mut sender = evm.ctx.journal_mut().load_account_mut(tx.caller)?.data;
        let nonce = sender.nonce().wrapping_add(1);
        sender.set_nonce(nonce);
    }
    Ok(())
}

/// The EVM's handler of a transaction that has its gas.
struct Sold<'a, I>(PhantomData<(&'a (), I)>);

impl<'a, I> Handler for Sold<'a, I> {
    type Evm = Evm<'a, I>;
    type Error = EVMError<NotCarried>;
    type HaltReason = HaltReason;

    fn validate(&self, evm: &mut Self::Evm) -> Result<InitialAndFloorGas, Self::Error> {
        Ok(intrinsic_gas(evm, &evm.ctx.tx)?)
    }

    fn reimburse_caller(&self, evm: &mut Self::Evm, result: &mut FrameResult) -> Result<(), Self::Error> {
        let gas = result.gas();
        let left = gas.remaining() + u64::try_from(gas.refunded()).unwrap_or_default();
        let fees = Fees::of(evm, &evm.ctx.tx);
        let caller = evm.ctx.tx.caller;
        evm.ctx.journal_mut().balance_incr(caller, fees.price * U256::from(left)).map_err(EVMError::Database)
    }

    fn reward_beneficiary(&self, evm: &mut Self::Evm, result: &mut FrameResult) -> Result<(), Self::Error> {
        let fees = Fees::of(evm, &evm.ctx.tx);
        let burns = evm.ctx.cfg.spec.is_enabled_in(SpecId::LONDON);
        let tip = if burns { fees.price.saturating_sub(fees.base) } else { fees.price };
        let beneficiary = evm.ctx.block.beneficiary;
        let wei = tip * U256::from(result.gas().used());
        evm.ctx.journal_mut().balance_incr(beneficiary, wei).map_err(EVMError::Database)
    }
}
