//! `wci-controller run`: the process that serves controllers.

use super::{Failed, reach};
use crate::controller::connect::ConnectionArgs;
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::dynamic_config::DynamicConfig;
use crate::controller::{Client, LiveHost, RunOptions, run as serve};
use crate::host::Host;
use crate::secrets::SecretPlaces;
use crate::serve::intake::Intake;
use crate::serve::keda::Scaler;
use crate::serve::listen::{Guard, serve_guarded, serve_plain};
use crate::serve::metrics;
use clap::{Args, ValueEnum};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use wci_core::controller::Settings;
use wci_core::spec::is_region_id;
use wci_core::time::Millis;

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
    /// Address for figures (/metrics) and health (/healthz, /readyz), such as 127.0.0.1:9090
    #[arg(long, value_name = "ADDRESS", help_heading = "Listening")]
    metrics_listen: Option<SocketAddr>,
    /// Address for KEDA's external scaler (gRPC)
    #[arg(long, value_name = "ADDRESS", help_heading = "Listening")]
    keda_listen: Option<SocketAddr>,
    /// Address for the intake of task adds (HTTP and gRPC); beyond this machine it needs the next three
    #[arg(long, value_name = "ADDRESS", help_heading = "Listening")]
    intake_listen: Option<SocketAddr>,
    /// Certificate of the intake, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Listening", requires_all = ["intake_tls_key", "intake_listen"])]
    intake_tls_cert: Option<PathBuf>,
    /// Key of that certificate
    #[arg(long, value_name = "FILE", help_heading = "Listening", requires_all = ["intake_tls_cert", "intake_token"])]
    intake_tls_key: Option<PathBuf>,
    /// Token that clients of the intake must show
    #[arg(long, env = "WCI_INTAKE_TOKEN", hide_env_values = true, help_heading = "Listening")]
    intake_token: Option<String>,
    /// Signal the last adds of a burst after so many milliseconds; 0 is never
    #[arg(long, value_name = "MS", default_value_t = 0)]
    flush_interval_ms: u32,
    /// Signal what the server's hook would, for servers without it; goes on until `fast-poll stop`
    #[arg(long)]
    fast_poll: bool,
    /// How long a stop waits for calls under way, in seconds
    #[arg(long, default_value_t = 30)]
    grace_secs: u64,
    /// Form of the log
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum LogFormat {
    Text,
    Json,
}

pub(super) async fn run(connection: &ConnectionArgs, args: RunArgs) -> Result<(), Failed> {
    log(args.log_format);
    let host = Arc::new(args.host()?);
    args.check()?;
    let client = reach(connection).await?;
    let namespace = client.options().namespace.clone();
    tracing::info!(namespace, task_queue = args.task_queue, "serving controllers");
    if !host.settings(&namespace).enabled {
        let why = "the dynamic config does not enable this namespace (workercontroller.enabled): its controllers \
                   start nobody and take no updates until it does";
        tracing::warn!(namespace, "{why}");
    }
    let stop = Stop::listen().map_err(|e| format!("cannot listen for signals: {e}"))?;
    let offers = args.offer(&client, &host, &stop)?;
    let options = RunOptions {
        task_queue: args.task_queue.clone(),
        fast_poll: args.fast_poll,
        grace: Duration::from_secs(args.grace_secs),
    };
    tokio::select! {
        served = serve(client, host, options, stop.wait()) => Ok(served?),
        failed = offers => Err(Failed::Action(failed)),
    }
}

