//! A chain in memory: one account's transactions, a pool, and blocks that hold what the test has mined.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use alloy_primitives::{Address, B256, Bytes, U256};
use futures_util::future::BoxFuture;
use refiner_proofchain::{
    BlockRef, ChainSnapshot, Endpoint, FeeQuote, Fees, NodeError, NonceAt, OpenedSession, Preparation, Prepared, Proof,
    Revert, RpcError, Sent, Settlement, SignError, Signed,
};

use tokio::time::sleep;

use super::super::{PeerSource, ProofSteps, SessionSource};
use crate::testbed::lock;

/// The example of EIP-155, of which the nonce and the gas price are replaced: bytes that read as a signed transaction.
const TRANSACTION: &str = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
/// Where they stand in it.
const NONCE_AT: usize = 2;
const GAS_PRICE_AT: std::ops::Range<usize> = 4..9;
/// Gas of each transaction.
pub const GAS: u128 = 21_000;
/// Wei for one gas at first.
pub const GAS_PRICE: u128 = 20_000_000_000;

/// The chain and the answers of its node.
#[derive(Default)]
pub struct FakeChain(Mutex<Account>);

/// The state of the chain, as far as the operator's account goes.
pub struct Account {
    pub head: u64,
    pub pool: Vec<Signed>,
    /// Transactions in blocks by nonce, each with whether it succeeded.
    pub mined: BTreeMap<u64, (Signed, u64, Option<Revert>)>,
    /// Proofs that were prepared.
    pub prepared: Vec<Proof>,
    /// Answers to preparations, the next first; a preparation without one is ready.
    pub refusals: VecDeque<Revert>,
    /// Heights whose proofs and sessions a node refuses to try, for a reason that is not the contract's.
    pub untried: BTreeSet<u64>,
    /// Nonces of which a node does not give the settlement.
    pub unsettled: BTreeSet<u64>,
    /// Time that an answer about a settlement takes.
    pub settlement_takes: Duration,
    /// Sessions that were asked about.
    pub sessions: Vec<u64>,
    /// Answers to transactions that are sent, the next first; one without is accepted.
    pub sends: VecDeque<Sent>,
    /// Transactions that were sent, with repetitions.
    pub sent: Vec<Signed>,
    /// True where the key gives signatures that no node takes, always the same.
    pub signs_badly: bool,
    /// Errors of the key, the next first.
    pub sign_errors: VecDeque<SignError>,
    /// Errors of looks at the chain, the next first.
    pub errors: VecDeque<RpcError>,
    pub gas_price: u128,
    /// The most that may be offered for one gas.
    pub cap: u128,
    pub looks: usize,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            head: 100,
            pool: Vec::new(),
            mined: BTreeMap::new(),
            prepared: Vec::new(),
            refusals: VecDeque::new(),
            untried: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            settlement_takes: Duration::ZERO,
            sessions: Vec::new(),
            sends: VecDeque::new(),
            sent: Vec::new(),
            signs_badly: false,
            sign_errors: VecDeque::new(),
            errors: VecDeque::new(),
            gas_price: GAS_PRICE,
            cap: 50 * GAS_PRICE,
            looks: 0,
        }
    }
}

impl Account {
    fn next_nonce(&self) -> u64 {
        self.mined.keys().last().map_or(FIRST_NONCE, |nonce| nonce + 1)
    }

    fn quote(&self) -> FeeQuote {
        if self.gas_price > self.cap {
            return FeeQuote::AboveCap { needed_wei: self.gas_price, cap_wei: self.cap };
        }
        FeeQuote::Fees(Fees::Legacy { gas_price_wei: self.gas_price })
    }

    fn send(&mut self, signed: &Signed) -> Sent {
        self.sent.push(signed.clone());
        let is_bad = *signed == badly_signed(signed);
        let answer = if is_bad { Sent::Rejected(node_error("invalid sender")) } else { Sent::Accepted };
        let sent = self.sends.pop_front().unwrap_or(answer);
        if matches!(sent, Sent::Accepted) {
            self.pool.retain(|other| other.nonce != signed.nonce);
            self.pool.push(signed.clone());
        }
        sent
    }
}

/// The account's first nonce: one that takes a byte of its own.
pub const FIRST_NONCE: u64 = 1;

