//! One decision of the core, as a plain function: what happened goes in, a record of what to do comes out.

use crate::provider::VersionName;
use serde::{Deserialize, Serialize};
use wci_core::controller::{Input, Settings, WorkerDeploymentVersion};
use wci_core::decision::Action;
use wci_core::journal::{Entry, Header};
use wci_core::{Controller, State, Step, Timestamp};

/// A due timer is served at once, but not forever: something else may want to be told meanwhile.
const MOST_WAKE_UPS: usize = 100;

/// What the local activity is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Question {
    pub(super) namespace: String,
    pub(super) version: WorkerDeploymentVersion,
    /// The settings of the last decision; none: a run begins.
    pub(super) settings: Option<Settings>,
    /// Those of the run before, when one begins.
    pub(super) former: Option<Settings>,
    pub(super) state: State,
    pub(super) inputs: Vec<Input>,
    /// Entries recorded in this run so far.
    pub(super) recorded: u64,
    /// The run shall end as soon as no update is under way.
    pub(super) shall_end: bool,
}

/// What is recorded in history. The journal is made from it alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The journal's header, when a run begins; its providers' configurations are hashes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) header: Option<Box<Header>>,
    /// What beginning the run itself caused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<Step>,
    /// Each handled input with its time and its step.
    pub(super) entries: Vec<Entry>,
    /// How many of the inputs were handled: on replay more may have come when the question is asked. None in histories
    /// from before this was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) taken: Option<usize>,
    pub(super) state: State,
    /// When the last of it happened.
    pub(super) at: Timestamp,
    /// The settings from now on, when they changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<Box<Settings>>,
}

impl Question {
    /// The version, to remember something by.
    pub(super) fn version_name(&self) -> VersionName {
        (self.version.deployment_name.clone(), self.version.build_id.clone())
    }
}

/// Hands the inputs to the core, one by one, each at the time at which it is taken.
pub(super) fn decide(question: Question, settings: Settings, mut clock: impl FnMut() -> Timestamp) -> Record {
    let mut record = Record { taken: Some(question.inputs.len()), ..Record::default() };
    let mut now = clock();
    let mut tick = move || {
        now = now.max(clock());
        now
    };
    record.at = tick();
    let Question { version, state, inputs, recorded, shall_end, .. } = question;
    let shall_end = shall_end && !state.wci.is_continue_wanted;
    let (mut controller, news) = match question.settings {
        None => {
            let (controller, begun) = Controller::start(version, settings.clone(), state, tick());
            record.header = Some(Box::new(Header::of(&controller)));
            record.begun = Some(begun);
            record.settings = Some(Box::new(settings));
            (controller, None)
        }
        Some(former) => {
            let news = (former != settings).then(|| Box::new(settings));
            record.settings.clone_from(&news);
            (Controller::resume(version, former, state), news)
        }
    };
    let mut wake_at = record.begun.as_ref().and_then(|step| step.wake_at);
    let mut handle = |controller: &mut Controller, input: Input| {
        let t = tick();
        let step = controller.handle(t, input.clone());
        (wake_at, record.at) = (step.wake_at, t);
        let n = recorded + 1 + record.entries.len() as u64;
        record.entries.push(Entry { n, t, input, step });
        wake_at.is_some_and(|wake_at| wake_at <= record.at)
    };
    let mut is_due = false;
    for input in news.map(Input::SettingsChanged).into_iter().chain(inputs) {
        is_due = handle(&mut controller, input);
    }
    for _ in 0..MOST_WAKE_UPS {
        if !is_due {
            break;
        }
        is_due = handle(&mut controller, Input::WokeUp);
    }
    if shall_end && !controller.is_deleted() && !controller.is_updating() {
        handle(&mut controller, Input::ContinueWanted);
    }
    record.state = controller.dump();
    record
}

