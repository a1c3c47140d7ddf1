//! One reading of a span of blocks. It counts when what answered has the blocks: logs and headers come together, in one request
//! where the node takes several questions in one, and a block whose bloom may hold an announcement is asked for by its hash when the
//! answer has no log of it.

use alloy_primitives::{B256, Bloom};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ScanError, bloom,
    sort::sort,
    span::{HEADERS_MAX, Span},
    step::{Lack, Skipped},
};
use crate::{
    announcement::{Announcement, BlockLogs, BlockRef, Logs, ProofLog},
    chain::ProofChain,
    quantity,
    rpc::{BatchAnswers, Question, RawAnswer, Rpc, RpcError},
};

/// Questions without which a request shows nothing: the logs and the headers of both ends.
const QUESTIONS_MIN: usize = 3;
/// Reads spans of blocks.
#[derive(Clone, Debug)]
pub struct LogReader {
    chain: ProofChain,
    source_chains: Vec<u64>,
    /// An older block. A node that refuses its logs too, by its hash, refuses to look up logs by a hash at all.
    known: Option<BlockRef>,
    /// Up to this block a refusal is the node's last word: what is refused for ever must not stop the scan.
    deep: u64,
}

/// The outcome of a reading.
#[derive(Debug)]
pub enum Reading {
    /// The blocks are read.
    Read(Blocks),
    /// The node that answered lacks something.
    Lacks { node: String, number: u64, lack: Lack },
    /// The answer has fewer logs than the blocks, of which there are too many to ask for each.
    Incomplete { node: String, number: u64 },
    /// The cursor's block is another one than it was.
    Replaced,
}

/// Blocks that were read.
#[derive(Debug)]
pub struct Blocks {
    pub announcements: Vec<Announcement>,
    pub skipped: Skipped,
    pub end: BlockRef,
    /// Logs that only the question for their own block brought.
    pub recovered: u64,
    /// The node that lacked them.
    pub node: String,
}

/// The fields of a block that a reading looks at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    #[serde(deserialize_with = "quantity::read")]
    number: u64,
    hash: B256,
    #[serde(default, deserialize_with = "bloom::read")]
    logs_bloom: Option<Bloom>,
}

/// What a node answered about a span.
struct Answers {
    node: String,
    logs: Vec<ProofLog>,
    /// The samples of the span, in ascending order, the last of them its end.
    headers: Vec<(u64, Option<Header>)>,
    cursor: Option<Header>,
}

impl Header {
    const fn block_ref(&self) -> BlockRef {
        BlockRef { number: self.number, hash: self.hash }
    }
}

impl LogReader {
    pub const fn new(chain: ProofChain, source_chains: Vec<u64>) -> Self {
        Self { chain, source_chains, known: None, deep: 0 }
    }

    /// Most new blocks of one reading near the head, so that the headers of all of them are read.
    pub fn near(&self) -> u64 {
        let is_together = self.chain.rpc().takes_at_once(QUESTIONS_MIN) >= QUESTIONS_MIN;
        if is_together { HEADERS_MAX } else { u64::MAX }
    }

    /// Sets how a refusal of logs by a block's hash is taken: as that of a node which lacks the block where it gives the logs of
    /// `known`, and the block is above `deep`.
    pub const fn expect(&mut self, known: Option<BlockRef>, deep: u64) {
        (self.known, self.deep) = (known, deep);
    }

    /// Reads the span at the first node that has it.
    ///
    /// # Errors
    ///
    /// [`ScanError::Rpc`] and [`ScanError::Moved`].
    pub async fn read(&self, span: &Span) -> Result<Reading, ScanError> {
        let nodes: Vec<_> = self.chain.rpc().each().collect();
        let mut lacks = None;
        let mut refused = None;
        for node in nodes {
            match self.read_at(&node, span).await {
                Ok(lacking @ Reading::Lacks { lack: Lack::Block, .. }) => lacks = lacks.or(Some(lacking)),
                Err(ScanError::Rpc(error)) => refused = refused.or(Some(error)),
                outcome => return outcome,
            }
        }
        match (refused, lacks) {
            (Some(error), _) => Err(error.into()),
            (None, Some(lacking)) => Ok(lacking),
            (None, None) => Err(RpcError::NoEndpoint.into()),
        }
    }

    async fn read_at(&self, rpc: &Rpc, span: &Span) -> Result<Reading, ScanError> {
        let Answers { node, mut logs, headers, cursor } = self.ask(rpc, span).await?;
        let mut known = Vec::with_capacity(headers.len());
        // From the end back: it is the one that a node behind the others lacks.
        for (number, header) in headers.into_iter().rev() {
            match header {
                Some(header) if header.number == number => known.push(header),
                Some(_) => return Err(ScanError::Moved { number }),
                None => return Ok(Reading::Lacks { node, number, lack: Lack::Block }),
            }
        }
        if let Some(expected) = span.cursor {
            match cursor {
                Some(found) if found.hash == expected.hash => {}
                Some(_) => return Ok(Reading::Replaced),
                None => return Ok(Reading::Lacks { node, number: expected.number, lack: Lack::Block }),
            }
        }
        let ends: Vec<_> = known.iter().map(Header::block_ref).collect();
        let Some(&end) = ends.first() else { return Err(ScanError::NoBlock { number: span.last }) };
        let mut recovered = 0;
        let silent = self.silent(&known, &logs, span);
        if !silent.is_empty() {
            match self.ask_by_hash(&rpc.elsewhere(), &silent).await {
                Ok(found) if found.is_empty() => {}
                // The header of every new block is known, so every block that may hold one was asked for.
                Ok(found) if known.len() as u64 == span.last + 1 - span.first_new() => {
                    recovered = found.len() as u64;
                    logs.extend(found);
                }
                Ok(_) => return Ok(Reading::Incomplete { node, number: end.number }),
                Err(number) => return Ok(Reading::Lacks { node, number, lack: Lack::Logs }),
            }
        }
        let (announcements, skipped) = sort(&logs, span, &ends, &self.source_chains)?;
        Ok(Reading::Read(Blocks { announcements, skipped, end, recovered, node }))
    }

