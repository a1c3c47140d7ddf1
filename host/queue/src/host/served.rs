//! The rules that a host serves: fetched by their content id, compiled in a confined process, and of the coordinator's identity.

use std::{collections::HashMap, sync::Arc};

use alloy_primitives::B256;
use async_nats::jetstream::consumer::{PullConsumer, pull};
use refiner_diagnostics::ErrorChain;
use refiner_evm::ExecutionPolicy;
use refiner_rule_model::{Limits, Params, RuleIdentity};
use refiner_rule_package::{Found, RuleError, builtin};
use refiner_specimen::sha256;
use refiner_text::UntrustedText;
use refiner_worker::{CompileError, CompiledRule, Pool, PoolConfig, PoolError};
use tokio::time::sleep;

use super::Host;
use crate::{
    QueueError,
    declare::RULES,
    limits::{LOOK, REFUSAL_BYTES_MAX},
    message::{Message as _, MessageError, Refuses, RuleRecord, Rules},
    names::{Generation, consumer},
    origins::Unfetched,
};

/// A rule that is ready, with the consumer of its tasks.
#[derive(Clone)]
pub(super) struct Served {
    pub record: RuleRecord,
    pub compiled: Arc<CompiledRule>,
    pub params: Params,
    pub limits: Limits,
    pub pool: Arc<Pool>,
    pub tasks: PullConsumer,
}

/// The rules of a coordinator, as far as this host has them.
#[derive(Default)]
pub(super) struct Serving {
    pub rules: Vec<Arc<Served>>,
    pub refuses: Vec<Refuses>,
}

