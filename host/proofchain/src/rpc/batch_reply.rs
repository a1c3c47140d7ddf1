//! A reply to several questions.

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, IgnoredAny},
};
use serde_json::value::RawValue;

use super::{
    RpcError,
    answer::{Answer, WireError},
    batch::Taken,
    bounded::Elements,
    question::Question,
    reply::Reply,
};

/// One answer of several, which may come in any order. Its result is text until the question is known.
#[derive(Deserialize)]
struct Numbered<'a> {
    id: usize,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<WireError>,
}

/// A null is a text here too.
fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The answers that came to one question.
enum Came<T> {
    Nothing,
    One(T),
    /// Several, of which none is believed.
    More,
}

impl Reply {
    /// The answers to several questions. There are at most as many as questions; one without a question is left out, and a question
    /// with two answers has none.
    pub(super) fn many<T: DeserializeOwned>(mut self, questions: &[Question]) -> Result<Taken<T>, RpcError> {
        // Too many requests, or a node that is not well: nothing to do with their number.
        if self.is_later() || self.is_unusable() || self.status.is_server_error() {
            return Err(self.refused_by_status());
        }
        let bytes = std::mem::take(&mut self.bytes);
        let Ok(numbered) = Elements::<Numbered<'_>>::read(&bytes, questions.len()) else {
            self.bytes = bytes;
            return match self.one::<IgnoredAny>() {
                Err(error) if error.is_transient() => Err(error),
                // A refusal in JSON, or by a status of its own, is about the number of questions.
                Err(error @ RpcError::Malformed { envelope: true, .. }) => Err(error),
                _ => Ok(Taken::No),
            };
        };
        if numbered.has_more {
            let reason = format_args!("more than {} answers to {0} questions", questions.len());
            return Err(self.malformed(true, &serde_json::Error::custom(reason)));
        }
        let mut answers: Vec<Came<Result<T, RpcError>>> = questions.iter().map(|_| Came::Nothing).collect();
        for Numbered { id, result, error } in numbered.elements {
            let (Some(question), Some(place)) = (questions.get(id), answers.get_mut(id)) else { continue };
            self.method = question.method;
            *place = match place {
                Came::Nothing => Came::One(self.read_one(result, error)),
                Came::One(_) | Came::More => Came::More,
            };
        }
        let answers = answers.into_iter().map(|came| match came {
            Came::One(answer) => Some(answer),
            Came::Nothing | Came::More => None,
        });
        Ok(Taken::Answers(answers.collect()))
    }

    fn read_one<T: DeserializeOwned>(
        &self,
        result: Option<&RawValue>,
        error: Option<WireError>,
    ) -> Result<T, RpcError> {
        // Beside an error a result counts for nothing.
        let result = result.filter(|_| error.is_none()).map(|result| serde_json::from_str(result.get())).transpose();
        let result = result.map_err(|source| self.malformed(false, &source))?;
        self.answered(Answer { result, error })
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::{Value, json};

    use super::{super::Endpoint, *};

    fn read<T: DeserializeOwned>(text: &str, count: usize) -> Result<Taken<T>, RpcError> {
        let questions: Vec<_> = (0..count).map(|_| Question::new("eth_getBlockByNumber", json!([]))).collect();
        let endpoint = Endpoint::new("http://127.0.0.1:1".parse().unwrap());
        let bytes = text.as_bytes().to_vec();
        Reply { endpoint, method: "eth_getBlockByNumber", status: StatusCode::OK, bytes }.many(&questions)
    }

    /// Numbers of the answers that count.
    fn answered(text: &str, count: usize) -> Vec<Option<u64>> {
        match read(text, count) {
            Ok(Taken::Answers(answers)) => answers.into_iter().map(|answer| answer.and_then(Result::ok)).collect(),
            Ok(Taken::No) => panic!("{text}: taken for a refusal"),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    fn list(ids: impl IntoIterator<Item = usize>) -> String {
        let answers: Vec<_> = ids.into_iter().map(|id| json!({ "id": id, "result": 10 + id % 10 })).collect();
        json!(answers).to_string()
    }

    #[test]
    fn answers_go_to_their_questions_whatever_their_order() {
        assert_eq!(answered(&list([2, 0, 1]), 3), [Some(10), Some(11), Some(12)]);
    }

    #[test]
    fn too_few_answers_leave_their_questions_open() {
        assert_eq!(answered(&list([1]), 3), [None, Some(11), None]);
        assert_eq!(answered("[]", 2), [None, None]);
    }

    #[test]
    fn answer_without_a_question_is_left_out() {
        assert_eq!(answered(&list([1, 7]), 2), [None, Some(11)]);
        assert_eq!(answered(&list([0, usize::MAX]), 2), [Some(10), None]);
    }

    #[test]
    fn question_with_two_answers_has_none() {
        assert_eq!(answered(&list([1, 1]), 2), [None, None]);
        assert_eq!(answered(&list([0, 0, 0, 1]), 4), [None, Some(11), None, None]);
    }

    #[test]
    fn more_answers_than_questions_are_refused_whole() {
        assert_eq!(answered(&list([0, 1]), 2), [Some(10), Some(11)]);
        for more in [list([0, 1, 2]), list([0, 0, 0]), format!("[{}{{}}]", r#"{"id":0,"result":1},"#.repeat(1_000))] {
            let error = read::<u64>(&more, 2).err();
            assert!(matches!(error, Some(RpcError::Malformed { envelope: true, .. })), "{error:?}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        for (levels, is_read) in [(100, true), (200, false), (1_000_000, false)] {
            let list = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
            let Ok(Taken::Answers(answers)) = read::<Value>(&format!(r#"[{{"id":0,"result":{list}}}]"#), 1) else {
                panic!("{levels}: no answers")
            };
            match &answers[..] {
                [Some(Ok(_))] if is_read => {}
                [Some(Err(RpcError::Malformed { envelope: false, .. }))] if !is_read => {}
                other => panic!("{levels}: {other:?}"),
            }
        }
    }

    #[test]
    fn null_is_a_result_and_a_missing_one_is_none() {
        let Ok(Taken::Answers(answers)) = read::<Option<u64>>(r#"[{"id":0,"result":null},{"id":1}]"#, 2) else {
            panic!("no answers")
        };
        assert!(matches!(answers[..], [Some(Ok(None)), Some(Err(RpcError::Malformed { .. }))]), "{answers:?}");
    }
}