impl FakeChain {
    pub fn account(&self) -> MutexGuard<'_, Account> {
        lock(&self.0)
    }

    /// A block with everything in the pool whose nonces follow each other.
    pub fn mine(&self) {
        self.mine_with(None);
    }

    /// The same, where the contract refuses all of it.
    pub fn mine_with(&self, revert: Option<&Revert>) {
        let mut account = self.account();
        account.head += 1;
        let head = account.head;
        while let Some(at) = account.pool.iter().position(|signed| signed.nonce == account.next_nonce()) {
            let signed = account.pool.remove(at);
            account.mined.insert(signed.nonce, (signed, head, revert.cloned()));
        }
    }

    /// Blocks without transactions.
    pub fn grow(&self, blocks: u64) {
        self.account().head += blocks;
    }

    /// Takes a mined transaction away, as a reorganisation does. It is in the pool again where `keeps`.
    pub fn reorganise(&self, nonce: u64, keeps: bool) {
        let mut account = self.account();
        let (signed, ..) = account.mined.remove(&nonce).unwrap();
        if keeps {
            account.pool.push(signed);
        }
    }

    fn ready<'a, T: Send + 'a>(&'a self, answer: impl FnOnce(&mut Account) -> T + Send + 'a) -> BoxFuture<'a, T> {
        Box::pin(async move { answer(&mut self.account()) })
    }
}

/// A node's refusal of one question.
fn refused(message: &str) -> RpcError {
    let endpoint = Endpoint::new("http://127.0.0.1:1".parse().unwrap());
    RpcError::Refused { endpoint, method: "eth_call", refusal: node_error(message) }
}

fn node_error(message: &str) -> NodeError {
    NodeError { code: -32000, message: message.to_owned(), data: None }
}

/// The same transaction with another signature.
fn badly_signed(signed: &Signed) -> Signed {
    let mut raw = signed.raw.to_vec();
    *raw.last_mut().unwrap() = 0xff;
    Signed::read(&raw).unwrap()
}

/// Bytes of a transaction of this nonce and price.
pub fn signed(nonce: u64, gas_price: u128) -> Signed {
    let mut raw = alloy_primitives::hex::decode(TRANSACTION).unwrap();
    raw[NONCE_AT] = u8::try_from(nonce).unwrap();
    raw[GAS_PRICE_AT].copy_from_slice(&gas_price.to_be_bytes()[11..]);
    Signed::read(&raw).unwrap()
}

impl ProofSteps for Arc<FakeChain> {
    fn address(&self) -> Address {
        Address::with_last_byte(7)
    }

    fn filler(&self) -> Prepared {
        Prepared { to: ProofSteps::address(self), calldata: Bytes::new(), gas_limit: 21_000 }
    }

