//! Scans: what there is, what the core says, and doing it.

use super::job::{Job, labels};
use super::metrics::Metrics;
use super::nodes::Seen;
use super::pods::{self, Pods};
use super::record::Record;
use super::report::{Done, Report};
use super::store::{NotDone, Store, Stored};
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::Client;
use kube::api::ObjectMeta;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;
use tokio::sync::watch;
use wci_core::Timestamp;
use wci_core::cluster::definition::ExecutionState;
use wci_core::cluster::eligibility::{AutoScaling, TaskFacts};
use wci_core::cluster::reconcile::{Change, ChangeError, CurrentWorker, Outcome, Status, WorkerState, apply};
use wci_core::cluster::scan::{FoundActivity, FoundTask, Scan, ScanConfig, ScanRecord, ScanState, TaskScan};
use wci_core::cluster::{Nodes, TaskId};

/// What a reconciler is told.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where jobs, records and Pods are.
    pub namespace: String,
    /// The ConfigMap that keeps what scans leave for the next one.
    pub state_name: String,
    /// What scans do.
    pub config: ScanConfig,
    /// Whether everything is only planned.
    pub dry_run: bool,
    /// The nodes may be out of sight for so long before a scan is given up.
    pub patience: Duration,
}

/// Keeps the workers of a namespace's jobs in step with the nodes.
pub struct Reconciler {
    store: Store,
    options: Options,
    nodes: watch::Receiver<Seen>,
    metrics: Metrics,
    /// In a dry run, what scans would have left.
    dry_state: ScanState,
}

/// A job with its workers.
struct Standing {
    job: Job,
    record: Record,
    stored: Stored,
    pods: Pods,
    /// Why the record may be another one by now, so that it must be read again: somebody else has written it, or
    /// nobody knows whether it was written.
    lost: Option<ChangeError>,
}

impl Reconciler {
    /// Of a namespace on a cluster whose nodes somebody follows.
    #[must_use]
    pub fn new(client: &Client, options: Options, nodes: watch::Receiver<Seen>, metrics: Metrics) -> Self {
        let store = Store::new(client, &options.namespace, options.dry_run);
        Self { store, options, nodes, metrics, dry_state: ScanState::default() }
    }

    /// One scan; also what a journal needs: the state before it, and all that it saw and decided.
    ///
    /// # Errors
    /// Says why none could be made; nothing that was left undone is lost for the next one.
    pub async fn scan(&mut self, now: Timestamp) -> Result<(Report, ScanState, ScanRecord), String> {
        let result = self.try_scan(now).await;
        match &result {
            Ok((report, ..)) => self.metrics.scanned(report),
            Err(_) => self.metrics.failed(),
        }
        result
    }

    async fn try_scan(&mut self, now: Timestamp) -> Result<(Report, ScanState, ScanRecord), String> {
        let seen = self.seen().await?;
        let nodes = seen.records();
        let mut warnings = Vec::new();
        let mut standings = self.standings(&mut warnings).await?;
        for standing in standings.values_mut() {
            self.settle(standing, &mut warnings).await;
        }
        let (mut state, mut stored) = self.state().await?;
        let mut jobs = self.begin_new(&mut standings, now, &nodes).await;
        let tasks: Vec<FoundTask> = standings.values().map(Standing::found).collect();
        let scan = self.options.config.scan(&state, now, &nodes, &tasks);
        for decided in &scan.tasks {
            if let Some(standing) = standings.get_mut(&decided.task) {
                jobs.push(self.carry_out(standing, decided, false).await);
            }
        }
        for standing in standings.values() {
            self.follow(standing, &seen, &mut jobs).await;
        }
        let failed = failed(&jobs, &standings);
        let before = state.clone();
        state.store(now, &tasks, &scan, &failed);
        self.leave(state, &mut stored, &mut warnings).await;
        let report = report(&scan, &nodes, jobs, &standings, warnings);
        Ok((report, before, ScanRecord { t: now, nodes, tasks, scan, failed }))
    }

    /// The nodes of now; a watch that begins anew is waited for.
    async fn seen(&mut self) -> Result<Seen, String> {
        let known = self.nodes.wait_for(|seen| seen.check().is_ok());
        if let Ok(Ok(seen)) = tokio::time::timeout(self.options.patience, known).await {
            return Ok(seen.clone());
        }
        let why = self.nodes.borrow().check().err().unwrap_or_default();
        Err(format!("the nodes are not known: {why}"))
    }

