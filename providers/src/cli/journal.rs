//! `wci-controller journal`: what `wci replay` and the browser read.

use super::{Failed, VersionArgs, reach};
use crate::controller::Client;
use crate::controller::connect::ConnectionArgs;
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::journal::Histories;
use clap::Args;
use std::io::{BufWriter, stdout};

#[derive(Args)]
pub(super) struct JournalArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// Go on with what is yet to come, until the controller is deleted
    #[arg(long)]
    follow: bool,
}

pub(super) async fn write(connection: &ConnectionArgs, args: JournalArgs) -> Result<(), Failed> {
    let client = Client::new(reach(connection).await?, DEFAULT_TASK_QUEUE);
    let version = args.version.version();
    Ok(Histories::of(&client, &version).write(BufWriter::new(stdout()), args.follow).await?)
}
