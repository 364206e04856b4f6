//! `wci-controller demo`: a worker that sleeps for its living, and work for it, to try a controller with.

use super::{Failed, VersionArgs, reach};
use crate::controller::connect::ConnectionArgs;
use crate::error::chain;
use clap::{Args, Subcommand};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use temporalio_client::{Client, WorkflowStartOptions};
use temporalio_common::worker::{WorkerDeploymentOptions, WorkerDeploymentVersion};
use temporalio_sdk::activities::{ActivityContext, ActivityError, activities};
use temporalio_sdk::runtime::PollerBehavior;
use temporalio_sdk::runtime::worker_tuner::{FixedSizeSlotSupplier, TunerHolder};
use temporalio_sdk::workflows::{workflow, workflow_methods};
use temporalio_sdk::{ActivityOptions, Runtime, Worker, WorkerOptions, WorkflowContext, WorkflowResult};

#[derive(Subcommand)]
pub(super) enum Demo {
    /// A worker of a version that ends when it has had nothing to do for a while
    Worker(WorkerArgs),
    /// Starts work for it
    Load(LoadArgs),
}

#[derive(Args)]
pub(super) struct WorkerArgs {
    #[command(flatten)]
    version: VersionArgs,
    /// Task queue of the work
    #[arg(long, default_value = "demo")]
    task_queue: String,
    /// Tasks that it does at a time
    #[arg(long, default_value_t = 5)]
    slots: usize,
    /// Ends after so many seconds without work
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    idle_secs: f64,
    /// Makes this version the deployment's current one
    #[arg(long)]
    set_current: bool,
}

#[derive(Args)]
pub(super) struct LoadArgs {
    /// Task queue of the work; given several times, each piece goes to all of them
    #[arg(long, default_value = "demo")]
    task_queue: Vec<String>,
    /// Pieces of work a second
    #[arg(long, default_value_t = 1.0, value_parser = rate)]
    rate: f64,
    /// How long, in seconds
    #[arg(long, default_value_t = 60.0, value_parser = seconds)]
    secs: f64,
    /// How long each piece takes, in seconds
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    work_secs: f64,
}

/// A span that a clock can hold.
pub(super) fn seconds(text: &str) -> Result<f64, String> {
    const YEAR: f64 = 31_536_000.0;
    let seconds = text.parse().ok().filter(|seconds| (0.0..=YEAR).contains(seconds));
    seconds.ok_or_else(|| format!("expected a number of seconds from 0 to {YEAR}, a year"))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1000.0).contains(rate));
    rate.ok_or_else(|| "expected a number from 0.001 to 1000".to_owned())
}

pub(super) async fn run(connection: &ConnectionArgs, demo: Demo) -> Result<(), Failed> {
    match demo {
        Demo::Worker(args) => work(connection, args).await,
        Demo::Load(args) => load(connection, args).await,
    }
}

/// A piece of work: one activity that sleeps.
#[workflow]
#[derive(Default)]
struct Nap;

#[workflow_methods]
impl Nap {
    #[run(name = "wci-demo-nap")]
    async fn run(ctx: &mut WorkflowContext<Self>, millis: u64) -> WorkflowResult<()> {
        let options = ActivityOptions::start_to_close_timeout(Duration::from_secs(600));
        ctx.execute_activity(Sleeper::sleep, millis, options).await?;
        Ok(())
    }
}

/// Notes when it last had something to do.
#[derive(Default)]
struct Sleeper {
    busy: AtomicUsize,
    last_end_millis: AtomicU64,
    epoch: OnceLock<Instant>,
}

#[activities]
impl Sleeper {
    #[activity(name = "wci-demo-sleep")]
    async fn sleep(self: Arc<Self>, _ctx: ActivityContext, millis: u64) -> Result<(), ActivityError> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        self.last_end_millis.store(self.age_millis(), Ordering::SeqCst);
        self.busy.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }
}

impl Sleeper {
    fn age_millis(&self) -> u64 {
        let age = self.epoch.get_or_init(Instant::now).elapsed();
        u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
    }

    async fn idle_for(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let idle = self.age_millis().saturating_sub(self.last_end_millis.load(Ordering::SeqCst));
            if self.busy.load(Ordering::SeqCst) == 0 && idle >= span {
                return;
            }
        }
    }
}