    /// Every job with its record and its Pods.
    async fn standings(&self, warnings: &mut Vec<String>) -> Result<BTreeMap<TaskId, Standing>, String> {
        let jobs = self.store.maps(&format!("{}=true", labels::IS_JOB)).await?;
        let mut records = by_job(self.store.maps(labels::OF_JOB).await?, |map| &map.metadata);
        let mut pods = by_job(self.store.pods().await?, |pod| &pod.metadata);
        let mut standings = BTreeMap::new();
        // One that is being deleted takes its Pods with it.
        for map in jobs.into_iter().filter(|map| map.metadata.deletion_timestamp.is_none()) {
            let name = map.metadata.name.clone().unwrap_or_default();
            let (records, pods) =
                (records.remove(&name).unwrap_or_default(), pods.remove(&name).unwrap_or_default());
            let standing = Job::read(&map).and_then(|job| Standing::new(job, &records, pods));
            match standing {
                Ok(standing) if standings.contains_key(&standing.job.task.oid) => {
                    warnings.push(format!("{name}: another job has the same oid, so this one is left alone"));
                }
                Ok(standing) => drop(standings.insert(standing.job.task.oid.clone(), standing)),
                Err(why) => warnings.push(format!("{name}: {why}")),
            }
        }
        Ok(standings)
    }

    /// Takes down which workers have ended.
    async fn settle(&self, standing: &mut Standing, warnings: &mut Vec<String>) {
        let mut has_changed = false;
        for worker in &mut standing.record.workers {
            let observed = pods::observed(worker, standing.pods.get(&*worker.id.0));
            if observed.state == WorkerState::Closed && worker.state != WorkerState::Closed {
                worker.state = WorkerState::Closed;
                has_changed = true;
            }
        }
        if has_changed {
            let text = standing.record.to_json();
            if let Err(error) = self.store.save(&mut standing.stored, text).await {
                warnings.push(format!("{}: {error}", standing.job.name));
                standing.lost = Some(error);
            }
        }
    }

    /// A job that has no record yet gets its first workers at once, as a coordinator makes its own when it starts:
    /// also when scans are not to touch it later.
    async fn begin_new(
        &self,
        standings: &mut BTreeMap<TaskId, Standing>,
        now: Timestamp,
        nodes: &Nodes,
    ) -> Vec<Done> {
        let mut done = Vec::new();
        for standing in standings.values_mut().filter(|standing| standing.is_new()) {
            let mut task = standing.found();
            task.facts.auto_scaling = AutoScaling::default();
            let scan = ScanConfig::default().scan(&ScanState::default(), now, nodes, &[task]);
            for decided in &scan.tasks {
                // So that a job without workers counts as begun, too.
                self.write(standing).await;
                let mut begun = self.carry_out(standing, decided, true).await;
                if standing.lost.is_none() && !is_bad(begun.outcome.status) {
                    // Until this is written each scan begins the job again, and creates only what is missing.
                    standing.record.has_begun = true;
                    self.write(standing).await;
                }
                if let Some(why) = standing.lost.as_ref().filter(|_| !is_bad(begun.outcome.status)) {
                    (begun.outcome.status, begun.outcome.message) = (severity(why), Some(why.to_string()));
                }
                done.push(begun);
            }
        }
        done
    }

    /// Writes a job's record as it stands.
    async fn write(&self, standing: &mut Standing) {
        if standing.lost.is_none() {
            let text = standing.record.to_json();
            standing.lost = self.store.save(&mut standing.stored, text).await.err();
        }
    }

    /// Does what was decided, one change after the other, until one fails.
    async fn carry_out(&self, standing: &mut Standing, decided: &TaskScan, is_new: bool) -> Done {
        let mut done = Done {
            job: standing.job.name.clone(),
            is_new,
            left_alone: decided.ineligible.map(|why| why.to_string()),
            changes: Vec::new(),
            outcome: Outcome::default(),
        };
        let Some(activity) = decided.activities.first() else {
            done.outcome.status = Status::NotApplicable;
            return done;
        };
        done.changes.clone_from(&activity.plan.changes);
        done.outcome = activity.plan.begin();
        for change in &activity.plan.changes {
            let result = self.change(standing, change).await;
            if !done.outcome.take(change, result) {
                break;
            }
        }
        done
    }