impl RunArgs {
    /// Begins to listen where it is asked to. What comes back ends with the first thing that goes wrong.
    fn offer(
        &self,
        client: &temporalio_client::Client,
        host: &Arc<LiveHost>,
        stop: &Stop,
    ) -> Result<impl Future<Output = String> + use<>, Failed> {
        let controllers = Client::new(client.clone(), self.task_queue.clone());
        let mut offers: Vec<BoxFuture<'static, Result<(), String>>> = Vec::new();
        if let Some(address) = self.metrics_listen {
            let router = metrics::router(host.metrics.clone(), client.clone());
            offers.push(serve_plain(address, router, stop.wait()).boxed());
        }
        if let Some(address) = self.keda_listen {
            let scaler = Scaler::new(controllers.clone(), host.published().clone());
            offers.push(serve_plain(address, scaler.router(), stop.wait()).boxed());
        }
        if let Some(address) = self.intake_listen {
            let intake = Intake::new(controllers, host.clone(), host.metrics.clone());
            offers.push(serve_guarded(address, intake.router(), self.guard()?, stop.wait()).boxed());
            tokio::spawn(intake.flush());
        }
        Ok(async move {
            match futures::future::try_join_all(offers).await {
                // All ended because the process stops; what is left to do decides when.
                Ok(_) => std::future::pending().await,
                Err(why) => why,
            }
        })
    }

    fn guard(&self) -> Result<Option<Guard>, Failed> {
        match (&self.intake_tls_cert, &self.intake_tls_key, &self.intake_token) {
            (Some(cert), Some(key), Some(token)) => {
                Guard::with_tls(cert, key, token).map(Some).map_err(Failed::Usage)
            }
            (_, _, Some(token)) => Guard::with_token(token).map(Some).map_err(Failed::Usage),
            _ => Ok(None),
        }
    }

    /// Whether what was asked for can be done at all.
    fn check(&self) -> Result<(), Failed> {
        if let Some(dir) = self.secret_dir.as_ref().filter(|dir| !dir.is_dir()) {
            return Err(Failed::Usage(format!("--secret-dir: found {}, expected a folder", dir.display())));
        }
        if let Some(region) = self.region.as_deref().filter(|region| !is_region_id(region)) {
            return Err(Failed::Usage(format!("--region: found {region}, expected one such as eu-west-1")));
        }
        let needs_guard =
            |address: &SocketAddr| self.intake_tls_cert.is_none() && !address.ip().is_loopback();
        match self.intake_listen.filter(needs_guard) {
            Some(address) => Err(Failed::Usage(format!(
                "--intake-listen: {address} is beyond this machine, so it needs --intake-tls-cert, --intake-tls-key and a \
                 token (--intake-token or WCI_INTAKE_TOKEN)"
            ))),
            None => Ok(()),
        }
    }

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
        let flush = self.flush_interval_ms;
        let flush_interval = (flush > 0).then(|| Millis::new(flush.into()));
        let settings = Settings { host_region: self.region.clone(), flush_interval, ..settings };
        let dynamic = match &self.dynamic_config {
            Some(file) => DynamicConfig::open(file).map_err(Failed::Usage)?,
            None => DynamicConfig::none(),
        };
        Ok(LiveHost::new(providers, settings, dynamic))
    }
}

/// Clients log failures of calls that are returned to us as well, and said by us.
const QUIET: &str = "info,temporalio=warn,kube_client=off";

pub(super) fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(QUIET));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Whether the process has been asked to stop.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(super) fn listen() -> std::io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (told, hears) = watch::channel(false);
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            told.send_replace(true);
            // Nobody hears of it any more when this ends.
            told.closed().await;
        });
        Ok(Self(hears))
    }

    pub(super) fn wait(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut hears = self.0.clone();
        async move {
            let _ = hears.wait_for(|is_told| *is_told).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: RunArgs,
    }

    /// What is wrong with the usage.
    fn refused(line: &[&str]) -> String {
        let line = Line::try_parse_from(std::iter::once(&"run").chain(line)).unwrap();
        match line.args.check() {
            Ok(()) => String::new(),
            Err(Failed::Usage(why)) => why,
            Err(Failed::Action(why)) => format!("refused, but not as wrong usage: {why}"),
        }
    }

    #[test]
    fn options_that_cannot_be_right_are_named_with_what_would_be() {
        let said = refused(&["--region", "EU west"]);
        assert_eq!(said, "--region: found EU west, expected one such as eu-west-1");
        let said = refused(&["--secret-dir", "/nosuch"]);
        assert_eq!(said, "--secret-dir: found /nosuch, expected a folder");
        assert_eq!(refused(&["--region", "eu-west-1", "--secret-dir", "/"]), "");
    }
}
