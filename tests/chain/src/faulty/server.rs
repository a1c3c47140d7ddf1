//! The proxy's HTTP side: from a request to faults or to the node.

use std::future;

use alloy_primitives::{Bytes, keccak256};
use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Fault, Plan, Playing, Question, Request, open};

#[derive(Clone)]
pub(super) struct Proxy {
    pub upstream: String,
    pub http: reqwest::Client,
    pub plan: Plan,
}

/// The outcome of a question: an answer among others, or a fate of the whole request.
enum Outcome {
    Answer(Value),
    Response(Response),
}

pub(super) async fn serve(listener: TcpListener, proxy: Proxy) {
    // Ends when it is aborted.
    let _ = axum::serve(listener, Router::new().fallback(answer).with_state(proxy)).await;
}

async fn answer(State(proxy): State<Proxy>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let (request, behaviours) = open(&proxy.plan).arrived(&body);
    match body {
        Value::Array(questions) => {
            if let Some(refusal) = open(&proxy.plan).refuse_together(questions.len()) {
                return in_json(&refusal);
            }
            if open(&proxy.plan).tires.is_some_and(|most| questions.len() > most) {
                return StatusCode::TOO_MANY_REQUESTS.into_response();
            }
            let mut answers = Vec::with_capacity(questions.len());
            for question in questions {
                match proxy.outcome(&request, &behaviours, &question).await {
                    Outcome::Answer(answer) => answers.push(answer),
                    Outcome::Response(response) => return response,
                }
            }
            in_json(&answers.into())
        }
        question => match proxy.outcome(&request, &behaviours, &question).await {
            Outcome::Answer(answer) => in_json(&answer),
            Outcome::Response(response) => response,
        },
    }
}

impl Playing {
    fn fault(&self, request: &Request, question: &Question<'_>) -> Option<Fault> {
        let fault = self.behaviour.fault(request, question)?;
        if self.behaviour.shows_in(&fault) {
            self.met.count();
        }
        Some(fault)
    }

    fn answer(&self, request: &Request, question: &Question<'_>, answer: &mut Value) {
        let before = answer.clone();
        self.behaviour.answer(request, question, answer);
        if *answer != before {
            self.met.count();
        }
    }
}

impl Proxy {
    async fn outcome(&self, request: &Request, behaviours: &[Playing], question: &Value) -> Outcome {
        let asked = Question(question);
        let planned = open(&self.plan).next(&asked);
        let fault = planned.or_else(|| behaviours.iter().find_map(|playing| playing.fault(request, &asked)));
        let mut outcome = self.meet(fault, question).await;
        if let Outcome::Answer(answer) = &mut outcome {
            behaviours.iter().for_each(|playing| playing.answer(request, &asked, answer));
        }
        outcome
    }

    async fn meet(&self, fault: Option<Fault>, question: &Value) -> Outcome {
        let id = question["id"].clone();
        let refusal = |code: i64, message: String| {
            Outcome::Answer(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
        };
        let result = |result: Value| Outcome::Answer(json!({"jsonrpc": "2.0", "id": id, "result": result}));
        match fault {
            None => self.forward(question).await,
            Some(Fault::Status(status)) => Outcome::Response(status_of(status).into_response()),
            Some(Fault::Page { status, headers, body }) => Outcome::Response(page(status, headers, body)),
            Some(Fault::Refuse { code, message } | Fault::LongestRange { code, message, .. }) => refusal(code, message),
            Some(Fault::Answer(answer)) => result(answer),
            Some(Fault::Bytes(bytes)) => Outcome::Response(bytes.into_response()),
            Some(Fault::Hang) => future::pending().await,
            Some(Fault::Deaf) => {
                self.forward(question).await;
                future::pending().await
            }
            Some(Fault::Swallow) => result(hash_of(question)),
        }
    }

    async fn forward(&self, question: &Value) -> Outcome {
        let answer = match self.http.post(&self.upstream).json(question).send().await {
            Ok(response) => response.json().await,
            Err(error) => Err(error),
        };
        answer.map_or_else(|_| Outcome::Response(StatusCode::BAD_GATEWAY.into_response()), Outcome::Answer)
    }
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn page(status: u16, headers: Vec<(String, String)>, body: String) -> Response {
    let mut response = (status_of(status), body).into_response();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn in_json(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn hash_of(question: &Value) -> Value {
    let raw = question["params"][0].as_str().and_then(|text| text.parse::<Bytes>().ok()).unwrap_or_default();
    json!(keccak256(raw))
}
