//! `wci-controller cluster`: the workers of distributed tasks on a Kubernetes cluster.

use super::Failed;
use super::start::{LogFormat, Stop, log};
use crate::cluster::{Follower, Metrics, Options, Reconciler, Report, Seen};
use crate::serve::listen::serve_plain;
use clap::{Args, Subcommand};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use wci_core::cluster::Nodes;
use wci_core::cluster::definition::{Definitions, ExecutionState, ScanTask};
use wci_core::cluster::journal::JournalWriter;
use wci_core::cluster::reconcile::Status;
use wci_core::cluster::scan::ScanConfig;
use wci_core::{Millis, Timestamp};

#[derive(Subcommand)]
pub(super) enum Cluster {
    /// Keep the worker Pods of a namespace's jobs in step with the nodes that are ready
    Run(ClusterArgs),
}

#[derive(Args)]
pub(super) struct ClusterArgs {
    /// Namespace of jobs and Pods; else that of the kubeconfig's context, or of the Pod this runs in
    #[arg(long, short)]
    namespace: Option<String>,
    /// Kubeconfig of the cluster; else $KUBECONFIG, ~/.kube/config, or the cluster this runs in
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig
    #[arg(long, requires = "kubeconfig")]
    context: Option<String>,
    /// Only nodes with these labels, such as pool=workers
    #[arg(long, value_name = "SELECTOR")]
    node_selector: Option<String>,
    /// Task in midPoint's XML with activityAutoScaling; the options below come before what it says
    #[arg(long, value_name = "FILE", help_heading = "Scans")]
    scan_task: Option<PathBuf>,
    /// Seconds between scans [default: 60]
    #[arg(long, value_name = "SECONDS", help_heading = "Scans", value_parser = clap::value_parser!(u32).range(1..))]
    interval_secs: Option<u32>,
    /// Shortest time between reconciliations [default: none]
    #[arg(long, value_name = "SECONDS", help_heading = "Scans")]
    min_interval_secs: Option<u32>,
    /// Longest time between reconciliations [default: without end]
    #[arg(long, value_name = "SECONDS", help_heading = "Scans")]
    max_interval_secs: Option<u32>,
    /// Let the first scan only take down which nodes are ready
    #[arg(long, help_heading = "Scans")]
    skip_initial: bool,
    /// Scan also as soon as a node has come, gone or changed, not only after the interval
    #[arg(long, help_heading = "Scans")]
    scan_on_change: bool,
    /// Try a job whose reconciliation failed again once the minimum interval has passed, not only when something changes
    #[arg(long, help_heading = "Scans")]
    retry_failed: bool,
    /// Close workers that are left suspended or ready when the work is complete
    #[arg(long, help_heading = "Scans")]
    close_done: bool,
    /// Leave a changed definition to the next reconciliation that something else causes
    #[arg(long, help_heading = "Scans")]
    ignore_definition_changes: bool,
    /// Print what would be done and change nothing
    #[arg(long)]
    dry_run: bool,
    /// End after one scan; the exit status is 1 if something went wrong
    #[arg(long)]
    once: bool,
    /// ConfigMap that keeps what scans leave for the next one
    #[arg(long, value_name = "NAME", default_value = "wci-cluster")]
    state_name: String,
    /// File to which all that scans see and decide is added, one line each
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Address for figures (/metrics) and health (/healthz, /readyz), such as 127.0.0.1:9090
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// Form of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

pub(super) async fn run(command: Cluster) -> Result<(), Failed> {
    let Cluster::Run(args) = command;
    log(args.log_format);
    let scan_task = args.scan_task()?;
    let open = |file| open_journal(file, &scan_task.config);
    let mut journal = args.journal.as_deref().map(open).transpose()?;
    let config = args.config().await?;
    let namespace = args.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
    let client = client(config.clone(), Duration::from_secs(20))?;
    // The server ends a watch after a minute, so one that is silent for longer hangs.
    let watching = self::client(config, Duration::from_secs(75))?;
    let stop = Stop::listen().map_err(|e| format!("cannot listen for signals: {e}"))?;
    let metrics = Metrics::default();
    let (told, seen) = watch::channel(Seen::default());
    let nodes = Api::all(watching);
    let follower = Follower { nodes, selector: args.node_selector.clone(), metrics: metrics.clone() };
    tokio::spawn(follower.follow(told));
    let serving = serve(args.metrics_listen, metrics.clone().router(seen.clone()), stop.wait());
    tracing::info!(namespace, dry_run = args.dry_run, "keeping workers in step with the nodes");
    let options = Options {
        namespace,
        state_name: args.state_name.clone(),
        config: scan_task.config.clone(),
        dry_run: args.dry_run,
        patience: Duration::from_secs(10),
    };
    let reconciler = Reconciler::new(&client, options, seen.clone(), metrics);
    let rounds = rounds(&args, reconciler, seen, scan_task.interval, &mut journal, &stop);
    tokio::select! {
        ended = rounds => ended,
        failed = serving => Err(Failed::Action(failed)),
    }
}

/// Scans until stopped. A scan under way is never cut off.
async fn rounds(
    args: &ClusterArgs,
    mut reconciler: Reconciler,
    mut seen: watch::Receiver<Seen>,
    interval: Millis,
    journal: &mut Option<JournalWriter<File>>,
    stop: &Stop,
) -> Result<(), Failed> {
    let mut ticks = tokio::time::interval(Duration::from_millis(interval.get().unsigned_abs().max(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The nodes that the last scan saw, so that a change while it was at work is not missed.
    let mut last = Nodes::default();
    loop {
        tokio::select! {
            () = stop.wait() => return Ok(()),
            _ = ticks.tick() => {}
            Ok(()) = another(&mut seen, &last), if args.scan_on_change => {}
        }
        match reconciler.scan(now()).await {
            Ok((report, before, record)) => {
                last.clone_from(&record.nodes);
                tell(&report, args.dry_run || args.once);
                if let Some(journal) = journal {
                    let written = journal.record(&before, &record);
                    written.map_err(|error| Failed::Action(format!("--journal: {error}")))?;
                }
                if args.once {
                    return ended(&report);
                }
            }
            Err(why) if args.once => return Err(Failed::Action(why)),
            Err(why) => {
                // To be tried again at the next interval, not at once.
                last = seen.borrow().records();
                tracing::warn!(why, "no scan");
            }
        }
    }
}

/// Waits until other nodes are ready than the last scan saw.
async fn another(seen: &mut watch::Receiver<Seen>, last: &Nodes) -> Result<(), watch::error::RecvError> {
    seen.wait_for(|seen| seen.check().is_ok() && seen.records() != *last).await.map(drop)
}

/// What is printed is not logged as well.
fn tell(report: &Report, prints: bool) {
    if prints {
        // A reader that has gone away stops no scan.
        let _ = write!(std::io::stdout(), "{report}");
        return;
    }
    for warning in &report.warnings {
        tracing::warn!("{warning}");
    }
    for done in &report.jobs {
        let what = done.text();
        match done.outcome.status {
            Status::Warning | Status::FatalError => tracing::warn!(job = done.job, "{what}"),
            _ => tracing::info!(job = done.job, "{what}"),
        }
    }
    if report.reason.reconciles() || report.reason.puts_off() || !report.jobs.is_empty() {
        tracing::info!(ready = ?report.up, "{}", report.reason.sentence());
    } else {
        tracing::debug!(ready = ?report.up, "{}", report.reason.sentence());
    }
}

/// A single scan that could not do everything has failed. What went wrong is printed already.
fn ended(report: &Report) -> Result<(), Failed> {
    let bad = |status| matches!(status, Status::Warning | Status::FatalError);
    let jobs = report.jobs.iter().filter(|done| bad(done.outcome.status)).count();
    match (jobs, report.warnings.len()) {
        (0, 0) => Ok(()),
        (jobs, warnings) => {
            Err(Failed::Action(format!("not all is well: jobs that failed: {jobs}, warnings: {warnings}")))
        }
    }
}

async fn serve(
    address: Option<SocketAddr>,
    router: axum::Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> String {
    if let Some(address) = address
        && let Err(why) = serve_plain(address, router, stop).await
    {
        return why;
    }
    std::future::pending().await
}

impl ClusterArgs {
    async fn config(&self) -> Result<Config, Failed> {
        crate::install_crypto();
        let Some(file) = &self.kubeconfig else {
            return Config::infer().await.map_err(|error| Failed::Action(error.to_string()));
        };
        let wrong = |error: kube::config::KubeconfigError| {
            Failed::Usage(format!("--kubeconfig: {}: {error}", file.display()))
        };
        let kubeconfig = Kubeconfig::read_from(file).map_err(wrong)?;
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(wrong)
    }

    fn scan_task(&self) -> Result<ScanTask, Failed> {
        let mut task = match &self.scan_task {
            Some(file) => read_scan_task(file).map_err(Failed::Usage)?,
            None => ScanTask::default(),
        };
        let seconds = |value: Option<u32>| value.map(|value| Millis::from_secs(value.into()));
        task.interval = seconds(self.interval_secs).unwrap_or(task.interval);
        let latch = &mut task.config.latch;
        latch.min_interval = seconds(self.min_interval_secs).or(latch.min_interval);
        latch.max_interval = seconds(self.max_interval_secs).or(latch.max_interval);
        latch.skip_initial |= self.skip_initial;
        task.config.retry_failed = self.retry_failed;
        task.config.close_done = self.close_done;
        task.config.follow_definitions = !self.ignore_definition_changes;
        Ok(task)
    }
}

fn read_scan_task(file: &Path) -> Result<ScanTask, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let read = Definitions::from_xml(&text, &name.to_string()).map_err(|error| error.to_string())?;
    let scan = read.scan.ok_or_else(|| format!("{name}: found no <activityAutoScaling>, expected one"))?;
    match scan.execution {
        ExecutionState::Running => Ok(scan),
        _ => Err(format!(
            "{name}: executionState: found a task that scans and does not run, expected runnable"
        )),
    }
}

fn client(mut config: Config, silence: Duration) -> Result<Client, Failed> {
    // What fails is tried again at the next scan; the client's own retries would only hide it.
    config.default_retry = false;
    config.connect_timeout = Some(Duration::from_secs(5));
    config.read_timeout = Some(silence);
    config.write_timeout = Some(Duration::from_secs(20));
    Client::try_from(config).map_err(|error| Failed::Action(error.to_string()))
}

fn open_journal(file: &Path, config: &ScanConfig) -> Result<JournalWriter<File>, Failed> {
    let opened = OpenOptions::new().create(true).append(true).open(file);
    let opened = opened.map_err(|error| Failed::Usage(format!("--journal: {}: {error}", file.display())))?;
    Ok(JournalWriter::new(opened, config.clone()))
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
