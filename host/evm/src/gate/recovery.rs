//! Senders recovered from their signatures, on as many cores as no other recovery of this process uses.
//!
//! A recovery costs tens of microseconds, more than all other checks of a transaction together, and no transaction's depends on another's.
//! The outcome is the same on any number of threads: the first transaction in block order whose sender is wrong.

use std::{
    panic,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use alloy_primitives::{Address, B256, U256, uint};
use refiner_specimen::{Layout, Transaction};
use revm::precompile::crypto;

use crate::interrupt::{Interrupt, Interrupted};

/// Half the order of secp256k1: since Homestead (EIP-2) a larger `s` makes a transaction invalid.
const HALF_ORDER: U256 = uint!(0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0_U256);

/// Transactions for which a further thread is worth its start: half a millisecond of work.
const LEAST_A_THREAD: usize = 12;

/// Threads of this process that recover senders now.
static BUSY: AtomicUsize = AtomicUsize::new(0);
/// Set when the system refused a thread, as it does in a confined worker, so that it is not asked again for each block.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// A transaction whose stated sender is not the one that signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrongSender {
    pub(super) index: usize,
    /// The signer, where the signature is valid.
    pub(super) recovered: Option<Address>,
}

/// The senders of a block, on their way to being recovered.
pub(super) struct Recovery<'a> {
    transactions: &'a [Transaction],
    senders: &'a [Address],
    layout: Layout,
    low_s: bool,
    /// The next transaction that no thread has taken.
    next: AtomicUsize,
    /// Transactions from here on are of no interest: an earlier one is wrong, or the caller was interrupted.
    end: AtomicUsize,
}

impl<'a> Recovery<'a> {
    /// A recovery of one sender a transaction. Transactions of which `layout` drops a part are left out.
    pub(super) fn new(transactions: &'a [Transaction], senders: &'a [Address], layout: Layout, low_s: bool) -> Self {
        let [next, end] = [0, transactions.len()].map(AtomicUsize::new);
        Self { transactions, senders, layout, low_s, next, end }
    }

    /// The first transaction whose stated sender is wrong, if there is one.
    pub(super) fn first_wrong(self, interrupt: &dyn Interrupt) -> Result<Option<WrongSender>, Interrupted> {
        let cores = Cores::take(&BUSY, available(), self.transactions.len());
        self.on_threads(cores.helpers(), interrupt)
    }

    /// The same, with this many threads beside the caller's, if the system gives them.
    fn on_threads(&self, helpers: usize, interrupt: &dyn Interrupt) -> Result<Option<WrongSender>, Interrupted> {
        thread::scope(|scope| {
            let spawn = |_| match thread::Builder::new().spawn_scoped(scope, || self.work(|| Ok(()))) {
                Ok(helper) => Some(helper),
                Err(_) => {
                    REFUSED.store(true, Ordering::Relaxed);
                    None
                }
            };
            let helpers: Vec<_> = (0..helpers).map_while(spawn).collect();
            let mut found = self.work(|| interrupt.check());
            if found.is_err() {
                self.end.store(0, Ordering::Relaxed);
            }
            for helper in helpers {
                let of_helper = helper.join().unwrap_or_else(|panicked| panic::resume_unwind(panicked));
                found = earlier(found, of_helper);
            }
            found
        })
    }

    /// Takes transactions until none is left or one is wrong. They are taken in block order, so the first wrong one of all threads is the
    /// first of the block.
    fn work(&self, mut ask: impl FnMut() -> Result<(), Interrupted>) -> Result<Option<WrongSender>, Interrupted> {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if index >= self.end.load(Ordering::Relaxed) {
                return Ok(None);
            }
            ask()?;
            let (transaction, stated) = (&self.transactions[index], self.senders[index]);
            if transaction.dropped(self.layout).is_some() {
                continue;
            }
            let recovered = recover(transaction, self.low_s);
            if recovered != Some(stated) {
                self.end.fetch_min(index, Ordering::Relaxed);
                return Ok(Some(WrongSender { index, recovered }));
            }
        }
    }
}

/// The earlier one of two in the block; an interruption is neither.
fn earlier(
    one: Result<Option<WrongSender>, Interrupted>,
    other: Result<Option<WrongSender>, Interrupted>,
) -> Result<Option<WrongSender>, Interrupted> {
    Ok([one?, other?].into_iter().flatten().min_by_key(|wrong| wrong.index))
}

/// The cores that one recovery uses, given back when it ends.
struct Cores<'a> {
    busy: &'a AtomicUsize,
    taken: usize,
}

impl<'a> Cores<'a> {
    /// The caller's core and, of the `available` ones, those that no other recovery uses, up to what so many transactions are worth.
    fn take(busy: &'a AtomicUsize, available: usize, transactions: usize) -> Self {
        let free = available.saturating_sub(busy.load(Ordering::Relaxed));
        let most = transactions / LEAST_A_THREAD;
        let taken = if REFUSED.load(Ordering::Relaxed) { 1 } else { free.min(most).max(1) };
        busy.fetch_add(taken, Ordering::Relaxed);
        Self { busy, taken }
    }

    const fn helpers(&self) -> usize {
        self.taken - 1
    }
}

impl Drop for Cores<'_> {
    fn drop(&mut self) {
        self.busy.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

/// The cores of this process. Asked once: the answer takes as long as a recovery.
fn available() -> usize {
    static AVAILABLE: OnceLock<usize> = OnceLock::new();
    *AVAILABLE.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// The address that signed a transaction; `None` where the signature is not valid.
fn recover(transaction: &Transaction, low_s: bool) -> Option<Address> {
    let (r, s) = (transaction.r.unwrap_or_default(), transaction.s.unwrap_or_default());
    if s > HALF_ORDER && low_s {
        return None;
    }
    let parity = parity(transaction)?;
    let message = transaction.signing_hash().ok()?;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r.to_be_bytes::<32>());
    signature[32..].copy_from_slice(&s.to_be_bytes::<32>());
    let key = crypto().secp256k1_ecrecover(&signature, parity, &message.0).ok()?;
    Some(Address::from_word(B256::from(key)))
}

/// 27 and 28 for a legacy transaction of any chain, 35 and up for one of a chain, 0 and 1 for all other types.
fn parity(transaction: &Transaction) -> Option<u8> {
    let v = transaction.v.unwrap_or_default();
    let bit = match (transaction.tx_type, transaction.signed_chain_id()) {
        // 35 is odd, and what is added to it for a chain is even.
        (0, Some(_)) => U256::from(!v.bit(0)),
        (0, None) => v.checked_sub(U256::from(27))?,
        _ => v,
    };
    u8::try_from(bit).ok().filter(|parity| *parity <= 1)
}

#[cfg(test)]
mod tests;
