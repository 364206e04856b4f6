//! `wci-controller fast-poll`: starts, shows and stops the reading that stands in for the server's hook.

use super::{Failed, reach};
use crate::controller::Client;
use crate::controller::connect::ConnectionArgs;
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::fast_poll::life;
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(super) enum FastPoll {
    /// Start it, as `run --fast-poll` does; a process that runs carries it out
    Start(QueueArgs),
    /// Say whether it runs, who reads, and the period that is really held; the exit status is 1 if it does not run
    Show(QueueArgs),
    /// Stop it, also while no process runs
    Stop(QueueArgs),
}

#[derive(Args)]
pub(super) struct QueueArgs {
    /// Task queue of the controllers that are signalled
    #[arg(long, default_value = DEFAULT_TASK_QUEUE)]
    task_queue: String,
}

pub(super) async fn run(connection: &ConnectionArgs, command: FastPoll) -> Result<(), Failed> {
    let (FastPoll::Start(args) | FastPoll::Show(args) | FastPoll::Stop(args)) = &command;
    let task_queue = args.task_queue.as_str();
    let client = Client::new(reach(connection).await?, task_queue);
    match &command {
        FastPoll::Start(_) => Ok(life::start(client.temporal(), task_queue).await?),
        FastPoll::Stop(_) => Ok(life::stop(&client, task_queue).await?),
        FastPoll::Show(_) => match life::find(&client, task_queue).await? {
            Some(standing) => super::print(&standing),
            None => Err(Failed::Action(format!("no fast-poll runs for task queue {task_queue}"))),
        },
    }
}
