//! The tasks of one rule for one slot: questions for the next one and acknowledgements of the last, answered over one inbox.
//!
//! The client's own questions and confirmed acknowledgements take a subscription each, which costs a server more than the message itself. Here an
//! acknowledgement asks for the next task too, and the answer confirms both.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_nats::{
    Client, StatusCode, SubscribeError, Subscriber,
    jetstream::{
        AckKind, Context,
        consumer::pull::BatchConfig,
        message::{Acker, Message},
    },
    subject::Subject,
};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Host, served::Served};
use crate::limits::{AGAIN, REQUEST};

/// Time for the answer of a server, beside that of the question.
const MARGIN: Duration = Duration::from_secs(3);
/// Tries to acknowledge a task whose result was published.
const ACKNOWLEDGEMENTS: u32 = 3;
/// The begin of an acknowledgement that asks for another task; the question follows.
const ACKNOWLEDGE_AND_ASK: &[u8] = b"+NXT ";

/// A slot's place at the consumer of a rule.
pub(super) struct Feed {
    pub rule: Arc<Served>,
    client: Client,
    context: Context,
    inbox: Subject,
    answers: Subscriber,
    /// Tasks that came while another answer was waited for.
    early: VecDeque<Message>,
    /// An acknowledgement that asked for the next task too, and how long that may take.
    asked: Option<(Acknowledgement, Duration)>,
}

/// The subject by which a task is acknowledged.
pub(super) struct Acknowledgement(Subject);

/// A message to the inbox.
enum Answer {
    Task(Box<Message>),
    /// No task is there, or came in time.
    Nothing,
    /// The consumer gives none now.
    Refused,
    /// A task is acknowledged.
    Acknowledged,
    /// No server took the question.
    Unheard,
}

impl Feed {
    pub async fn open(host: &Host, rule: Arc<Served>) -> Result<Self, SubscribeError> {
        let (client, context) = (host.client.clone(), host.context.clone());
        let inbox = Subject::from(client.new_inbox());
        let answers = client.subscribe(inbox.clone()).await?;
        Ok(Self { rule, client, context, inbox, answers, early: VecDeque::new(), asked: None })
    }

    /// The next task, where one comes in time, or is there.
    pub async fn next(&mut self, wait: Option<Duration>) -> Option<Message> {
        if let Some((acknowledgement, wait)) = self.asked.take() {
            return match self.task(wait).await {
                Ok(task) => task,
                Err(Unanswered) => {
                    self.acknowledge(&acknowledgement).await;
                    None
                }
            };
        }
        // What came after its time was over is a task like any other.
        while let Some(message) = self.answers.next().now_or_never() {
            if let Answer::Task(task) = self.read(message?) {
                self.early.push_back(*task);
            }
        }
        if let Some(task) = self.early.pop_front() {
            return Some(task);
        }
        if let Err(error) = self.rule.tasks.request_batch(question(wait), self.inbox.clone()).await {
            tracing::debug!(%error, "tasks are asked for again");
            sleep(AGAIN).await;
            return None;
        }
        match self.task(wait.unwrap_or_default()).await {
            Ok(task) => task,
            Err(Unanswered) => {
                sleep(AGAIN).await;
                None
            }
        }
    }

    /// Acknowledges a task and asks for the next one, for which the caller calls [`next`](Self::next).
    pub async fn acknowledge_and_ask(&mut self, acknowledgement: Acknowledgement, wait: Duration) {
        let question = serde_json::to_vec(&question(Some(wait))).unwrap_or_default();
        let message = Bytes::from([ACKNOWLEDGE_AND_ASK, &question].concat());
        match self.client.publish_with_reply(acknowledgement.0.clone(), self.inbox.clone(), message).await {
            Ok(()) => self.asked = Some((acknowledgement, wait)),
            Err(error) => {
                tracing::debug!(%error, "task not acknowledged, tried again");
                self.acknowledge(&acknowledgement).await;
            }
        }
    }

    /// Acknowledged by NATS in turn: a lost acknowledgement would have the task run again.
    pub async fn acknowledge(&mut self, acknowledgement: &Acknowledgement) {
        for _ in 0..ACKNOWLEDGEMENTS {
            let (subject, inbox) = (acknowledgement.0.clone(), self.inbox.clone());
            match self.client.publish_with_reply(subject, inbox, AckKind::Ack.into()).await {
                Ok(()) if self.is_acknowledged().await => return,
                Ok(()) => tracing::debug!("task not acknowledged in time, tried again"),
                Err(error) => tracing::debug!(%error, "task not acknowledged, tried again"),
            }
            sleep(AGAIN).await;
        }
    }

    async fn is_acknowledged(&mut self) -> bool {
        let until = Instant::now() + REQUEST;
        loop {
            match self.answer(until).await {
                Some(Answer::Acknowledged) => return true,
                Some(Answer::Task(task)) => self.early.push_back(*task),
                // Of a question before.
                Some(Answer::Nothing | Answer::Refused) => {}
                Some(Answer::Unheard) | None => return false,
            }
        }
    }

    /// The answer to a question for a task.
    async fn task(&mut self, wait: Duration) -> Result<Option<Message>, Unanswered> {
        // A server that ends in the middle of an answer sends no end of it.
        let until = Instant::now() + wait + MARGIN;
        loop {
            match self.answer(until).await {
                Some(Answer::Task(task)) => return Ok(Some(*task)),
                Some(Answer::Nothing) => return Ok(None),
                Some(Answer::Refused) => {
                    sleep(AGAIN).await;
                    return Ok(None);
                }
                // Of an acknowledgement that was sent twice.
                Some(Answer::Acknowledged) => {}
                Some(Answer::Unheard) | None => return Err(Unanswered),
            }
        }
    }

    async fn answer(&mut self, until: Instant) -> Option<Answer> {
        let message = timeout_at(until, self.answers.next()).await.ok()??;
        Some(self.read(message))
    }

    fn read(&self, message: async_nats::Message) -> Answer {
        match message.status {
            None if message.reply.is_some() => {
                Answer::Task(Box::new(Message { message, context: self.context.clone() }))
            }
            None => Answer::Acknowledged,
            Some(StatusCode::NOT_FOUND | StatusCode::TIMEOUT) => Answer::Nothing,
            Some(StatusCode::NO_RESPONDERS) => Answer::Unheard,
            Some(status) => {
                tracing::debug!(%status, "no task is given now");
                Answer::Refused
            }
        }
    }
}

/// No server answered in time.
struct Unanswered;

/// A question for one task.
fn question(wait: Option<Duration>) -> BatchConfig {
    BatchConfig { batch: 1, expires: wait, no_wait: wait.is_none(), ..BatchConfig::default() }
}

/// A task's bytes, with the means to report progress or to pass it on, and to acknowledge it.
pub(super) fn split(message: Message) -> (Bytes, Acker, Acknowledgement) {
    let acknowledgement = Acknowledgement(message.reply.clone().unwrap_or_else(|| Subject::from_static("")));
    let (message, acker) = message.split();
    (message.payload, acker, acknowledgement)
}