    /// One change to a record: it holds if nobody else has written it meanwhile.
    async fn change(&self, standing: &mut Standing, change: &Change) -> Result<(), ChangeError> {
        if let Some(why) = &standing.lost {
            return Err(why.clone());
        }
        let mut record = standing.record.clone();
        let id = match change {
            Change::Create { .. } => record.new_id(&standing.job.name),
            _ => TaskId(standing.job.name.as_str().into()),
        };
        apply(&mut record.workers, change, || id)?;
        let saved = self.store.save(&mut standing.stored, record.to_json()).await;
        match &saved {
            Ok(()) => standing.record = record,
            Err(why) => standing.lost = Some(why.clone()),
        }
        saved
    }

    /// Brings a job's Pods in line with its record.
    async fn follow(&self, standing: &Standing, seen: &Seen, jobs: &mut Vec<Done>) {
        // A record that is not known must not start or stop anything.
        if standing.lost.is_some() {
            return;
        }
        let mut refused = Vec::new();
        for change in pods::changes(&standing.job, &standing.record.workers, &standing.pods, seen) {
            match self.store.change(&change).await {
                Ok(()) => {}
                // One Pod that cannot be had is no reason to leave the others.
                Err(NotDone::Refused(why)) => refused.push(why),
                Err(NotDone::Unheard(why)) => {
                    refused.push(why);
                    break;
                }
            }
        }
        let more = refused.len().saturating_sub(1);
        if let Some(first) = refused.into_iter().next() {
            let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
            blame(jobs, &standing.job.name, first + &more);
        }
    }

    async fn state(&self) -> Result<(ScanState, Stored), String> {
        let name = &self.options.state_name;
        let map = self.store.map(name).await?;
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            labels: Some([(labels::MANAGED_BY.to_owned(), labels::US.to_owned())].into()),
            ..ObjectMeta::default()
        };
        let is_ours = |map: &ConfigMap| {
            map.metadata
                .labels
                .as_ref()
                .and_then(|all| all.get(labels::MANAGED_BY))
                .is_some_and(|by| by == labels::US)
        };
        if !map.as_ref().is_none_or(is_ours) {
            return Err(format!(
                "ConfigMap {name}: found one that this program has not made, expected the name of a free one (--state-name)"
            ));
        }
        let stored = Stored::new(map.as_ref().map_or(metadata, |map| map.metadata.clone()), "state.json");
        if self.options.dry_run && self.dry_state != ScanState::default() {
            return Ok((self.dry_state.clone(), stored));
        }
        let wrong =
            |what: &dyn Display| format!("ConfigMap {name}: state.json: {what}; delete it to begin anew");
        let read = |text: &str| {
            let state: ScanState = serde_json::from_str(text).map_err(|error| wrong(&error))?;
            state.check().map(|()| state).map_err(|what| wrong(&format!("schema: {what}")))
        };
        let state = map.as_ref().and_then(|map| stored.text(map)).map_or(Ok(ScanState::default()), read)?;
        Ok((state, stored))
    }

    /// What a scan leaves for the next one. When that fails, the next one decides the same again.
    async fn leave(&mut self, state: ScanState, stored: &mut Stored, warnings: &mut Vec<String>) {
        // It only holds what can be written.
        let text = serde_json::to_string(&state).unwrap_or_default();
        if let Err(error) = self.store.save(stored, text).await {
            warnings.push(format!("what this scan leaves for the next one was not kept: {error}"));
        }
        if self.options.dry_run {
            self.dry_state = state;
        }
    }
}

