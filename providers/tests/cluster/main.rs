//! Workers of distributed tasks on a Kubernetes cluster, against an API server in memory.

mod fake;
mod program;

use fake::Fake;
use kube::{Api, Client};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wci_core::cluster::latch::LatchReason;
use wci_core::cluster::reconcile::Status;
use wci_core::cluster::scan::ScanConfig;
use wci_core::{Millis, Timestamp};
use wci_providers::cluster::{Follower, Metrics, Options, Reconciler, Report, Seen};

const TWO: &str = "name = \"Recompute\"\n[[workers_per_node]]\ncount = 2\n";

/// A controller against a fake server; a new one is what a restart is.
struct Live {
    fake: Fake,
    reconciler: Reconciler,
    seen: watch::Receiver<Seen>,
    follower: JoinHandle<()>,
    metrics: Metrics,
    minute: i64,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl Live {
    async fn start(fake: &Fake, config: ScanConfig, dry_run: bool) -> Self {
        wci_providers::install_crypto();
        let mut kube = kube::Config::new(fake.address.parse().unwrap());
        kube.default_namespace = "n".into();
        kube.default_retry = false;
        let client = Client::try_from(kube).unwrap();
        let (told, seen) = watch::channel(Seen::default());
        let metrics = Metrics::default();
        let follower = Follower { nodes: Api::all(client.clone()), selector: None, metrics: metrics.clone() };
        let follower = tokio::spawn(follower.follow(told));
        let patience = Duration::from_millis(1_500);
        let options =
            Options { namespace: "n".into(), state_name: "wci-cluster".into(), config, dry_run, patience };
        let reconciler = Reconciler::new(&client, options, seen.clone(), metrics.clone());
        Self { fake: fake.clone(), reconciler, seen, follower, metrics, minute: 0 }
    }

    /// With a fake server, two ready nodes and a job that wants two workers on each.
    async fn with_job() -> Self {
        let fake = Fake::start().await;
        fake.node("A", true);
        fake.node("B", true);
        fake.job("recompute", TWO);
        Self::start(&fake, ScanConfig::default(), false).await
    }

    /// Another process after this one.
    async fn restart(self) -> Self {
        let config = ScanConfig { retry_failed: true, ..ScanConfig::default() };
        let mut live = Self::start(&self.fake, config, false).await;
        live.minute = self.minute;
        live
    }

    async fn try_scan(&mut self) -> Result<Report, String> {
        self.minute += 1;
        let now = Timestamp::from_millis(1_700_000_000_000 + self.minute * 60_000);
        self.reconciler.scan(now).await.map(|(report, ..)| report)
    }

    /// A scan, after which Pods start.
    async fn scan(&mut self) -> Report {
        let report = self.try_scan().await.unwrap();
        self.fake.run_pods();
        report
    }

    /// Waits until the watch has seen so many ready nodes.
    async fn sees(&mut self, count: usize) {
        let has = |seen: &Seen| seen.check().is_ok() && seen.records().up().len() == count;
        tokio::time::timeout(Duration::from_secs(60), self.seen.wait_for(has)).await.unwrap().unwrap();
    }
}

fn counts(report: &Report) -> [u32; 6] {
    report.jobs.last().unwrap().outcome.counts()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_follow_nodes_that_come_and_go() {
    let mut live = Live::with_job().await;
    let first = live.scan().await;
    assert!(first.jobs[0].is_new);
    assert_eq!(first.jobs[0].outcome.counts(), [0, 0, 0, 0, 4, 0]);
    assert_eq!((first.reason, counts(&first)), (LatchReason::Initial, [4, 0, 0, 0, 0, 0]));
    let names = ["recompute-1", "recompute-2", "recompute-3", "recompute-4"];
    assert_eq!(live.fake.pods(), names);
    assert_eq!(live.fake.pod("recompute-3")["spec"]["nodeName"], "B");
    assert_eq!(live.scan().await.reason, LatchReason::NothingChanged);

    live.fake.node("C", true);
    live.sees(3).await;
    let joined = live.scan().await;
    assert_eq!((joined.reason, counts(&joined)), (LatchReason::NodesChanged, [4, 0, 0, 0, 2, 0]));
    assert_eq!(live.fake.pod("recompute-5")["spec"]["nodeName"], "C");

    live.fake.remove_node("C");
    live.sees(2).await;
    assert_eq!(counts(&live.scan().await), [4, 0, 0, 0, 0, 0]);
    assert_eq!(live.fake.pods(), names, "nothing is begun where there is no node");

    live.fake.node("C", true);
    live.sees(3).await;
    assert_eq!(counts(&live.scan().await), [6, 0, 0, 0, 0, 0]);
    assert_eq!(live.fake.pods().len(), 6, "under the names they had");
    let text = live.metrics.text();
    assert!(text.contains("wci_cluster_scans_total{reason=\"nodes_changed\"} 3"), "{text}");
    assert!(text.contains("wci_cluster_workers{job=\"recompute\",kind=\"running\"}"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_definition_suspends_and_resumes_under_the_same_names() {
    let mut live = Live::with_job().await;
    live.scan().await;
    live.fake.job("recompute", &TWO.replace("count = 2", "count = 1"));
    let fewer = live.scan().await;
    assert_eq!((fewer.reason, counts(&fewer)), (LatchReason::DefinitionChanged, [2, 0, 0, 2, 0, 0]));
    assert_eq!(live.fake.pods(), ["recompute-1", "recompute-3"]);
    let suspended: Vec<_> = live.fake.workers("recompute");
    assert_eq!(suspended.iter().filter(|worker| worker["state"] == "suspended").count(), 2);

    live.fake.job("recompute", TWO);
    assert_eq!(counts(&live.scan().await), [4, 0, 0, 0, 0, 2]);
    assert_eq!(live.fake.pods().len(), 4);
    assert_eq!(live.fake.workers("recompute").len(), 4, "nobody is made twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_free_only_when_its_pod_is_gone() {
    let mut live = Live::with_job().await;
    live.scan().await;
    live.fake.delete_slowly(true);
    live.fake.job("recompute", &TWO.replace("count = 2", "count = 1"));
    live.scan().await;
    assert_eq!(live.fake.pods().len(), 4, "two of them are leaving");
    live.fake.job("recompute", TWO);
    let resumed = live.scan().await;
    assert_eq!((counts(&resumed), resumed.jobs[0].outcome.status), ([4, 0, 0, 0, 0, 2], Status::Success));
    live.fake.delete_slowly(false);
    assert_eq!(live.fake.pods().len(), 2);
    live.scan().await;
    assert_eq!(live.fake.pods().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_worker_keeps_its_pod() {
    let mut live = Live::with_job().await;
    live.scan().await;
    let uid = live.fake.pod("recompute-2")["metadata"]["uid"].clone();
    live.fake.job(
        "recompute",
        &TWO.replace("count = 2", "count = 2\nscavengers = 2\ntask_name = \"W{node}{index}\""),
    );
    assert_eq!(counts(&live.scan().await), [0, 2, 2, 0, 0, 0]);
    let pod = live.fake.pod("recompute-2");
    assert_eq!(
        (&pod["metadata"]["uid"], &pod["metadata"]["annotations"]["wci-controller/scavenger"]),
        (&uid, &"true".into())
    );
    assert_eq!(pod["metadata"]["annotations"]["wci-controller/worker-name"], "WA2");
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_a_controller_dies_the_next_one_puts_it_right() {
    let mut whole = Live::with_job().await;
    whole.fake.take_notes();
    whole.scan().await;
    let writes = whole
        .fake
        .take_notes()
        .iter()
        .filter(|note| !note.starts_with("GET") && !note.starts_with("WATCH"))
        .count();
    assert_eq!(writes, 1 + 4 + 1 + 4 + 1, "a record, four workers, that it has begun, four Pods, the state");
    for survived in 0..writes {
        let mut live = Live::with_job().await;
        live.fake.fail_writes_after(Some(u32::try_from(survived).unwrap()));
        let _ = live.try_scan().await;
        live.fake.fail_writes_after(None);
        let mut live = live.restart().await;
        for _ in 0..2 {
            live.scan().await;
        }
        let workers = live.fake.workers("recompute");
        assert_eq!(
            live.fake.pods(),
            ["recompute-1", "recompute-2", "recompute-3", "recompute-4"],
            "{survived}"
        );
        assert_eq!(workers.len(), 4, "{survived}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_comes_later_gets_its_workers_wherever_the_controller_dies() {
    for survived in 0..10 {
        let mut live = Live::with_job().await;
        live.scan().await;
        live.fake.job("later", TWO);
        live.fake.fail_writes_after(Some(survived));
        let _ = live.try_scan().await;
        live.fake.fail_writes_after(None);
        let mut live = live.restart().await;
        for _ in 0..2 {
            live.scan().await;
        }
        let later = live.fake.pods().iter().filter(|pod| pod.starts_with("later-")).count();
        assert_eq!((later, live.fake.workers("later").len()), (4, 4), "{survived} writes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_ends_the_run_with_the_counters_so_far() {
    for retry_failed in [false, true] {
        let mut live = Live::with_job().await;
        live.scan().await;
        let config = ScanConfig { retry_failed, ..ScanConfig::default() };
        let mut live = Live::start(&live.fake.clone(), config, false).await;
        live.minute = 10;
        live.fake.node("C", true);
        live.sees(3).await;
        live.fake.interfere("recompute-workers", 2);
        let report = live.scan().await;
        let outcome = &report.jobs[0].outcome;
        assert_eq!((outcome.counts(), outcome.status), ([4, 0, 0, 0, 1, 0], Status::Warning));
        assert!(outcome.message.as_ref().unwrap().contains("changed by somebody else"));
        let next = live.scan().await;
        assert_eq!(next.reason == LatchReason::FailedBefore, retry_failed);
        assert_eq!(live.fake.pods().len(), if retry_failed { 6 } else { 5 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_jobs_failure_does_not_stop_the_others() {
    let mut live = Live::with_job().await;
    live.fake.job("another", TWO);
    live.fake.job("broken", "nmae = 1");
    live.fake.interfere("another-workers", 1);
    let report = live.scan().await;
    assert!(report.warnings[0].starts_with("broken: task.toml"), "{:?}", report.warnings);
    assert_eq!(live.fake.pods().len(), 4);
    assert!(live.fake.pods().iter().all(|pod| pod.starts_with("recompute-")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_watch_is_taken_up_again() {
    let mut live = Live::with_job().await;
    live.sees(2).await;
    live.fake.drop_watches();
    live.fake.node("C", true);
    live.sees(3).await;
    let lists = |live: &Live| live.fake.count_notes("GET /api/v1/nodes?");
    assert_eq!(lists(&live), 1, "a watch goes on where the last one ended");

    live.fake.forget_history();
    live.fake.node("D", true);
    live.sees(4).await;
    assert_eq!(lists(&live), 2, "what is too old is listed again");
    assert!(live.metrics.text().contains("wci_cluster_watch_losses_total{reason=\"too_old\"} 1"));

    live.fake.bookmark();
    let mark = Instant::now();
    while live.fake.count_notes("WATCH") < 4 {
        assert!(mark.elapsed() < Duration::from_secs(60));
        live.fake.drop_watches();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    live.fake.remove_node("D");
    live.sees(3).await;
    assert_eq!(lists(&live), 2, "a bookmark says from where to go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_are_out_of_sight_are_not_believed() {
    let mut live = Live::with_job().await;
    live.scan().await;
    live.fake.fail(Some(("/nodes", 500)));
    live.fake.drop_watches();
    let mut seen = live.seen.clone();
    tokio::time::timeout(Duration::from_secs(60), seen.wait_for(|seen| seen.check().is_err()))
        .await
        .unwrap()
        .unwrap();
    let refused = live.try_scan().await.unwrap_err();
    assert!(refused.contains("the nodes are not known"), "{refused}");
    live.fake.fail(None);
    live.fake.node("C", true);
    live.sees(3).await;
    assert_eq!(counts(&live.scan().await), [4, 0, 0, 0, 2, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_the_plan_and_writes_nothing() {
    let fake = Fake::start().await;
    fake.node("A", true);
    fake.job("recompute", TWO);
    let mut live = Live::start(&fake, ScanConfig::default(), true).await;
    let report = live.try_scan().await.unwrap();
    let text = report.to_string();
    assert!(text.contains("recompute (its first workers): 2 created"), "{text}");
    assert!(
        text.contains("create \"Worker A:1 for root activity in Recompute\" for group A, a scavenger"),
        "{text}"
    );
    live.try_scan().await.unwrap();
    assert!(fake.pods().is_empty());
    let writes =
        fake.take_notes().into_iter().filter(|note| !note.starts_with("GET") && !note.starts_with("WATCH"));
    assert_eq!(writes.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_end_close_and_a_failed_pod_is_made_anew() {
    let mut live = Live::with_job().await;
    live.scan().await;
    live.fake.set_phase("recompute-1", "Failed");
    live.scan().await;
    assert_eq!(live.fake.pods().len(), 3, "it is deleted first");
    live.scan().await;
    assert_eq!(live.fake.pods().len(), 4);

    live.fake.set_phase("recompute-2", "Succeeded");
    live.fake.node("C", true);
    live.sees(3).await;
    assert_eq!(counts(&live.scan().await)[4], 1, "buckets have run out, so only a scavenger is of use");
    for name in ["recompute-1", "recompute-3", "recompute-4", "recompute-5"] {
        live.fake.set_phase(name, "Succeeded");
    }
    live.scan().await;
    live.fake.node("D", true);
    live.sees(4).await;
    let over = live.scan().await;
    assert_eq!(over.jobs[0].left_alone.as_deref(), Some("it does not run"));
    assert_eq!(live.fake.workers("recompute").len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_record_is_made_again_from_the_pods() {
    let mut live = Live::with_job().await;
    live.scan().await;
    live.fake.delete("configmaps", "recompute-workers");
    let report = live.scan().await;
    assert_eq!(report.jobs[0].outcome.counts(), [4, 0, 0, 0, 0, 0]);
    assert_eq!((live.fake.pods().len(), live.fake.workers("recompute").len()), (4, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minimum_interval_outlives_a_restart() {
    let latch = wci_core::cluster::latch::LatchConfig {
        min_interval: Some(Millis::from_secs(150)),
        ..Default::default()
    };
    let config = ScanConfig { latch, ..ScanConfig::default() };
    let fake = Fake::start().await;
    fake.node("A", true);
    fake.job("recompute", TWO);
    let mut live = Live::start(&fake, config.clone(), false).await;
    live.scan().await;
    fake.node("B", true);
    live.sees(2).await;
    assert_eq!(live.scan().await.reason, LatchReason::TooEarly);
    let minute = live.minute;
    drop(live);
    let mut live = Live::start(&fake, config, false).await;
    live.minute = minute;
    assert_eq!(live.scan().await.reason, LatchReason::NothingChanged);
    assert_eq!(live.scan().await.reason, LatchReason::PutOffBefore);
    assert_eq!(fake.pods().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_made_anew_does_not_take_over_what_the_old_one_left() {
    let mut live = Live::with_job().await;
    live.scan().await;
    let names = live.fake.pods();
    names.iter().for_each(|name| live.fake.set_phase(name, "Succeeded"));
    live.scan().await;
    // Somebody deletes the job and makes it again, and the cluster has not cleaned up yet.
    live.fake.delete("configmaps", "recompute");
    live.fake.job("recompute", TWO);
    let waits = live.scan().await;
    let message = waits.jobs[0].outcome.message.clone().unwrap_or_default();
    assert!(message.contains("recompute-workers") && message.contains("there already"), "{message}");
    live.fake.delete("configmaps", "recompute-workers");
    let waits = live.scan().await;
    let message = waits.jobs.last().unwrap().outcome.message.clone().unwrap_or_default();
    assert!(message.contains("creating Pod recompute-1") && message.contains("(and 3 more)"), "{message}");
    names.iter().for_each(|name| live.fake.delete("pods", name));
    live.scan().await;
    assert_eq!((live.fake.pods(), live.fake.workers("recompute").len()), (names, 4));
    let states: Vec<_> =
        live.fake.workers("recompute").iter().map(|worker| worker["state"].clone()).collect();
    assert!(states.iter().all(|state| state == "ready"), "it works from the start: {states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_being_deleted_gets_no_pods() {
    let mut live = Live::with_job().await;
    live.scan().await;
    live.fake.leave("recompute");
    live.fake.delete("pods", "recompute-1");
    let report = live.scan().await;
    assert!(report.jobs.is_empty() && report.warnings.is_empty(), "{report}");
    assert_eq!(live.fake.pods().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_whose_name_is_taken_does_not_keep_the_others_from_their_work() {
    let mut live = Live::with_job().await;
    live.fake.foreign("pods", "recompute-2");
    let report = live.scan().await;
    let outcome = &report.jobs[0].outcome;
    let message = outcome.message.clone().unwrap_or_default();
    assert!(
        outcome.status == Status::FatalError && message.contains("creating Pod recompute-2"),
        "{message}"
    );
    assert_eq!(live.fake.pods().len(), 4, "the three others and the stranger");
    live.fake.delete("pods", "recompute-2");
    live.scan().await;
    assert_eq!(live.fake.pod("recompute-2")["spec"]["nodeName"], "A");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_is_told_with_the_servers_words() {
    let mut live = Live::with_job().await;
    live.fake.fail_writes_after(Some(0));
    let report = live.try_scan().await.unwrap();
    for done in &report.jobs {
        let message = done.outcome.message.clone().unwrap_or_default();
        assert!(
            message.contains("writing ConfigMap recompute-workers") && message.contains("Dead"),
            "{message}"
        );
        assert_eq!(done.outcome.status, Status::FatalError);
    }
    assert_eq!((report.jobs.len(), live.fake.pods().len()), (2, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_keeps_under_our_names_is_left_alone() {
    let mut live = Live::with_job().await;
    live.fake.foreign("configmaps", "wci-cluster");
    let refused = live.try_scan().await.unwrap_err();
    assert!(
        refused.starts_with("ConfigMap wci-cluster: found one that this program has not made"),
        "{refused}"
    );
    live.fake.delete("configmaps", "wci-cluster");
    live.fake.foreign("configmaps", "recompute-workers");
    let report = live.scan().await;
    let message = report.jobs[0].outcome.message.clone().unwrap_or_default();
    assert!(message.contains("belongs to something else"), "{message}");
    for name in ["wci-cluster", "recompute-workers"] {
        let is_own = live.fake.map(name)["data"]["own"] == "text";
        assert_eq!(is_own, name == "recompute-workers");
    }
}