async fn work(connection: &ConnectionArgs, args: WorkerArgs) -> Result<(), Failed> {
    let wrong = |e: &(dyn std::error::Error + 'static)| Failed::Action(format!("the worker: {}", chain(e)));
    let client = reach(connection).await?;
    let runtime = Runtime::from_current_tokio(Default::default()).map_err(|e| wrong(&e))?;
    let sleeper = Arc::new(Sleeper::default());
    sleeper.age_millis();
    let version = WorkerDeploymentVersion::builder()
        .deployment_name(args.version.deployment_name.clone())
        .build_id(args.version.build_id.clone())
        .build();
    let deployment = WorkerDeploymentOptions::new(version)
        .use_worker_versioning(true)
        .default_versioning_behavior(temporalio_common::worker::VersioningBehavior::AutoUpgrade)
        .build();
    let options = WorkerOptions::new(args.task_queue.clone())
        .deployment_options(deployment)
        .register_workflow::<Nap>()
        .map_err(|e| wrong(&e))?
        .register_activity::<sleeper::Sleep>(sleeper.clone())
        .tuner(tuner(args.slots))
        .activity_task_poller_behavior(PollerBehavior::SimpleMaximum(2))
        .graceful_shutdown_period(Duration::from_secs(5))
        .build();
    let mut worker = Worker::new(&runtime, client.clone(), options).map_err(|e| wrong(&e))?;
    let stop = worker.shutdown_handle();
    let watch = async {
        if args.set_current {
            set_current(&client, &args.version).await?;
        }
        sleeper.idle_for(Duration::from_secs_f64(args.idle_secs)).await;
        stop();
        std::future::pending().await
    };
    tokio::select! {
        ended = worker.run() => ended.map_err(|e| wrong(&e)),
        ended = watch => ended,
    }
}

/// So many activities at a time, and plenty of the rest.
fn tuner(slots: usize) -> TunerHolder {
    TunerHolder::builder()
        .workflow_task_slot_supplier(FixedSizeSlotSupplier::new(100))
        .activity_task_slot_supplier(FixedSizeSlotSupplier::new(slots.max(1)))
        .local_activity_task_slot_supplier(FixedSizeSlotSupplier::new(1))
        .nexus_task_slot_supplier(FixedSizeSlotSupplier::new(1))
        .build()
}

/// Tries until the server knows the version, which it does when the worker has polled.
async fn set_current(client: &Client, version: &VersionArgs) -> Result<(), Failed> {
    use temporalio_client::tonic::{Code, Request};
    use temporalio_common::protos::temporal::api::workflowservice::v1::SetWorkerDeploymentCurrentVersionRequest;
    loop {
        let request = SetWorkerDeploymentCurrentVersionRequest {
            namespace: client.options().namespace.clone(),
            deployment_name: version.deployment_name.clone(),
            build_id: version.build_id.clone(),
            ignore_missing_task_queues: true,
            identity: client.connection().identity().to_owned(),
            ..SetWorkerDeploymentCurrentVersionRequest::default()
        };
        let mut service = client.connection().workflow_service();
        match service.set_worker_deployment_current_version(Request::new(request)).await {
            Ok(_) => {
                eprintln!("{}:{} is current", version.deployment_name, version.build_id);
                return Ok(());
            }
            Err(status)
                if matches!(
                    status.code(),
                    Code::PermissionDenied | Code::Unauthenticated | Code::InvalidArgument
                ) =>
            {
                return Err(Failed::Action(format!(
                    "making the version the current one: {}",
                    status.message()
                )));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}

async fn load(connection: &ConnectionArgs, args: LoadArgs) -> Result<(), Failed> {
    let client = reach(connection).await?;
    let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / args.rate));
    let millis = Duration::from_secs_f64(args.work_secs).as_millis();
    let begun = Instant::now();
    let mut started = 0_u64;
    while begun.elapsed().as_secs_f64() < args.secs {
        ticks.tick().await;
        let input = u64::try_from(millis).unwrap_or(u64::MAX);
        let starts = args.task_queue.iter().map(|queue| {
            let id = format!("wci-demo-{:016x}", rand::random::<u64>());
            client.start_workflow(Nap::run, input, WorkflowStartOptions::new(queue.clone(), id).build())
        });
        futures::future::try_join_all(starts).await.map_err(|e| chain(&e))?;
        started += 1;
        eprint!("\rstarted {started}");
    }
    eprintln!();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_no_clock_can_hold_are_refused_in_words() {
        for text in ["1e300", "-1", "NaN", "inf", "31536001", "soon"] {
            let said = seconds(text).unwrap_err();
            assert!(said.contains("from 0 to 31536000"), "{text}: {said}");
        }
        for text in ["0", "0.5", "31536000"] {
            let _ = Duration::from_secs_f64(seconds(text).unwrap());
        }
    }

    #[test]
    fn a_rate_is_one_that_a_clock_can_keep() {
        for text in ["0", "1e-300", "1001", "NaN", "fast"] {
            assert!(rate(text).is_err(), "{text}");
        }
        assert_eq!(rate("2.5"), Ok(2.5));
    }

    #[test]
    fn the_options_ask_these_readers() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(subcommand)]
            demo: Demo,
        }
        let wrong = |args: &[&str]| {
            let line = [&["demo"], args].concat();
            <Line as clap::Parser>::try_parse_from(line).err().expect("refused").to_string()
        };
        let worker = ["worker", "-d", "d", "-b", "b", "--idle-secs", "1e300"];
        for args in [&["load", "--secs", "1e300"][..], &["load", "--work-secs", "1e300"], &worker] {
            assert!(wrong(args).contains("expected a number of seconds"), "{args:?}");
        }
        assert!(wrong(&["load", "--rate", "0"]).contains("expected a number from"));
    }
}
