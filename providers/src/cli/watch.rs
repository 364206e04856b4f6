//! `wci-controller watch`: what the controllers see and do, as a table that renews itself.
//!
//! Looking and showing go their own ways: the rows are looked at one after the other, at a pace that spares the
//! server however many there are, while the table shows what is known so far. What cannot be read is said in its row.

use super::demo::seconds;
use super::start::Stop;
use super::{Failed, reach, written};
use crate::controller::Client;
use crate::controller::client::Summary;
use crate::controller::connect::ConnectionArgs;
use crate::controller::contract::DEFAULT_TASK_QUEUE;
use crate::controller::journal::{Histories, Newest, Place};
use crate::controller::{Pace, read_queues, sum};
use crate::error::ProviderError;
use clap::Args;
use futures::future::join_all;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use wci_core::controller::{FailureClass, WorkerDeploymentVersion};
use wci_core::metrics::MetricsSnapshot;

/// Versions looked at in a second: a tenth of the reads that the server allows a namespace.
const LOOKS_PER_SECOND: u32 = 5;
/// How long a look waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Args)]
pub(super) struct WatchArgs {
    /// Seconds between two looks; of many controllers five are looked at in a second
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    every: f64,
    /// Look once and end; the exit status is 1 if something could not be read
    #[arg(long)]
    once: bool,
    /// Only this worker deployment
    #[arg(long, short)]
    deployment_name: Option<String>,
}

pub(super) async fn watch(connection: &ConnectionArgs, args: WatchArgs) -> Result<(), Failed> {
    let client = Client::new(reach(connection).await?, DEFAULT_TASK_QUEUE);
    let watcher = Watcher {
        client,
        pace: Pace::a_second(LOOKS_PER_SECOND),
        only: args.deployment_name,
        every: Duration::from_secs_f64(args.every.clamp(0.2, 3600.0)),
        table: Mutex::default(),
        has_news: Notify::new(),
    };
    if args.once {
        return watcher.once().await;
    }
    let stop = Stop::listen().map_err(|e| format!("cannot listen for signals: {e}"))?;
    tokio::select! {
        () = watcher.look() => Ok(()),
        ended = watcher.show() => written(ended),
        () = stop.wait() => Ok(()),
    }
}

struct Watcher {
    client: Client,
    pace: Pace,
    only: Option<String>,
    every: Duration,
    table: Mutex<Table>,
    has_news: Notify,
}

impl Watcher {
    async fn once(&self) -> Result<(), Failed> {
        self.round().await;
        let table = self.table();
        written(table.write(&mut io::stdout().lock()))?;
        let troubles = table.rows.values().filter(|row| row.trouble.is_some()).count();
        match &table.trouble {
            Some(why) => Err(Failed::Action(why.clone())),
            None if troubles > 0 => Err(Failed::Action(format!("{troubles} controllers could not be read"))),
            None => Ok(()),
        }
    }

    /// Looks at all rows again and again.
    async fn look(&self) {
        loop {
            let next = Instant::now() + self.every;
            self.round().await;
            self.has_news.notify_one();
            sleep_until(next).await;
        }
    }

    /// Shows the table whenever all rows were looked at, and meanwhile as often as is asked for.
    async fn show(&self) -> io::Result<()> {
        let clears = io::stdout().is_terminal();
        loop {
            let _ = timeout(self.every, self.has_news.notified()).await;
            let mut text = Vec::new();
            self.table().write(&mut text)?;
            let mut out = io::stdout().lock();
            if clears {
                out.write_all(b"\x1b[H\x1b[2J")?;
            }
            out.write_all(&text)?;
            out.flush()?;
        }
    }

    async fn round(&self) {
        match self.client.list_all().await {
            Ok(all) => self.table().take_list(all, self.only.as_deref()),
            Err(e) => self.table().trouble = Some(format!("the list cannot be read: {e}")),
        }
        let names: Vec<_> = self.table().rows.keys().cloned().collect();
        join_all(names.into_iter().map(|name| self.renew(name))).await;
    }

