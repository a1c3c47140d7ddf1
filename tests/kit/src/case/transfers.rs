//! Transfer events in the shapes that contracts really emit, of the standards and not.

use alloy_primitives::{Address, B256, Bytes, U256};
use revm::bytecode::opcode::{CALLDATACOPY, CALLDATALOAD, CALLDATASIZE, LOG0, STOP, SUB};

use super::{Case, address, chain, dynamic, newest, plan};
use crate::{Assembler, Fork, KitError, Plan, TRANSFER, TRANSFER_BATCH, TRANSFER_SINGLE, scenario::Cast};

/// An event and its meaning as token transfers.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The peculiarity of the shape.
    pub name: &'static str,
    /// Topics of the log, its name first.
    pub topics: Vec<B256>,
    /// Data of the log.
    pub data: Vec<u8>,
    /// The transfers that the event states.
    pub meaning: Meaning,
}

/// The meaning of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// These token ids and amounts, by the standard of this name.
    Transfers(&'static str, Vec<(Option<U256>, U256)>),
    /// The name of a transfer and not its shape.
    Misshapen,
    /// An event of another name.
    Unrelated,
}

/// The contract that emits logs with this number of topics.
pub fn emitter(topics: usize) -> Address {
    address(["emitter of LOG0", "emitter of LOG1", "emitter of LOG2", "emitter of LOG3", "emitter of LOG4"][topics])
}

/// A block with one transaction, and so one log, a shape.
///
/// # Errors
///
/// None, unless the kit itself is broken.
pub fn case() -> Result<Case, KitError> {
    let mut chain = chain(Fork::Prague);
    for (topics, log) in (0..=4).zip(LOG0..) {
        chain.world.deploy(emitter(topics), emitting(topics as u64, log));
    }
    let emit = |shape: Shape| Plan {
        from: Cast::assembled().alice,
        to: Some(emitter(shape.topics.len())),
        value: U256::ZERO,
        input: Bytes::from([shape.topics.concat(), shape.data].concat()),
        gas: 300_000,
        form: dynamic(),
    };
    let transactions = shapes().into_iter().map(emit).collect();
    Case::new("odd-transfer-events", newest(&chain.seal(plan(transactions))?))
}

/// Emits a log whose topics are the first words of the input and whose data is the rest.
fn emitting(topics: u64, log: u8) -> Bytes {
    let head = 32 * topics;
    let asm = Assembler::new().push(head).ops(&[CALLDATASIZE, SUB]).push(head).push(0).ops(&[CALLDATACOPY]);
    let asm = (0..topics).rev().fold(asm, |asm, topic| asm.push(32 * topic).ops(&[CALLDATALOAD]));
    asm.push(head).ops(&[CALLDATASIZE, SUB]).push(0).ops(&[log, STOP]).finish()
}

/// Every shape, in the order of the block's transactions.
pub fn shapes() -> Vec<Shape> {
    [fungible(), unique(), single(), batch(), unrelated()].concat()
}

fn fungible() -> Vec<Shape> {
    let of = |name, topics: &[B256], data: &[u8], meaning| shape(name, TRANSFER, topics, data, meaning);
    let erc20 = |amount: U256| Meaning::Transfers("ERC-20", vec![(None, amount)]);
    let (from, to) = (party("from"), party("to"));
    let amount = word(1_000);
    vec![
        of("ERC-20", &[from, to], &amount, erc20(U256::from(1_000))),
        of("ERC-20 of the largest amount", &[from, to], &[0xff; 32], erc20(U256::MAX)),
        of("ERC-20 of nothing", &[from, to], &word(0), erc20(U256::ZERO)),
        of("ERC-20 of new tokens", &[B256::ZERO, to], &amount, erc20(U256::from(1_000))),
        of("ERC-20 without an amount", &[from, to], &[], Meaning::Misshapen),
        of("ERC-20 with a short amount", &[from, to], &[1; 31], Meaning::Misshapen),
        of("ERC-20 with one byte too many", &[from, to], &[1; 33], Meaning::Misshapen),
        of("ERC-20 with two amounts", &[from, to], &[word(1), word(2)].concat(), Meaning::Misshapen),
        of("ERC-20 with nothing indexed", &[], &[from.0, to.0, word(9)].concat(), Meaning::Misshapen),
        of("ERC-20 with one party indexed", &[from], &[to.0, word(9)].concat(), Meaning::Misshapen),
        of("ERC-20 with a topic that is no address", &[from, B256::repeat_byte(0x66)], &amount, Meaning::Misshapen),
    ]
}