impl Standing {
    fn new(job: Job, maps: &[ConfigMap], pods: Vec<Pod>) -> Result<Self, String> {
        let name = format!("{}-workers", job.name);
        let map =
            maps.iter().find(|map| map.metadata.name.as_ref() == Some(&name) && job.owns(&map.metadata));
        let pods: Vec<Pod> = pods.into_iter().filter(|pod| job.owns(&pod.metadata)).collect();
        let metadata = ObjectMeta {
            name: Some(name),
            labels: Some(
                [(labels::OF_JOB, job.name.as_str()), (labels::MANAGED_BY, labels::US)]
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into(),
            ),
            owner_references: Some(vec![job.owner.clone()]),
            ..ObjectMeta::default()
        };
        let stored = Stored::new(map.map_or(metadata, |map| map.metadata.clone()), "workers.json");
        let record = match map.and_then(|map| stored.text(map)) {
            Some(text) => Record::from_json(text)?,
            None => Record::of_pods(&job.name, pods.iter()),
        };
        let pods = pods.into_iter().filter_map(|pod| Some((pod.metadata.name.clone()?, pod))).collect();
        Ok(Self { job, record, stored, pods, lost: None })
    }

    fn is_new(&self) -> bool {
        !self.record.has_begun
    }

    fn found(&self) -> FoundTask {
        let task = &self.job.task;
        let is_running = task.execution != ExecutionState::Closed && !self.record.has_ended();
        let facts = TaskFacts {
            oid: task.oid.clone(),
            name: task.name.clone(),
            archetypes: task.archetypes.clone(),
            is_running,
            waits_for_children: is_running,
            auto_scaling: task.auto_scaling,
        };
        let observed = |worker: &CurrentWorker| pods::observed(worker, self.pods.get(&*worker.id.0));
        let activity = FoundActivity {
            name: task.activity.clone(),
            workers: Some(task.workers.clone()),
            is_in_progress: is_running,
            is_scavenging: self.record.is_scavenging(),
            is_work_complete: self.record.is_work_complete(),
            is_suspended: self.job.is_suspended,
            current: self.record.workers.iter().map(observed).collect(),
        };
        FoundTask { facts, activities: vec![activity] }
    }
}

fn by_job<T>(items: Vec<T>, metadata: impl Fn(&T) -> &ObjectMeta) -> BTreeMap<String, Vec<T>> {
    let mut by_job = BTreeMap::<String, Vec<T>>::new();
    for item in items {
        let job = metadata(&item).labels.as_ref().and_then(|all| all.get(labels::OF_JOB)).cloned();
        by_job.entry(job.unwrap_or_default()).or_default().push(item);
    }
    by_job
}

/// A Pod that could not be had is a failure of its job.
fn blame(jobs: &mut Vec<Done>, job: &str, why: String) {
    let at = jobs.iter().position(|done| done.job == job).unwrap_or_else(|| {
        let done = Done {
            job: job.to_owned(),
            is_new: false,
            left_alone: None,
            changes: Vec::new(),
            outcome: Outcome::default(),
        };
        jobs.push(done);
        jobs.len() - 1
    });
    let outcome = &mut jobs[at].outcome;
    (outcome.status, outcome.message) = (Status::FatalError, Some(why));
}

const fn is_bad(status: Status) -> bool {
    matches!(status, Status::Warning | Status::FatalError)
}

const fn severity(error: &ChangeError) -> Status {
    match error {
        ChangeError::Conflict => Status::Warning,
        ChangeError::Failed(_) => Status::FatalError,
    }
}

fn failed(jobs: &[Done], standings: &BTreeMap<TaskId, Standing>) -> BTreeSet<TaskId> {
    let has_failed = |job: &str| jobs.iter().any(|done| done.job == job && is_bad(done.outcome.status));
    let failed = standings.iter().filter(|(_, standing)| has_failed(&standing.job.name));
    failed.map(|(oid, _)| oid.clone()).collect()
}

fn report(
    scan: &Scan,
    nodes: &Nodes,
    jobs: Vec<Done>,
    standings: &BTreeMap<TaskId, Standing>,
    warnings: Vec<String>,
) -> Report {
    let mut workers = Vec::new();
    for standing in standings.values() {
        let mut states = BTreeMap::<WorkerState, usize>::new();
        for worker in &standing.found().activities[0].current {
            *states.entry(worker.state).or_default() += 1;
        }
        workers.extend(states.into_iter().map(|(state, count)| (standing.job.name.clone(), state, count)));
    }
    Report { reason: scan.reason, up: nodes.up().into_iter().collect(), jobs, workers, warnings }
}