    /// Looks at one row when its turn has come; one that does not answer keeps no other waiting.
    async fn renew(&self, name: (String, String)) {
        self.pace.turn().await;
        let version = WorkerDeploymentVersion { deployment_name: name.0.clone(), build_id: name.1.clone() };
        let mut place = self.table().rows.get(&name).map_or_else(Place::default, |row| row.place);
        let seen = Seen::of(&self.client, &version, &mut place).await;
        if let Some(row) = self.table().rows.get_mut(&name) {
            row.place = place;
            row.take(seen);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A table that somebody left half changed still shows more than none.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one look has found, or why it could not.
struct Seen {
    figures: Result<Option<MetricsSnapshot>, String>,
    workers: Result<String, String>,
    decision: Result<Option<Newest>, String>,
}

impl Seen {
    async fn of(client: &Client, version: &WorkerDeploymentVersion, place: &mut Place) -> Self {
        let histories = Histories::of(client, version);
        let (queues, state, decision) = tokio::join!(
            answered(read_figures(client, version)),
            answered(client.dump(version)),
            answered(histories.newest(place)),
        );
        let workers = state.map(|state| {
            let counts = state.scaling_state.values().filter_map(|s| s.get("worker_count"));
            counts.map(ToString::to_string).collect::<Vec<_>>().join("+")
        });
        Self { figures: queues, workers, decision }
    }
}

/// Nothing of a version whose workers never polled; that is `check`'s to say.
async fn read_figures(
    client: &Client,
    version: &WorkerDeploymentVersion,
) -> Result<Option<MetricsSnapshot>, ProviderError> {
    match read_queues(client.temporal(), version, true).await {
        Err(e) if e.class == FailureClass::NotFound => Ok(None),
        read => read.map(|queues| Some(sum(&queues))),
    }
}

/// The server asks the controller itself for some of this, and waits for it if no process serves it.
async fn answered<T, E: Display>(call: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    match timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(|e| e.to_string()),
        Err(_) => Err(format!("no answer within {} s: does a process serve it?", PATIENCE.as_secs())),
    }
}

/// What is known of the namespace's controllers, by deployment and build.
#[derive(Default)]
struct Table {
    rows: BTreeMap<(String, String), Row>,
    /// Why the list is old.
    trouble: Option<String>,
    is_listed: bool,
}

/// What is known of one. What could not be read again stays as it was.
#[derive(Default)]
struct Row {
    figures: Option<MetricsSnapshot>,
    workers: String,
    decision: Option<Newest>,
    place: Place,
    trouble: Option<String>,
    /// Why its workflow tasks fail again and again.
    problem: Option<String>,
}

impl Row {
    fn take(&mut self, seen: Seen) {
        let mut troubles = Vec::new();
        match seen.figures {
            Ok(figures) => self.figures = figures,
            Err(why) => troubles.push(why),
        }
        match seen.workers {
            Ok(workers) => self.workers = workers,
            Err(why) => troubles.push(why),
        }
        match seen.decision {
            Ok(decision) => self.decision = decision.or(self.decision.take()),
            Err(why) => troubles.push(why),
        }
        // Mostly one cause fails them all; the first says enough in one line.
        self.trouble = troubles.into_iter().next();
    }

    fn last(&self) -> String {
        let decision = self.decision.as_ref().map(words);
        // A stuck controller answers nothing: that is the one trouble to be told of.
        let trouble = match (&self.problem, &self.trouble) {
            (Some(problem), _) => Some(format!("STUCK: {problem}: `wci-controller check` says what to do")),
            (None, why) => why.as_ref().map(|why| format!("NOT READ: {why}")),
        };
        decision.into_iter().chain(trouble).collect::<Vec<_>>().join("  ")
    }
}

impl Table {
    fn take_list(&mut self, all: Vec<Summary>, only: Option<&str>) {
        let shown = all.into_iter().filter(|one| only.is_none_or(|name| one.deployment_name == name));
        let mut former = std::mem::take(&mut self.rows);
        self.rows = shown
            .map(|one| {
                let name = (one.deployment_name, one.build_id);
                let row = former.remove(&name).unwrap_or_default();
                (name, Row { problem: one.problem, ..row })
            })
            .collect();
        self.trouble = None;
        self.is_listed = true;
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        if let Some(why) = &self.trouble {
            writeln!(out, "{why}")?;
        }
        if !self.is_listed {
            return Ok(());
        }
        let named = |(name, build): &(String, String)| format!("{name}:{build}");
        let width = self.rows.keys().map(|key| named(key).len()).max().unwrap_or(0).max("VERSION".len());
        writeln!(
            out,
            "{:<width$}  {:>8}  {:>15}  {:>7}  LAST DECISION",
            "VERSION", "BACKLOG", "IN / OUT PER S", "WORKERS"
        )?;
        for (name, row) in &self.rows {
            let (backlog, rates) = row.figures.as_ref().map_or_else(|| ("-".into(), "-".into()), figures);
            let (name, workers, last) = (named(name), &row.workers, row.last());
            writeln!(out, "{name:<width$}  {backlog:>8}  {rates:>15}  {workers:>7}  {last}")?;
        }
        Ok(())
    }
}

fn figures(snapshot: &MetricsSnapshot) -> (String, String) {
    let present = || snapshot.present().map(|(_, queue)| queue);
    let backlog: i64 = present().map(|queue| queue.last_backlog_count).sum();
    let arrivals: f32 = present().map(|queue| queue.last_arrival_rate).sum();
    let dispatches: f32 = present().map(|queue| queue.last_processing_rate).sum();
    (backlog.to_string(), format!("{arrivals:.1} / {dispatches:.1}"))
}

fn words(newest: &Newest) -> String {
    let decision = match newest {
        Newest::Ours(decision) => decision,
        Newest::Original(act) => return format!("{act} (by the original)"),
    };
    let reason = &decision.reason;
    let wish = match (reason.recommended_workers, reason.desired_workers) {
        (Some(wished), Some(left)) if wished != left => format!(" {wished}, cut to {left}"),
        (_, Some(left)) => format!(" {left}"),
        _ => String::new(),
    };
    let limit = reason.limit.map(|limit| format!(" ({})", limit.sentence())).unwrap_or_default();
    format!("{}:{wish} {}{limit}", decision.group, reason.rule.sentence())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wci_core::metrics::QueueMetrics;

    fn summary(name: &str) -> Summary {
        Summary { deployment_name: name.into(), build_id: "1".into(), ..Summary::default() }
    }

    fn seen(backlog: i64) -> Seen {
        let activity = Some(QueueMetrics { last_backlog_count: backlog, ..QueueMetrics::default() });
        let snapshot = MetricsSnapshot { activity, ..MetricsSnapshot::default() };
        Seen { figures: Ok(Some(snapshot)), workers: Ok("3".into()), decision: Ok(None) }
    }

    fn text(table: &Table) -> String {
        let mut text = Vec::new();
        table.write(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn row<'a>(table: &'a mut Table, name: &str) -> &'a mut Row {
        table.rows.get_mut(&(name.to_owned(), "1".to_owned())).unwrap()
    }

    #[test]
    fn what_cannot_be_read_is_said_in_its_row_and_what_was_read_stays() {
        let mut table = Table::default();
        assert_eq!(text(&table), "", "nothing is claimed before the first list");
        table.take_list(vec![summary("a"), summary("b")], None);
        row(&mut table, "a").take(seen(7));
        row(&mut table, "b").take(seen(5));
        let down = "reading version a:1: gone away".to_owned();
        row(&mut table, "a").take(Seen { figures: Err(down), ..seen(0) });
        table.trouble = Some("the list cannot be read: gone away".into());
        let shown = text(&table);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "the list cannot be read: gone away");
        assert!(lines[2].contains("  7  ") && lines[2].ends_with("NOT READ: reading version a:1: gone away"));
        assert!(lines[3].contains("  5  ") && !lines[3].contains("NOT READ"));
        row(&mut table, "a").take(seen(2));
        table.take_list(vec![summary("a")], None);
        let shown = text(&table);
        assert!(shown.contains("  2  ") && !shown.contains("NOT READ") && !shown.contains("b:1"), "{shown}");
    }

    #[test]
    fn a_stuck_controller_is_told_of_in_its_row_until_it_goes_on() {
        let stuck = || Summary { problem: Some("WorkflowTaskFailed".into()), ..summary("a") };
        let mut table = Table::default();
        table.take_list(vec![stuck(), summary("b")], None);
        row(&mut table, "a").take(Seen { workers: Err("it does not answer".into()), ..seen(7) });
        let shown = text(&table);
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[1].contains("  7  ") && lines[1].contains("STUCK: WorkflowTaskFailed"), "{shown}");
        assert!(!lines[1].contains("NOT READ") && !lines[2].contains("STUCK"), "{shown}");
        table.take_list(vec![summary("a"), summary("b")], None);
        assert!(!text(&table).contains("STUCK"));
    }

    #[test]
    fn a_list_keeps_what_is_known_of_those_that_stay() {
        let mut table = Table::default();
        table.take_list(vec![summary("a"), summary("b")], Some("a"));
        row(&mut table, "a").take(seen(7));
        table.take_list(vec![summary("a"), summary("b")], Some("a"));
        let shown = text(&table);
        assert!(shown.contains("a:1") && shown.contains("  7  ") && !shown.contains("b:1"), "{shown}");
    }
}