/// Reasons for which a host does not serve a rule.
#[derive(Debug, thiserror::Error)]
enum NotServed {
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error("the component was not fetched")]
    Fetch(#[from] Unfetched),
    #[error("the component has sha256 {found:x}, stated was {stated:x}")]
    Digest { stated: B256, found: B256 },
    #[error(transparent)]
    Rule(#[from] RuleError),
    #[error("the coordinator grants more than --rule-limit permits here")]
    OverCeiling,
    #[error(transparent)]
    Compile(Box<CompileError>),
    #[error("this build computes identity {here:x}, and the coordinator's is {theirs:x}: the builds differ")]
    Identity { here: B256, theirs: B256 },
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("no consumer of its tasks: {0}")]
    Consumer(#[source] QueueError),
    #[error("the thread that compiles ended")]
    Panicked,
}

impl NotServed {
    /// True where a later look may find it otherwise.
    const fn is_passing(&self) -> bool {
        matches!(self, Self::Fetch(_) | Self::Consumer(_) | Self::Pool(_) | Self::Panicked)
    }
}

/// A rule of the coordinator on this host.
enum Known {
    Served(Arc<Served>),
    /// It will not be served, however often it is looked at: its identity names everything that this depends on.
    Refused(Refuses),
    /// A later look may find it otherwise.
    Missed(Refuses),
}

impl Known {
    const fn refuses(&self) -> Option<&Refuses> {
        match self {
            Self::Served(_) => None,
            Self::Refused(refuses) | Self::Missed(refuses) => Some(refuses),
        }
    }

    /// The end of a try, after the one before.
    fn of(tried: Result<Served, NotServed>, record: &RuleRecord, before: Option<&Self>) -> Self {
        let error = match tried {
            Ok(served) => {
                tracing::info!(rule = record.name, identity = %record.identity, "rule served");
                return Self::Served(Arc::new(served));
            }
            Err(error) => error,
        };
        let (whole, passing) = (ErrorChain(&error).to_string(), error.is_passing());
        let rule = UntrustedText::at_most(&record.name, 100);
        let reason = UntrustedText::at_most(&whole, REFUSAL_BYTES_MAX).to_string();
        if before.and_then(Self::refuses).is_none_or(|before| before.reason != reason) {
            tracing::error!(%rule, reason = %whole, passing, "rule not served, its tasks go to other hosts");
        }
        let refuses = Refuses { rule: rule.to_string(), reason };
        if passing { Self::Missed(refuses) } else { Self::Refused(refuses) }
    }
}

/// Loads rules as the coordinator names them, for as long as the host works.
pub(super) async fn follow(host: Arc<Host>) {
    let mut known: HashMap<B256, Known> = HashMap::new();
    let mut pools: Vec<(ExecutionPolicy, Arc<Pool>)> = Vec::new();
    let mut is_unreadable = false;
    loop {
        match rules(&host).await {
            Ok(Some(Rules { generation, rules, .. })) => {
                is_unreadable = false;
                known.retain(|identity, _| rules.iter().any(|rule| rule.identity == *identity));
                for rule in &rules {
                    let before = known.get(&rule.identity);
                    let now = match before {
                        Some(Known::Served(served)) => again(&host, served, &generation).await,
                        Some(Known::Refused(_)) => None,
                        Some(Known::Missed(_)) | None => {
                            let tried = load(&host, rule, &generation, &mut pools).await;
                            Some(Known::of(tried, rule, before))
                        }
                    };
                    known.extend(now.map(|now| (rule.identity, now)));
                }
                publish(&host, &known);
            }
            Ok(None) => {}
            Err(error) if error.is_passing() => {
                tracing::debug!(error = %ErrorChain(&error), "rules are asked for again");
            }
            // A coordinator of another release: nothing is served, and the log names the reason.
            Err(error) if !is_unreadable => {
                is_unreadable = true;
                tracing::error!(error = %ErrorChain(&error), "rules of the coordinator cannot be read, nothing is served");
            }
            Err(_) => {}
        }
        sleep(if known.is_empty() { LOOK / 5 } else { LOOK }).await;
    }
}

fn publish(host: &Host, known: &HashMap<B256, Known>) {
    let served = |known: &Known| match known {
        Known::Served(served) => Some(Arc::clone(served)),
        Known::Refused(_) | Known::Missed(_) => None,
    };
    let rules: Vec<_> = known.values().filter_map(served).collect();
    let refuses: Vec<_> = known.values().filter_map(Known::refuses).cloned().collect();
    let before = Arc::clone(&host.serving.borrow());
    if before.rules.len() != rules.len() || before.refuses != refuses || rules.iter().any(|rule| !before.has(rule)) {
        host.serving.send_replace(Arc::new(Serving { rules, refuses }));
    }
}

impl Serving {
    fn has(&self, rule: &Arc<Served>) -> bool {
        self.rules.iter().any(|other| Arc::ptr_eq(other, rule))
    }
}

/// The rule with the consumer of its tasks in a stream that was made anew; `None` where it has that one, or there is none yet.
async fn again(host: &Host, served: &Served, generation: &Generation) -> Option<Known> {
    let name = consumer(&served.record.identity, generation);
    if served.tasks.cached_info().name == name {
        return None;
    }
    match tasks(host, &name).await {
        Ok(tasks) => Some(Known::Served(Arc::new(Served { tasks, ..served.clone() }))),
        Err(error) => {
            tracing::debug!(error = %ErrorChain(&error), "consumer of a new stream is looked for again");
            None
        }
    }
}

/// The rules of the coordinator; `None` before it published any.
async fn rules(host: &Host) -> Result<Option<Rules>, QueueError> {
    let store = host.context.get_key_value(host.queue.bucket()).await.map_err(QueueError::of("opening the bucket"))?;
    let value = store.get(RULES).await.map_err(QueueError::of("reading the rules"))?;
    Ok(value.map(|value| Rules::read(&value)).transpose()?)
}

async fn load(
    host: &Arc<Host>,
    record: &RuleRecord,
    generation: &Generation,
    pools: &mut Vec<(ExecutionPolicy, Arc<Pool>)>,
) -> Result<Served, NotServed> {
    let (limits, params, policy) = (record.limits()?, record.params(), record.terms.policy()?);
    let component = component(host, record).await?;
    let (compiling, stated) = (Arc::clone(host), record.clone());
    let compiled = tokio::task::spawn_blocking(move || compile(&compiling, &stated, component, &limits));
    let compiled = compiled.await.map_err(|_| NotServed::Panicked)??;
    let here =
        RuleIdentity::of(compiled.digest(), compiled.manifest(), &params, &limits, &record.terms.execution()?).digest();
    if here != record.identity {
        return Err(NotServed::Identity { here, theirs: record.identity });
    }
    let tasks = tasks(host, &consumer(&record.identity, generation)).await.map_err(NotServed::Consumer)?;
    let pool = match pools.iter().find(|(other, _)| *other == policy) {
        Some((_, pool)) => Arc::clone(pool),
        None => {
            let chains = host.settings.chains.clone();
            let pool = Arc::new(Pool::new(PoolConfig { chains, policy, ..PoolConfig::new(host.settings.workers) })?);
            pools.push((policy, Arc::clone(&pool)));
            pool
        }
    };
    let compiled = Arc::new(compiled);
    pool.share(&compiled, limits);
    Ok(Served { record: record.clone(), compiled, params, limits, pool, tasks })
}

/// The component's bytes: of this program, or by their id from a permitted origin.
async fn component(host: &Host, record: &RuleRecord) -> Result<(Vec<u8>, bool), NotServed> {
    let own = builtin::RULES.iter().find(|(_, component)| sha256(component) == record.digest);
    if let Some((_, component)) = own {
        return Ok((component.to_vec(), true));
    }
    let room = usize::try_from(record.bytes).unwrap_or(usize::MAX);
    let content = host.settings.origins.fetch(&host.settings.origins.bases(), &record.component_id()?, room).await?;
    let found = sha256(content.bytes());
    if found != record.digest {
        return Err(NotServed::Digest { stated: record.digest, found });
    }
    Ok((content.bytes().to_vec(), false))
}

fn compile(
    host: &Host,
    record: &RuleRecord,
    (component, built_in): (Vec<u8>, bool),
    limits: &Limits,
) -> Result<CompiledRule, NotServed> {
    let found =
        Found { called: record.name.clone(), component, beside: record.beside.clone(), looked_for: None, built_in };
    let grants = host.loader.allowance().grants(&found).map_err(RuleError::from)?;
    if limits.within(&grants.limits) != *limits {
        return Err(NotServed::OverCeiling);
    }
    host.loader.compile_granted(found, &grants).map_err(|error| match error {
        // The rule's name stands beside the reason already.
        RuleError::Compile { source, .. } => NotServed::Compile(source),
        error => NotServed::Rule(error),
    })
}

async fn tasks(host: &Host, consumer: &str) -> Result<PullConsumer, QueueError> {
    let stream = host.context.get_stream_no_info(host.queue.tasks()).await;
    let stream = stream.map_err(QueueError::of("looking at the tasks"))?;
    let found = stream.get_consumer::<pull::Config>(consumer).await;
    found.map_err(|source| QueueError::JetStream { doing: "looking at a consumer", source })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn rule_that_cannot_be_served_is_tried_once_and_one_that_was_not_reached_again() {
        let record = RuleRecord {
            name: "logs".to_owned(),
            identity: B256::ZERO,
            digest: B256::ZERO,
            cid: String::new(),
            bytes: 0,
            beside: None,
            params: BTreeMap::new(),
            limits: BTreeMap::new(),
            terms: ExecutionPolicy::default().into(),
        };
        let [here, theirs] = [B256::ZERO, B256::repeat_byte(1)];
        for (error, is_settled) in [
            (NotServed::Identity { here, theirs }, true),
            (NotServed::OverCeiling, true),
            (NotServed::Fetch(Unfetched::Nowhere), false),
            (NotServed::Panicked, false),
        ] {
            let reason = error.to_string();
            let known = Known::of(Err(error), &record, None);
            assert_eq!(matches!(known, Known::Refused(_)), is_settled, "{reason}");
            assert_eq!(known.refuses().map(|refuses| refuses.rule.as_str()), Some("logs"));
        }
    }
}
