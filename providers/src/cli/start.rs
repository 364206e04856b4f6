//! `wci-controller run`: the process that serves controllers.

use super::Failed;
use crate::controller::connect::ConnectionArgs;
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::dynamic_config::DynamicConfig;
use crate::controller::{LiveHost, RunOptions, run as serve};
use crate::host::Host;
use crate::secrets::SecretPlaces;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use wci_core::controller::Settings;

#[derive(Args)]
pub(super) struct RunArgs {
    /// Task queue of the controllers that this process serves
    #[arg(long, default_value = DEFAULT_TASK_QUEUE)]
    task_queue: String,
    /// Dynamic config in Temporal's YAML form, read again when it changes
    #[arg(long, value_name = "FILE")]
    dynamic_config: Option<PathBuf>,
    /// Program that the subprocess provider may run (absolute path; repeatable)
    #[arg(long, value_name = "PATH")]
    allow_subprocess: Vec<PathBuf>,
    /// Environment variable that specs may name as a secret (repeatable)
    #[arg(long, value_name = "NAME")]
    secret_env: Vec<String>,
    /// Folder whose files specs may name as secrets
    #[arg(long, value_name = "DIR")]
    secret_dir: Option<PathBuf>,
    /// Let specs name web addresses that are private, local or without TLS
    #[arg(long)]
    allow_private_addresses: bool,
    /// Region of this host, for specs with region_ids
    #[arg(long)]
    region: Option<String>,
    /// Decide like the original in every respect
    #[arg(long)]
    like_go: bool,
    /// How long a stop waits for calls under way, in seconds
    #[arg(long, default_value_t = 30)]
    grace_secs: u64,
    /// Form of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

pub(super) async fn run(connection: &ConnectionArgs, args: RunArgs) -> Result<(), Failed> {
    log(args.log_format);
    let host = Arc::new(args.host()?);
    let client = connection.connect().await?;
    let namespace = client.options().namespace.clone();
    tracing::info!(namespace, task_queue = args.task_queue, "serving controllers");
    let options =
        RunOptions { task_queue: args.task_queue.clone(), grace: Duration::from_secs(args.grace_secs) };
    let stop = stopped().map_err(|e| format!("cannot listen for signals: {e}"))?;
    Ok(serve(client, host, options, stop).await?)
}

impl RunArgs {
    fn host(&self) -> Result<LiveHost, Failed> {
        if let Some(path) = self.allow_subprocess.iter().find(|path| !path.is_absolute() || !path.is_file()) {
            let found = path.display();
            return Err(Failed::Usage(format!(
                "--allow-subprocess: found {found}, expected the absolute path of a program"
            )));
        }
        let providers = Host {
            allowed_programs: self.allow_subprocess.clone(),
            secrets: SecretPlaces { env: self.secret_env.clone(), dir: self.secret_dir.clone() },
            allows_private_addresses: self.allow_private_addresses,
            ..Host::default()
        };
        let settings = if self.like_go { Settings::like_go() } else { Settings::default() };
        let settings = Settings { host_region: self.region.clone(), ..settings };
        let dynamic = match &self.dynamic_config {
            Some(file) => DynamicConfig::open(file).map_err(Failed::Usage)?,
            None => DynamicConfig::none(),
        };
        Ok(LiveHost::new(providers, settings, dynamic))
    }
}

fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,temporalio=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Ends when the process is asked to stop.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