    /// New blocks that may hold one of the events by their bloom, and of which there is no log.
    fn silent(&self, headers: &[Header], logs: &[ProofLog], span: &Span) -> Vec<BlockRef> {
        let contract = self.chain.network().specimen_contract;
        let has_log = |number| logs.iter().any(|log| !log.removed && log.block_number == Some(number));
        let is_silent = |header: &&Header| {
            header.number >= span.first_new()
                && bloom::may_hold(header.logs_bloom.as_ref(), contract)
                && !has_log(header.number)
        };
        headers.iter().filter(is_silent).map(Header::block_ref).collect()
    }

    /// Logs of blocks by their hashes: a node that does not have a block refuses, where a range has no logs.
    ///
    /// # Errors
    ///
    /// The first block that the node lacks.
    async fn ask_by_hash(&self, rpc: &Rpc, blocks: &[BlockRef]) -> Result<Vec<ProofLog>, u64> {
        let asked = blocks.iter().chain(&self.known).map(|block| self.logs(json!({"blockHash": block.hash})));
        let questions: Vec<_> = asked.collect();
        let answers = rpc.call_all::<BlockLogs>(&questions).await.unwrap_or_default();
        let looks_up = self.known.is_some() && matches!(answers.last(), Some(Ok(_)));
        let mut found = Vec::new();
        for (block, answer) in blocks.iter().zip(answers) {
            match answer {
                Ok(logs) => found.extend(logs.0.into_iter().filter(|log| !log.removed)),
                Err(_) if looks_up && block.number > self.deep => return Err(block.number),
                Err(_) => {}
            }
        }
        Ok(found)
    }

    async fn ask(&self, rpc: &Rpc, span: &Span) -> Result<Answers, RpcError> {
        let at_once = rpc.takes_at_once(QUESTIONS_MIN);
        if at_once < QUESTIONS_MIN {
            return self.ask_one_by_one(rpc, span).await;
        }
        let samples = span.samples(at_once - QUESTIONS_MIN + 1);
        let mut questions = vec![self.logs_of(span)];
        questions.extend(samples.iter().copied().chain(span.cursor.map(|cursor| cursor.number)).map(header));
        if let Some(BatchAnswers { node, answers }) = rpc.call_at_once(&questions).await? {
            let mut answers = answers.into_iter();
            let logs = answers.next().transpose()?;
            let mut headers = Vec::with_capacity(samples.len());
            for number in samples {
                headers.push((number, read_header(rpc, answers.next())?));
            }
            let cursor = read_header(rpc, answers.next())?;
            let logs: Option<Logs> = logs.map(|logs| rpc.typed("eth_getLogs", &logs)).transpose()?;
            let logs = logs.map_or_else(Vec::new, |logs| logs.0);
            return Ok(Answers { node: node.to_string(), logs, headers, cursor });
        }
        // Either the node does not take them together, or one of them not at all: then it is refused alone as well.
        let answers = self.ask_one_by_one(rpc, span).await?;
        rpc.takes_fewer_than(questions.len());
        Ok(answers)
    }

    /// The end of the span is looked at before and after the logs were read: if it stands, so does what is before it.
    async fn ask_one_by_one(&self, rpc: &Rpc, span: &Span) -> Result<Answers, RpcError> {
        let node = rpc.endpoint().to_string();
        let before: Option<Header> = ask(rpc, header(span.last)).await?;
        let mut answers = Answers { node, logs: Vec::new(), headers: vec![(span.last, None)], cursor: None };
        let Some(before) = before else { return Ok(answers) };
        answers.logs = ask::<Logs>(rpc, self.logs_of(span)).await?.0;
        if let Some(cursor) = span.cursor {
            answers.cursor = ask(rpc, header(cursor.number)).await?;
        }
        let after: Option<Header> = ask(rpc, header(span.last)).await?;
        answers.headers = vec![(span.last, after.filter(|after| after.hash == before.hash))];
        Ok(answers)
    }

    fn logs_of(&self, span: &Span) -> Question {
        self.logs(json!({"fromBlock": quantity::hex(span.first), "toBlock": quantity::hex(span.last)}))
    }

    /// The events of the specimen contract in some blocks.
    fn logs(&self, mut filter: Value) -> Question {
        filter["address"] = json!(self.chain.network().specimen_contract);
        filter["topics"] = json!([bloom::EVENTS]);
        Question::new("eth_getLogs", json!([filter]))
    }
}

fn header(number: u64) -> Question {
    Question::new("eth_getBlockByNumber", json!([quantity::hex(number), false]))
}

fn read_header(rpc: &Rpc, answer: Option<Result<RawAnswer, RpcError>>) -> Result<Option<Header>, RpcError> {
    answer.map_or(Ok(None), |answer| rpc.typed("eth_getBlockByNumber", &answer?))
}

async fn ask<T: serde::de::DeserializeOwned>(rpc: &Rpc, question: Question) -> Result<T, RpcError> {
    rpc.call(question.method, question.params).await
}