fn unique() -> Vec<Shape> {
    let of = |name, topics: &[B256], data: &[u8], meaning| shape(name, TRANSFER, topics, data, meaning);
    let erc721 = |id: U256| Meaning::Transfers("ERC-721", vec![(Some(id), U256::from(1))]);
    let (from, to) = (party("from"), party("to"));
    let seven = B256::with_last_byte(7);
    vec![
        of("ERC-721", &[from, to, seven], &[], erc721(U256::from(7))),
        of("ERC-721 of the largest id", &[from, to, B256::repeat_byte(0xff)], &[], erc721(U256::MAX)),
        of("ERC-721 of a destroyed token", &[from, B256::ZERO, seven], &[], erc721(U256::from(7))),
        of("ERC-721 with data", &[from, to, seven], &word(7), Meaning::Misshapen),
        of("ERC-721 with a sender that is no address", &[B256::repeat_byte(1), to, seven], &[], Meaning::Misshapen),
    ]
}

fn single() -> Vec<Shape> {
    let of = |name, topics: &[B256], data: &[u8], meaning| shape(name, TRANSFER_SINGLE, topics, data, meaning);
    let parties = [party("operator"), party("from"), party("to")];
    let data = [word(3), word(4)].concat();
    let moved = vec![(Some(U256::from(3)), U256::from(4))];
    vec![
        of("TransferSingle", &parties, &data, Meaning::Transfers("ERC-1155", moved)),
        of("TransferSingle with nothing indexed", &[], &[parties.concat(), data.clone()].concat(), Meaning::Misshapen),
        of("TransferSingle with two parties indexed", &parties[..2], &data, Meaning::Misshapen),
        of("TransferSingle without data", &parties, &[], Meaning::Misshapen),
        of("TransferSingle with one byte too few", &parties, &data[..63], Meaning::Misshapen),
        of("TransferSingle with three words", &parties, &[word(3), word(4), word(5)].concat(), Meaning::Misshapen),
    ]
}

fn batch() -> Vec<Shape> {
    /// Beyond any data.
    const HUGE: [u8; 32] = [0xff; 32];
    let parties = [party("operator"), party("from"), party("to")];
    let of = |name, data: &[[u8; 32]], meaning| shape(name, TRANSFER_BATCH, &parties, &data.concat(), meaning);
    let moves = |pairs: &[(u64, u64)]| {
        let pairs = pairs.iter().map(|(id, amount)| (Some(U256::from(*id)), U256::from(*amount)));
        Meaning::Transfers("ERC-1155", pairs.collect())
    };
    let w = word;
    vec![
        of("TransferBatch", &[w(64), w(160), w(2), w(1), w(2), w(2), w(10), w(20)], moves(&[(1, 10), (2, 20)])),
        of("TransferBatch of nothing", &[w(64), w(96), w(0), w(0)], moves(&[])),
        of("TransferBatch, amounts first", &[w(128), w(64), w(1), w(10), w(1), w(5)], moves(&[(5, 10)])),
        of("TransferBatch whose arrays are one", &[w(64), w(64), w(2), w(8), w(9)], moves(&[(8, 8), (9, 9)])),
        of("TransferBatch with fewer amounts", &[w(64), w(160), w(2), w(1), w(2), w(1), w(10)], Meaning::Misshapen),
        of("TransferBatch of a huge length", &[w(64), w(96), HUGE, HUGE], Meaning::Misshapen),
        of("TransferBatch at a huge offset", &[HUGE, HUGE, w(1), w(1)], Meaning::Misshapen),
        of("TransferBatch longer than its data", &[w(64), w(96), w(3), w(1)], Meaning::Misshapen),
        of("TransferBatch without data", &[], Meaning::Misshapen),
    ]
}

fn unrelated() -> Vec<Shape> {
    vec![shape("another event", B256::repeat_byte(0xab), &[party("from"), party("to")], &word(1), Meaning::Unrelated)]
}

fn shape(name: &'static str, event: B256, topics: &[B256], data: &[u8], meaning: Meaning) -> Shape {
    Shape { name, topics: [&[event], topics].concat(), data: data.to_vec(), meaning }
}

fn word(number: u64) -> [u8; 32] {
    U256::from(number).to_be_bytes()
}

/// An account in a topic.
fn party(name: &str) -> B256 {
    address(name).into_word()
}
