//! A reply to several questions.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    RpcError,
    answer::Answer,
    batch::{Question, Taken},
    reply::Reply,
};

/// One answer of several, which may come in any order.
#[derive(Deserialize)]
struct Numbered {
    id: usize,
    #[serde(flatten)]
    answer: Answer<Value>,
}

impl Reply {
    pub(super) fn many<T: DeserializeOwned>(mut self, questions: &[Question]) -> Result<Taken<T>, RpcError> {
        // Too many requests, or a node that is not well: nothing to do with their number.
        if self.is_later() || self.is_unusable() || self.status.is_server_error() {
            return Err(self.refused_by_status());
        }
        let Ok(numbered) = serde_json::from_slice::<Vec<Numbered>>(&self.bytes) else {
            return match self.one::<Value>() {
                Err(error) if error.is_transient() => Err(error),
                // A refusal in JSON, or by a status of its own, is about the number of questions.
                Err(error @ RpcError::Malformed { envelope: true, .. }) => Err(error),
                _ => Ok(Taken::No),
            };
        };
        let mut answers: Vec<Option<Result<T, RpcError>>> = questions.iter().map(|_| None).collect();
        for Numbered { id, answer } in numbered {
            let (Some(question), Some(place)) = (questions.get(id), answers.get_mut(id)) else { continue };
            self.method = question.method;
            let answer = self
                .answered(answer)
                .and_then(|value| serde_json::from_value(value).map_err(|source| self.malformed(false, &source)));
            *place = Some(answer);
        }
        Ok(Taken::Answers(answers))
    }
}
