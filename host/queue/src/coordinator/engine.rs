//! The coordinator at work: connected, leased, declared; then results, hosts and a look at the streams, until it is stopped.

use std::{future::Future, sync::atomic::Ordering, time::Duration};

use async_nats::{
    Client,
    jetstream::{Context, kv::Store, stream::StorageType},
};
use futures_util::StreamExt as _;
use refiner_diagnostics::ErrorChain;
use refiner_text::UntrustedText;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{Coordinator, Link, Shared, lock};
use crate::{
    QueueError, connection,
    declare::{self, Declared},
    lease::Lease,
    limits::{AGAIN, LEASE_RENEWAL, LOOK},
    message::Heartbeat,
};

/// Results taken at once.
const RESULTS_AT_ONCE: usize = 64;
/// Time of one question for results.
const RESULTS_WAIT: Duration = Duration::from_secs(5);
/// Time for the removal of the streams.
const REMOVAL: Duration = Duration::from_secs(10);
/// Time between two looks at the connection.
const CONNECTION_LOOK: Duration = Duration::from_millis(100);

impl Coordinator {
    /// Works until `stop`, or until it must not go on.
    ///
    /// # Errors
    ///
    /// [`QueueError`] where another coordinator holds the queue, or streams there are of other settings.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), QueueError> {
        let shared = &*self.0;
        let queue = shared.settings.queue;
        let client = shared.settings.connection.client(&format!("refiner coordinator {queue}"), None).await?;
        let worked = async {
            let opened = tokio::select! {
                opened = shared.open(&client) => opened?,
                // There is nothing to give back yet.
                () = stop.cancelled() => return Ok(()),
            };
            let (context, store, lease) = opened;
            tracing::info!(%queue, "lease of the queue taken");
            Box::pin(shared.work(&client, &context, &store, lease, &stop)).await
        };
        tokio::select! {
            ended = worked => ended,
            never = shared.watch(&client) => never,
        }
    }
}

impl Shared {
    /// Connects, and takes the lease.
    async fn open(&self, client: &Client) -> Result<(Context, Store, Lease), QueueError> {
        connection::connected(client).await;
        let (context, queue) = (connection::streams(client)?, self.settings.queue);
        let store = self.again(|| declare::open_bucket(&context, queue)).await?;
        let lease = if self.settings.starts_anew {
            let lease = self.again(|| Lease::take_over(&store)).await?;
            self.again(|| declare::drop_tasks(&context, queue)).await?;
            lease
        } else {
            self.again(|| Lease::take(&store, queue)).await?
        };
        let _ = self.holder.set(lease.holder().to_owned());
        Ok((context, store, lease))
    }

    async fn work(
        &self,
        client: &Client,
        context: &Context,
        store: &Store,
        mut lease: Lease,
        stop: &CancellationToken,
    ) -> Result<(), QueueError> {
        let ended = tokio::select! {
            ended = self.renew(&mut lease, store) => ended,
            ended = self.look(context) => ended,
            () = self.receive() => Ok(()),
            () = self.follow_hosts(client) => Ok(()),
            () = stop.cancelled() => Ok(()),
        };
        if ended.is_ok() && self.is_finished.load(Ordering::Relaxed) {
            // The lease goes with its bucket.
            self.removed(context).await;
        } else if ended.is_ok() {
            lease.give_back(store).await;
        }
        ended
    }

    async fn removed(&self, context: &Context) {
        let queue = self.settings.queue;
        let removed = timeout(REMOVAL, self.again(|| declare::remove(context, queue))).await;
        match removed {
            Ok(Ok(())) => {
                self.is_removed.store(true, Ordering::Relaxed);
                tracing::info!(%queue, "streams of the queue removed");
            }
            Ok(Err(error)) => tracing::warn!(%queue, error = %ErrorChain(&error), "streams of the queue not removed"),
            Err(_) => tracing::warn!(%queue, "streams of the queue not removed: NATS does not answer"),
        }
    }

    /// Does it again while NATS has no answer, as through an election, and names that in the meantime.
    async fn again<T, F>(&self, mut act: impl FnMut() -> F) -> Result<T, QueueError>
    where
        F: Future<Output = Result<T, QueueError>>,
    {
        loop {
            match act().await {
                Err(error) if error.is_passing() => {
                    self.declarations.failed(&error, *self.is_connected.borrow());
                    let what = UntrustedText::new(&ErrorChain(&error).to_string());
                    tracing::debug!(error = %what, "NATS is asked again");
                    self.link.send_if_modified(|link| match link {
                        Link::Opening(before) => {
                            *before = what;
                            true
                        }
                        Link::Ready { .. } => false,
                    });
                    sleep(AGAIN).await;
                }
                done => {
                    self.declarations.succeeded();
                    return done;
                }
            }
        }
    }