impl Record {
    /// What is left to do, in its order.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        let steps = self.begun.iter_mut().chain(self.entries.iter_mut().map(|entry| &mut entry.step));
        steps.flat_map(|step| std::mem::take(&mut step.actions)).collect()
    }

    /// The inputs that it was given and took. What the decision itself told the core stands before and behind them.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Input> {
        let inputs = self.entries.iter().map(|entry| &entry.input);
        let is_own = |input: &&Input| matches!(input, Input::SettingsChanged(_));
        inputs.skip_while(is_own).take(self.taken.unwrap_or(0))
    }

    /// When the core wants to be woken after all of it.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.steps().last().and_then(|step| step.wake_at)
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.begun.iter().chain(self.entries.iter().map(|entry| &entry.step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use wci_core::controller::{Request, Update};
    use wci_core::journal::{Record as Line, Replay};
    use wci_core::metrics::MetricsSnapshot;

    const T0: Timestamp = Timestamp::from_millis(1_000_000);

    fn question() -> Question {
        let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "aws-lambda",
            "config": {"arn": "arn:aws:lambda:eu-west-1:1:function:f"}}}}});
        let version = WorkerDeploymentVersion { deployment_name: "d".into(), build_id: "b".into() };
        let state = State::new(Some(serde_json::from_value(spec).unwrap()), Timestamp::EPOCH);
        Question { version, state, ..Question::default() }
    }

    fn task_add() -> Input {
        Input::TaskAdd(
            serde_json::from_value(json!({"task_queue_type": 2, "no_sync_match_signals_batched": 1}))
                .unwrap(),
        )
    }

    #[test]
    fn a_record_is_a_journal_that_replays() {
        let mut now = 1_000_000;
        let mut clock = || {
            now += 7;
            Timestamp::from_millis(now)
        };
        let begun = decide(question(), Settings::default(), &mut clock);
        let mut replay = Replay::new();
        replay.take(Line::Header(begun.header.clone().unwrap()));
        let next = Question {
            settings: begun.settings.as_deref().cloned(),
            state: begun.state.clone(),
            inputs: vec![task_add(), task_add()],
            recorded: begun.entries.len() as u64,
            ..question()
        };
        let told = decide(next, Settings { enabled: false, ..Settings::default() }, &mut clock);
        assert!(matches!(told.entries[0].input, Input::SettingsChanged(_)));
        assert!(told.settings.is_some());
        for entry in begun.entries.into_iter().chain(told.entries) {
            replay.take(Line::Entry(Box::new(entry)));
        }
        let found = replay.finish();
        assert_eq!((found.entries, found.different_steps), (3, 0));
    }

    #[test]
    fn a_deferred_decision_takes_statistics_that_are_fresh_and_reads_others() {
        let spec = json!({"scaling_group_specs": {"g": {
            "compute": {"provider_type": "external"},
            "scaling": {"scaling_algorithm": "rate-based", "config": {"max_count": 9}}}}});
        let state = State::new(Some(serde_json::from_value(spec).unwrap()), Timestamp::EPOCH);
        let begun = decide(Question { state, ..question() }, Settings::default(), || T0);
        let then = |before: &Record, after: i64, input| {
            // What one decision leaves to the next one goes through the history.
            let state = serde_json::from_str(&serde_json::to_string(&before.state).unwrap()).unwrap();
            let asked =
                Question { settings: Some(Settings::default()), state, inputs: vec![input], ..question() };
            decide(asked, Settings::default(), || Timestamp::from_millis(T0.as_millis() + after))
        };
        let ordered = |record: &Record| record.clone().take_actions().into_iter().map(|a| a.id).collect();
        let done = |record: &Record| {
            let ids: Vec<_> = ordered(record);
            Input::ActionFinished { id: ids[0], result: Ok(()) }
        };
        let up = then(&begun, 0, task_add());
        let fetch = then(&up, 0, done(&up));
        let ids: Vec<_> = ordered(&fetch);
        assert_eq!(ids.len(), 1, "without any statistics they are read");
        let came = Input::Metrics { id: ids[0], result: Ok(MetricsSnapshot::default()) };
        let read = then(&fetch, 0, came);
        for (age, is_answered) in [(999, true), (1000, false)] {
            let told = then(&read, age, task_add());
            let ids: Vec<_> = ordered(&told);
            assert_eq!(ids.is_empty(), is_answered, "after {age} ms");
            assert_eq!(told.entries.len(), 1);
            let decisions = &told.entries[0].step.decisions;
            assert_eq!(decisions.len(), 1 + usize::from(is_answered), "{decisions:?}");
            assert_eq!(told.state.wci.in_flight.is_none(), is_answered);
        }
    }

    #[test]
    fn a_run_that_shall_end_is_told_so_once_and_not_while_an_update_is_under_way() {
        let clock = || Timestamp::from_millis(5);
        let begun = decide(question(), Settings::default(), clock);
        let ask = |state: &State, inputs| Question {
            settings: Some(Settings::default()),
            state: state.clone(),
            inputs,
            shall_end: true,
            ..question()
        };
        let told = |record: &Record| record.entries.last().map(|entry| entry.input.clone());
        let wanted = decide(ask(&begun.state, vec![task_add()]), Settings::default(), clock);
        assert_eq!(told(&wanted), Some(Input::ContinueWanted));
        let once = decide(ask(&wanted.state, vec![task_add()]), Settings::default(), clock);
        assert_eq!(told(&once), Some(task_add()));
        let update =
            Update { spec: begun.state.spec.as_ref().map(|spec| spec.to_json()), ..Update::default() };
        let request = Input::Requested { request_id: "1".into(), request: Box::new(Request::Update(update)) };
        let updating = decide(ask(&begun.state, vec![request.clone()]), Settings::default(), clock);
        assert_eq!(told(&updating), Some(request));
    }

    #[test]
    fn a_header_holds_no_configuration() {
        let record = decide(question(), Settings::default(), || Timestamp::from_millis(5));
        assert!(!serde_json::to_string(&record.header).unwrap().contains("function:f"));
    }

    #[test]
    fn time_never_goes_backwards() {
        let mut times = [50, 40, 60, 10].into_iter().cycle();
        let clock = || Timestamp::from_millis(times.next().unwrap());
        let begun = decide(question(), Settings::default(), || Timestamp::from_millis(50));
        let inputs = vec![task_add(), task_add(), task_add()];
        let next = Question { settings: Some(Settings::default()), state: begun.state, inputs, ..question() };
        let record = decide(next, Settings::default(), clock);
        assert!(record.entries.windows(2).all(|pair| pair[0].t <= pair[1].t));
    }
}