    fn outlook<'a>(&'a self) -> BoxFuture<'a, Result<ChainSnapshot, RpcError>> {
        self.ready(|account| {
            account.looks += 1;
            match account.errors.pop_front() {
                Some(error) => Err(error),
                None => Ok(ChainSnapshot::at(account.head, account.next_nonce())),
            }
        })
    }

    fn look_at<'a>(
        &'a self,
        _outlook: &'a mut ChainSnapshot,
        _hashes: &'a [B256],
    ) -> BoxFuture<'a, Result<(), RpcError>> {
        self.ready(|_| Ok(()))
    }

    fn settlement<'a>(
        &'a self,
        outlook: &'a ChainSnapshot,
        hashes: &'a [B256],
        nonce: u64,
        depth: u64,
    ) -> BoxFuture<'a, Result<Settlement, RpcError>> {
        let settled = self.ready(move |account| {
            if account.unsettled.contains(&nonce) {
                return Err(refused("missing trie node"));
            }
            if account.pool.iter().any(|signed| hashes.contains(&signed.hash)) {
                return Ok(Settlement::Pending);
            }
            let Some((signed, number, revert)) = account.mined.get(&nonce) else { return Ok(Settlement::Dropped) };
            let (hash, block) = (signed.hash, BlockRef { number: *number, hash: B256::ZERO });
            let on_top = outlook.head - number;
            let paid_wei = Some(signed.fees.most_wei() * GAS);
            Ok(match revert {
                _ if on_top < depth => Settlement::Mined { hash, block, depth: on_top },
                _ if !hashes.contains(&hash) => Settlement::Replaced,
                None => Settlement::Final { hash, block, paid_wei },
                Some(revert) => Settlement::Reverted { hash, block, paid_wei, revert: revert.clone() },
            })
        });
        let takes = self.account().settlement_takes;
        Box::pin(async move {
            if !takes.is_zero() {
                sleep(takes).await;
            }
            settled.await
        })
    }

    fn fees<'a>(&'a self) -> BoxFuture<'a, Result<FeeQuote, RpcError>> {
        self.ready(|account| Ok(account.quote()))
    }

    fn fees_and_nonce<'a>(&'a self, _at: NonceAt) -> BoxFuture<'a, Result<(FeeQuote, u64), RpcError>> {
        self.ready(|account| Ok((account.quote(), account.next_nonce())))
    }

    fn nonce<'a>(&'a self, at: NonceAt) -> BoxFuture<'a, Result<u64, RpcError>> {
        self.ready(move |account| {
            let mut next = account.next_nonce();
            while at == NonceAt::Pending && account.pool.iter().any(|signed| signed.nonce == next) {
                next += 1;
            }
            Ok(next)
        })
    }

    fn bump<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Result<Option<Fees>, RpcError>> {
        self.ready(move |account| {
            let gas_price_wei = signed.fees.most_wei() * 9 / 8;
            Ok((gas_price_wei <= account.cap).then_some(Fees::Legacy { gas_price_wei }))
        })
    }

    fn prepare_all<'a>(
        &'a self,
        proofs: &'a [Proof],
    ) -> BoxFuture<'a, Result<Vec<Result<Preparation, RpcError>>, RpcError>> {
        self.ready(move |account| {
            let prepare = |proof: &Proof| {
                account.prepared.push(proof.clone());
                if account.untried.contains(&proof.height) {
                    return Err(refused("header not found"));
                }
                Ok(match account.refusals.pop_front() {
                    Some(revert) => Preparation::Refused(revert),
                    None => Preparation::Ready(Prepared {
                        to: Address::with_last_byte(9),
                        calldata: proof.calldata(),
                        gas_limit: 21_000,
                    }),
                })
            };
            Ok(proofs.iter().map(prepare).collect())
        })
    }

    fn prepare_finalize<'a>(&'a self, _chain: u64, height: u64) -> BoxFuture<'a, Result<Preparation, RpcError>> {
        self.ready(move |account| {
            account.sessions.push(height);
            if account.untried.contains(&height) {
                return Err(refused("header not found"));
            }
            Ok(Preparation::Refused(Revert::SessionRunning))
        })
    }

    fn sign<'a>(
        &'a self,
        _prepared: &'a Prepared,
        nonce: u64,
        fees: &'a Fees,
    ) -> BoxFuture<'a, Result<Signed, SignError>> {
        self.ready(move |account| {
            if let Some(error) = account.sign_errors.pop_front() {
                return Err(error);
            }
            let signed = signed(nonce, fees.most_wei());
            Ok(if account.signs_badly { badly_signed(&signed) } else { signed })
        })
    }

    fn send<'a>(&'a self, signed: &'a Signed) -> BoxFuture<'a, Sent> {
        self.ready(move |account| account.send(signed))
    }

    fn send_all<'a>(&'a self, signed: &'a [Signed]) -> BoxFuture<'a, Result<Vec<Sent>, RpcError>> {
        self.ready(move |account| Ok(signed.iter().map(|signed| account.send(signed)).collect()))
    }

    fn balance<'a>(&'a self) -> BoxFuture<'a, Result<U256, RpcError>> {
        self.ready(|_| Ok(U256::from(5)))
    }

    fn head<'a>(&'a self) -> BoxFuture<'a, Result<u64, RpcError>> {
        self.ready(|account| Ok(account.head))
    }

    fn session_blocks<'a>(&'a self) -> BoxFuture<'a, Result<u64, RpcError>> {
        self.ready(|_| Ok(20))
    }
}

/// Results that other operators proved, by specimen. Clones share them.
#[derive(Clone, Default)]
pub struct Others(pub Arc<Mutex<BTreeMap<B256, BTreeMap<B256, usize>>>>);

impl PeerSource for Others {
    fn read(&mut self) -> BoxFuture<'_, Result<(), RpcError>> {
        Box::pin(async { Ok(()) })
    }

    fn of(&self, specimen: B256) -> BTreeMap<B256, usize> {
        lock(&self.0).get(&specimen).cloned().unwrap_or_default()
    }
}

/// No session is opened.
pub struct NoSessions;

impl SessionSource for NoSessions {
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<OpenedSession>, RpcError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
