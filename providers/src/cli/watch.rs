//! `wci-controller watch`: what the controllers see and do, as a table that renews itself.

use super::Failed;
use crate::controller::Client;
use crate::controller::client::Summary;
use crate::controller::connect::ConnectionArgs;
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::journal::Histories;
use crate::controller::{read_queues, sum};
use clap::Args;
use futures::future::join_all;
use std::io::IsTerminal;
use std::time::Duration;
use wci_core::controller::WorkerDeploymentVersion;
use wci_core::decision::Decision;
use wci_core::journal::{JournalReader, Record};
use wci_core::metrics::MetricsSnapshot;

#[derive(Args)]
pub(super) struct WatchArgs {
    /// Seconds between two looks
    #[arg(long, default_value_t = 2.0)]
    every: f64,
    /// Look once and end
    #[arg(long)]
    once: bool,
    /// Only this worker deployment
    #[arg(long, short)]
    deployment_name: Option<String>,
}

/// One line of the table.
struct Row {
    name: String,
    backlog: String,
    rates: String,
    workers: String,
    decision: String,
}

pub(super) async fn watch(connection: &ConnectionArgs, args: WatchArgs) -> Result<(), Failed> {
    let client = Client::new(connection.connect().await?, DEFAULT_TASK_QUEUE);
    loop {
        let mut all = client.list_all().await?;
        all.retain(|one| args.deployment_name.as_ref().is_none_or(|name| one.deployment_name == *name));
        let rows = join_all(all.iter().map(|summary| look(&client, summary))).await;
        if !args.once && std::io::stdout().is_terminal() {
            print!("\x1b[H\x1b[2J");
        }
        show(&rows);
        if args.once {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs_f64(args.every.clamp(0.2, 3600.0))).await;
    }
}

async fn look(client: &Client, summary: &Summary) -> Row {
    let version = WorkerDeploymentVersion {
        deployment_name: summary.deployment_name.clone(),
        build_id: summary.build_id.clone(),
    };
    let statistics = read_queues(client.temporal(), &version, true).await.map(|queues| sum(&queues));
    let (backlog, rates) = statistics.map_or_else(|_| ("-".into(), "-".into()), |s| figures(&s));
    let state = client.dump(&version).await.ok();
    let workers = state.map_or_else(String::new, |state| {
        let counts = state.scaling_state.values().filter_map(|s| s.get("worker_count"));
        counts.map(ToString::to_string).collect::<Vec<_>>().join("+")
    });
    let decision = last_decision(client, &version).await;
    let name = format!("{}:{}", summary.deployment_name, summary.build_id);
    Row { name, backlog, rates, workers, decision: decision.map_or_else(String::new, |d| words(&d)) }
}

fn figures(snapshot: &MetricsSnapshot) -> (String, String) {
    let present = || snapshot.present().map(|(_, queue)| queue);
    let backlog: i64 = present().map(|queue| queue.last_backlog_count).sum();
    let arrivals: f32 = present().map(|queue| queue.last_arrival_rate).sum();
    let dispatches: f32 = present().map(|queue| queue.last_processing_rate).sum();
    (backlog.to_string(), format!("{arrivals:.1} / {dispatches:.1}"))
}

/// The newest decision of the newest run.
async fn last_decision(client: &Client, version: &WorkerDeploymentVersion) -> Option<Decision> {
    let mut journal = Vec::new();
    Histories::of(client, version).write_newest(&mut journal).await.ok()?;
    let mut last = None;
    let mut reader = JournalReader::new();
    let keep = |record: Record| {
        if let Record::Entry(entry) = record {
            last = entry.step.decisions.last().cloned().or(last.take());
        }
    };
    reader.feed(&journal, keep).ok()?;
    last
}

fn words(decision: &Decision) -> String {
    let reason = &decision.reason;
    let wish = match (reason.recommended_workers, reason.desired_workers) {
        (Some(wished), Some(left)) if wished != left => format!(" {wished}, cut to {left}"),
        (_, Some(left)) => format!(" {left}"),
        _ => String::new(),
    };
    let limit = reason.limit.map(|limit| format!(" ({})", limit.sentence())).unwrap_or_default();
    format!("{}:{wish} {}{limit}", decision.group, reason.rule.sentence())
}

fn show(rows: &[Row]) {
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0).max("VERSION".len());
    println!(
        "{:<width$}  {:>8}  {:>15}  {:>7}  LAST DECISION",
        "VERSION", "BACKLOG", "IN / OUT PER S", "WORKERS"
    );
    for Row { name, backlog, rates, workers, decision } in rows {
        println!("{name:<width$}  {backlog:>8}  {rates:>15}  {workers:>7}  {decision}");
    }
}
