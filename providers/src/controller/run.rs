//! The worker that serves controllers: one for the workflow and its calls, one for the paced reads.

use super::activities::{self, Activities};
use super::confirmed::HistoryLength;
use super::fast_poll::{FastPoll, FastPollWorkflow, life};
use super::gone;
use super::host::LiveHost;
use super::pace::Pace;
use super::statistics::{READS_PER_SECOND, Statistics, task_queue};
use super::stuck;
use super::workflow::InstanceWorkflow;
use crate::error::chain;
use futures::future::{Either, select};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use temporalio_client::Client;
use temporalio_sdk::{Runtime, Worker, WorkerOptions};
use tokio::sync::watch;
use tokio::time::timeout;

const TAKEOVER: Duration = Duration::from_secs(2);
/// How long a stop waits for reads once nothing else is under way: a server may hold a stopping poller for half a
/// minute, and a read that is given up is made again by another process.
const READS_END: Duration = Duration::from_secs(2);

/// What a process serves.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Our own task queue.
    pub task_queue: String,
    /// Whether to signal what the server's hook would: for servers without it.
    pub fast_poll: bool,
    /// How long a stop waits for calls under way.
    pub grace: Duration,
}

/// Serves the controllers of the client's namespace until `stop` ends.
///
/// # Errors
/// When the server refuses the workers.
pub async fn run(
    client: Client,
    host: Arc<LiveHost>,
    options: RunOptions,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let wrong = |e: &(dyn std::error::Error + 'static)| format!("the worker: {}", chain(e));
    let runtime = Runtime::from_current_tokio(Default::default()).map_err(|e| wrong(&e))?;
    let own = super::Client::new(client.clone(), options.task_queue.clone());
    let (told, stopping) = watch::channel(false);
    let ours = host.clone();
    let controllers = WorkerOptions::new(options.task_queue.clone())
        .register_workflow::<InstanceWorkflow>()
        .map_err(|e| wrong(&e))?
        .register_workflow::<FastPollWorkflow>()
        .map_err(|e| wrong(&e))?
        .register_activities(FastPoll {
            client: own.clone(),
            task_queue: options.task_queue.clone(),
            stopping,
        })
        .register_activities(Activities {
            host,
            client: client.clone(),
            pace: Pace::a_second(activities::READS_PER_SECOND),
        })
        .workflow_interceptor(HistoryLength::teller())
        // How long work waits for a process that has died before another one takes it.
        .sticky_queue_schedule_to_start_timeout(TAKEOVER)
        .graceful_shutdown_period(options.grace)
        .build();
    let statistics = WorkerOptions::new(task_queue(&options.task_queue))
        .register_activities(Statistics { client: client.clone() })
        .max_task_queue_activities_per_second(READS_PER_SECOND)
        .graceful_shutdown_period(options.grace)
        .build();
    fast_poll(&own, &options).await?;
    let mut controllers = Worker::new(&runtime, client.clone(), controllers).map_err(|e| wrong(&e))?;
    let mut statistics = Worker::new(&runtime, client, statistics).map_err(|e| wrong(&e))?;
    let (stop_controllers, stop_statistics) = (controllers.shutdown_handle(), statistics.shutdown_handle());
    let stopping = async {
        stop.await;
        told.send_replace(true);
        tracing::info!("stopping: calls under way may end, nothing new is begun");
        stop_controllers();
        stop_statistics();
        std::future::pending::<()>().await
    };
    let (serving, reading) = (pin!(controllers.run()), pin!(statistics.run()));
    tokio::select! {
        served = both(serving, reading) => served.map_err(|e| wrong(&e)),
        () = stopping => Ok(()),
        () = stuck::look(&own, &ours.metrics) => Ok(()),
        () = gone::look(&own, &ours) => Ok(()),
    }
}

/// Starts it where that is wanted. Where it runs without having been asked for, somebody else has started it, or this
/// process was once told to: only its own command stops it.
async fn fast_poll(client: &super::Client, options: &RunOptions) -> Result<(), String> {
    if options.fast_poll {
        return life::start(client.temporal(), &options.task_queue).await;
    }
    match life::find(client, &options.task_queue).await {
        Ok(None) => {}
        Ok(Some(_)) => tracing::info!("fast-poll runs for this task queue; `fast-poll stop` ends it"),
        Err(e) => tracing::warn!(error = %e, "whether fast-poll runs is not known"),
    }
    Ok(())
}

/// Until the first failure, or until both have ended: the controllers in their own time, the reads soon after.
async fn both<E>(
    controllers: Pin<&mut impl Future<Output = Result<(), E>>>,
    reads: Pin<&mut impl Future<Output = Result<(), E>>>,
) -> Result<(), E> {
    match select(controllers, reads).await {
        Either::Left((served, reads)) => served.and(timeout(READS_END, reads).await.unwrap_or(Ok(()))),
        Either::Right((Ok(()), controllers)) => controllers.await,
        Either::Right((failed, _)) => failed,
    }
}