    /// Tells whether the connection stands, as long as the coordinator works.
    async fn watch(&self, client: &Client) -> Result<(), QueueError> {
        loop {
            let now = connection::is_connected(client);
            let changed = self.is_connected.send_if_modified(|before| std::mem::replace(before, now) != now);
            if changed && now {
                tracing::info!("NATS connected");
            } else if changed {
                tracing::warn!("NATS does not answer, all work is kept");
            }
            sleep(CONNECTION_LOOK).await;
        }
    }

    async fn renew(&self, lease: &mut Lease, store: &Store) -> Result<(), QueueError> {
        loop {
            sleep(LEASE_RENEWAL).await;
            match lease.renew(store, self.settings.queue).await {
                Err(error) if error.is_passing() => {
                    self.renewals.failed(&error, *self.is_connected.borrow());
                    tracing::debug!(error = %ErrorChain(&error), "lease not renewed, tried again");
                }
                renewed => {
                    renewed?;
                    self.renewals.succeeded();
                }
            }
        }
    }

    /// Compares the streams again and again: servers may have lost all they had, and are given it anew.
    async fn look(&self, context: &Context) -> Result<(), QueueError> {
        let mut generation = 0;
        let rules: Vec<_> = self.settings.rules.iter().map(|(rule, _)| rule.clone()).collect();
        // What servers lose is computed again where there is no journal, and a file costs them as much again as the message.
        let storage = if self.settings.starts_anew { StorageType::Memory } else { StorageType::File };
        loop {
            let declare = || declare::declare(context, self.settings.queue, &rules, self.settings.ack_wait, storage);
            let declared = self.again(declare).await?;
            let was_ready = matches!(*self.link.borrow(), Link::Ready { .. });
            if declared.is_new && was_ready {
                tracing::warn!("streams were gone and are made anew, tasks are published again");
                generation += 1;
            }
            self.measure(&declared).await;
            if !was_ready || declared.is_new {
                self.link.send_replace(Link::Ready { context: context.clone(), declared, generation });
            }
            sleep(LOOK).await;
        }
    }

    async fn measure(&self, declared: &Declared) {
        if let Ok(info) = declared.tasks.get_info().await {
            self.counters.depth.store(info.state.messages, Ordering::Relaxed);
        }
        lock(&self.hosts).forget();
    }

    /// Takes results and hands each to the task that waits for it.
    async fn receive(&self) {
        loop {
            let (_, declared, _) = self.streams().await;
            let batch = declared.results.batch().max_messages(RESULTS_AT_ONCE).expires(RESULTS_WAIT).messages().await;
            let mut batch = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::debug!(%error, "results are asked for again");
                    sleep(AGAIN).await;
                    continue;
                }
            };
            // A server that ends in the middle of an answer sends no end of it.
            while let Ok(Some(next)) = timeout(RESULTS_WAIT * 2, batch.next()).await {
                match next {
                    Ok(message) => self.arrived(message).await,
                    Err(error) => {
                        tracing::debug!(%error, "results are asked for again");
                        sleep(AGAIN).await;
                        break;
                    }
                }
            }
        }
    }

    async fn follow_hosts(&self, client: &Client) {
        let queue = self.settings.queue;
        let mut heartbeats = loop {
            match client.subscribe(queue.all_hosts()).await {
                Ok(heartbeats) => break heartbeats,
                Err(error) => {
                    tracing::debug!(%error, "heartbeats of hosts are asked for again");
                    sleep(AGAIN).await;
                }
            }
        };
        if let Err(error) = client.publish(queue.roll_call(), Vec::new().into()).await {
            tracing::debug!(%error, "hosts were not called, they come by themselves");
        }
        while let Some(message) = heartbeats.next().await {
            match Heartbeat::read_from(&message.subject, &message.payload) {
                Ok(heartbeat) => lock(&self.hosts).seen(heartbeat, &self.settings.origins),
                Err(error) => {
                    self.count(|counters| &counters.refused_messages);
                    let subject = UntrustedText::new(&message.subject);
                    tracing::warn!(%subject, error = %ErrorChain(&error), "heartbeat refused");
                }
            }
        }
        // Only this coordinator closes the client, and then it waits to be stopped.
        std::future::pending::<()>().await;
    }
}
