//! What holds for every spec, every sequence of inputs and every state, however damaged.

use super::*;
use crate::decision::{ActionId, GroupName, Registration};
use crate::journal::{JournalWriter, replay};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeSet;

/// Stands in every provider's configuration and in no journal.
const SECRET: &str = "arn-of-a-secret-role";

/// Something that happens, before it is known what is in flight.
#[derive(Clone, Debug)]
enum Event {
    Signal(TaskAdd),
    Observe(GroupName, Observation),
    Wake,
    /// Answers the action that takes its turn.
    Answer(MetricsSnapshot, Option<FailureClass>),
    /// Answers the oldest check or registration.
    AnswerRequest(Option<FailureClass>),
    Stray(Box<Input>),
    Request(Box<Request>),
    Settings(Box<Settings>),
    ContinueWanted,
    /// The state goes to another process, in the middle of a run.
    Resume,
    /// The run ends and another one begins.
    Restart,
    Wait(i64),
}

/// A controller under test, everything it is owed, and its journal.
struct Checked {
    controller: Controller,
    now: i64,
    in_flight: Option<(ActionId, bool)>,
    owed: Vec<(ActionId, Option<Vec<Registration>>)>,
    given: BTreeSet<u64>,
    last_turn: Option<ActionId>,
    last_other: Option<ActionId>,
    is_continue_wanted: bool,
    journal: JournalWriter<Vec<u8>>,
}

impl Checked {
    fn start(settings: Settings, state: State, now: i64) -> Self {
        let (controller, step) = Controller::start(version(), settings, state, Timestamp::from_millis(now));
        let journal = JournalWriter::begin(Vec::new(), &controller).unwrap();
        let mut checked = Self {
            controller,
            now,
            in_flight: None,
            owed: Vec::new(),
            given: BTreeSet::new(),
            last_turn: None,
            last_other: None,
            is_continue_wanted: false,
            journal,
        };
        checked.check_start(&step);
        checked
    }

    fn check_start(&mut self, step: &Step) {
        assert!(step.decisions.is_empty());
        assert!(step.actions.iter().all(|action| !takes_turns(action)));
        assert_eq!(step.wake_at.is_none(), self.controller.is_deleted());
        assert!(self.controller.is_idle());
        self.note(step);
    }

    fn happen(&mut self, event: Event) {
        let input = match event {
            Event::Signal(add) => Input::TaskAdd(add),
            Event::Observe(group, observation) => Input::Observation { group, observation },
            Event::Wake => Input::WokeUp,
            Event::Answer(metrics, class) => match self.in_flight.take() {
                Some((id, true)) => Input::Metrics { id, result: class.map_or(Ok(metrics), Err) },
                Some((id, false)) => Input::ActionFinished { id, result: class.map_or(Ok(()), Err) },
                None => return,
            },
            Event::AnswerRequest(class) if !self.owed.is_empty() => self.answer_request(class),
            Event::AnswerRequest(_) => return,
            Event::Stray(input) => *input,
            Event::Request(request) => Input::Requested { request_id: "r".to_owned(), request },
            Event::Settings(settings) => Input::SettingsChanged(settings),
            Event::ContinueWanted => Input::ContinueWanted,
            Event::Resume => return self.resume(),
            Event::Restart => return self.restart(),
            Event::Wait(millis) => {
                self.now = self.now.saturating_add(millis);
                return;
            }
        };
        self.handle(input);
    }

    fn answer_request(&mut self, class: Option<FailureClass>) -> Input {
        let failure = class.map(|class| Failure { class, message: "no".to_owned() });
        match self.owed.remove(0) {
            (id, None) => Input::SpecChecked { id, result: failure.map_or(Ok(()), Err) },
            (id, Some(groups)) => {
                let launched = groups.iter().step_by(2).map(|group| group.group.clone()).collect();
                Input::Registered { id, result: failure.map_or(Ok(launched), Err) }
            }
        }
    }

    fn handle(&mut self, input: Input) {
        self.is_continue_wanted |= matches!(input, Input::ContinueWanted);
        let now = Timestamp::from_millis(self.now);
        let step = self.controller.handle(now, input.clone());
        self.journal.record(now, &input, &step).unwrap();
        self.note(&step);
        self.check_wake_up(&step);
        let most = self.controller.settings().max_waiting_signals.max(1);
        assert!(self.controller.waiting_signals() <= most);
        assert!(self.controller.is_idle() || self.in_flight.is_some() || !self.owed.is_empty());
    }

    /// One thing at a time, and numbers that are never given twice.
    fn note(&mut self, step: &Step) {
        for action in &step.actions {
            assert!(self.given.insert(action.id.0), "{action:?} has a number that was given before");
            let last = if takes_turns(action) { &mut self.last_turn } else { &mut self.last_other };
            assert!(last.is_none_or(|last| last < action.id), "{action:?} comes after {last:?}");
            *last = Some(action.id);
            assert!(!self.is_continue_wanted || !begins_something(action), "{action:?} is begun too late");
            match &action.kind {
                ActionKind::CheckSpec { .. } => self.owed.push((action.id, None)),
                ActionKind::RegisterTaskQueues { groups } => {
                    self.owed.push((action.id, Some(groups.clone())))
                }
                kind if takes_turns(action) => {
                    assert_eq!(self.in_flight, None, "{action:?} is begun while another one is in flight");
                    self.in_flight = Some((action.id, matches!(kind, ActionKind::FetchMetrics { .. })));
                }
                _ => {}
            }
        }
        if self.controller.is_deleted() {
            self.in_flight = None;
            self.owed.clear();
        }
    }

    fn check_wake_up(&self, step: &Step) {
        match step.wake_at {
            None => assert!(self.controller.is_deleted(), "a living controller wants to be woken"),
            Some(at) => assert!(at.as_millis() > self.now || self.now == i64::MAX, "{at:?} is not ahead"),
        }
    }

    /// Through JSON and back.
    fn carried(&self) -> State {
        let state = self.controller.dump();
        let text = serde_json::to_string(&state).unwrap();
        let read: State = serde_json::from_str(&text).unwrap();
        assert_eq!(read, state);
        read
    }

    fn resume(&mut self) {
        let settings = self.controller.settings().clone();
        self.controller = Controller::resume(version(), settings, self.carried());
    }

    fn restart(&mut self) {
        let settings = self.controller.settings().clone();
        let now = Timestamp::from_millis(self.now);
        let (controller, step) = Controller::start(version(), settings, self.carried(), now);
        self.controller = controller;
        self.is_continue_wanted = false;
        self.in_flight = None;
        self.owed.clear();
        let journal = std::mem::replace(&mut self.journal, JournalWriter::resume(Vec::new(), 0));
        self.journal = JournalWriter::begin(journal.into_inner(), &self.controller).unwrap();
        self.check_start(&step);
    }

    /// The journal leads to the same steps and holds no secret; the state is settled.
    fn finish(self) {
        let settled = self.carried();
        let now = Timestamp::from_millis(self.now);
        if self.controller.is_idle() && !self.controller.is_deleted() {
            let settings = self.controller.settings();
            let restart = |state: State| Controller::start(version(), settings.clone(), state, now).0.dump();
            let once = restart(settled.clone());
            assert_eq!(without_timers(once.clone()), without_timers(settled));
            assert_eq!(restart(once.clone()), once);
        }
        let journal = self.journal.into_inner();
        let replayed = replay(&journal).unwrap();
        assert_eq!(replayed.differences, []);
        let text = String::from_utf8(journal).unwrap();
        assert!(!text.contains(SECRET), "the journal holds a provider's configuration");
    }
}

/// A new run sets its timers anew and may continue.
fn without_timers(mut state: State) -> State {
    let Bookkeeping { next_poll_at, poll_interval, next_validation_at, is_continue_wanted, .. } =
        &mut state.wci;
    (*next_poll_at, *poll_interval, *next_validation_at, *is_continue_wanted) = (None, None, None, false);
    state
}

fn takes_turns(action: &Action) -> bool {
    matches!(
        action.kind,
        ActionKind::FetchMetrics { .. }
            | ActionKind::InvokeWorker { .. }
            | ActionKind::SetWorkerSetSize { .. }
    )
}

fn begins_something(action: &Action) -> bool {
    !matches!(action.kind, ActionKind::Answer { .. } | ActionKind::Finish)
}

fn algorithm() -> impl Strategy<Value = (&'static str, Value)> {
    select(vec![
        (
            "aws-lambda",
            lambda("no-sync", json!({ "scale_up_cooloff_ms": 0, "metrics_poll_interval_ms": 10_000 })),
        ),
        ("aws-lambda", lambda("no-sync", json!({ "scale_up_dispatch_rate_epsilon": "0.5" }))),
        ("aws-lambda", lambda("no-sync-confirmed", json!({}))),
        ("aws-lambda", lambda("backlog", json!({}))),
        ("aws-lambda", lambda("pid", json!({ "kp": 1.5 }))),
        ("k8s", worker_set("rate-based", json!({ "initial_count": 3 }))),
        ("k8s", worker_set("peak-rate", json!({ "min_count": 1 }))),
        ("k8s", worker_set("pid", json!({}))),
        ("k8s", worker_set("fixed", json!({ "count": 4 }))),
        ("aws-lambda", json!({ "compute": { "provider_type": "aws-lambda" } })),
    ])
}

/// One to three groups with different task types; the last one may be the catch-all.
fn groups() -> impl Strategy<Value = Value> {
    let one = (algorithm(), any::<bool>());
    (proptest::collection::vec(one, 1..=3), any::<bool>()).prop_map(|(chosen, has_catch_all)| {
        let last = chosen.len() - 1;
        let named = chosen.into_iter().enumerate().map(|(index, ((provider, mut group), is_regional))| {
            let key = if provider == "k8s" { "deployment" } else { "arn" };
            group["compute"]["config"] = json!({ key: SECRET });
            if !(has_catch_all && index == last) {
                group["task_types"] = json!([index + 1]);
            }
            if is_regional {
                group["region_ids"] = json!(["eu-west-1"]);
            }
            (["a", "b", "c"][index].to_owned(), group)
        });
        Value::Object(named.collect())
    })
}

fn settings() -> impl Strategy<Value = Settings> {
    let odd = select(vec![i64::MIN, -1, 0, 1, 1000, 45_000, 300_000, i64::MAX]);
    (any::<[bool; 7]>(), 0..6_usize, 0..4_u32, odd.clone(), odd.clone(), odd).prop_map(
        |(flags, max_waiting_signals, signals_before_timer, longest, validation, max_age)| Settings {
            enabled: flags[0] || flags[1],
            host_region: flags[2].then(|| "eu-west-1".to_owned()),
            max_waiting_signals,
            signals_before_timer,
            longest_poll: if flags[3] { Millis::new(longest) } else { Millis::from_secs(300) },
            first_poll_after: Millis::new(longest),
            validation_interval: Millis::new(validation),
            keep_next_poll: flags[4],
            poll_after_update: flags[5],
            reissue_failed_size: flags[6],
            rotate_conflict_token: flags[4],
            deferred_metrics_max_age: Millis::new(max_age),
            ..Settings::default()
        },
    )
}

fn class() -> impl Strategy<Value = Option<FailureClass>> {
    select(vec![
        None,
        None,
        None,
        Some(FailureClass::Throttled),
        Some(FailureClass::Unavailable),
        Some(FailureClass::Denied),
    ])
}

fn signal() -> impl Strategy<Value = TaskAdd> {
    (1..=3_u8, any::<bool>(), select(vec![0, 1, 7, u32::MAX]), 0..2_u32).prop_map(
        |(task_type, is_sync_match, no_sync_match_signals_batched, rate_limited_signals_batched)| TaskAdd {
            is_sync_match,
            no_sync_match_signals_batched,
            rate_limited_signals_batched,
            ..add(task_type)
        },
    )
}

fn metrics() -> impl Strategy<Value = MetricsSnapshot> {
    let rate = select(vec![0.0, 0.1, 3.5, 1e9, -1.0, f32::MAX, f32::NAN, f32::INFINITY]);
    let backlog = select(vec![0, 0, 1, 60, 1_000_000, -5, i64::MAX, i64::MIN]);
    let queue = (backlog, rate.clone(), rate)
        .prop_map(|(backlog, arrivals, dispatches)| queue(backlog, arrivals, dispatches));
    let one = || proptest::option::weighted(0.7, queue.clone());
    (one(), one(), one()).prop_map(|(workflow, activity, nexus)| MetricsSnapshot {
        workflow,
        activity,
        nexus,
    })
}

fn observation() -> impl Strategy<Value = Observation> {
    let count = || proptest::option::of(select(vec![0, 1, 5, u32::MAX]));
    let mean = proptest::option::of(select(vec![0.0, 2.5, f64::NAN, f64::INFINITY]));
    (count(), count(), mean).prop_map(|(ready, starting, mean_concurrency)| Observation {
        ready,
        starting,
        mean_concurrency,
        ..Observation::default()
    })
}

fn change() -> impl Strategy<Value = Update> {
    let whole = groups().prop_map(|groups| Update {
        spec: Some(json!({ "scaling_group_specs": groups })),
        ..Update::default()
    });
    let path = select(vec!["provider.details", "provider", "scaler", "task_queue_types", "nonsense"]);
    let masked = (algorithm(), path, any::<u8>()).prop_map(|((_, mut group), path, salt)| {
        group["compute"]["config"] = json!({ "arn": format!("{SECRET}-{salt}") });
        let update = GroupUpdate { spec: group, update_mask: vec![path.to_owned()] };
        Update { upsert_scaling_groups: [("a".to_owned(), update)].into(), ..Update::default() }
    });
    let removal = Just(Update { remove_scaling_groups: vec!["b".to_owned()], ..Update::default() });
    let odd =
        select(vec![json!(null), json!(3), json!({ "scaling_group_specs": { "": {} } })]).prop_map(|spec| {
            Update { spec: Some(spec), conflict_token: Some("AAA=".to_owned()), ..Update::default() }
        });
    prop_oneof![4 => whole, 2 => masked, 1 => removal, 1 => odd]
}

fn request() -> impl Strategy<Value = Request> {
    let delete = Just(Request::Delete { identity: String::new(), conflict_token: None });
    prop_oneof![
        12 => change().prop_map(Request::Update),
        6 => change().prop_map(Request::Validate),
        1 => delete,
    ]
}

fn stray() -> impl Strategy<Value = Input> {
    (select(vec![0, 1, 2, 50, u64::MAX]), metrics(), class()).prop_flat_map(|(id, metrics, class)| {
        let id = ActionId(id);
        let failure = class.map(|class| Failure { class, message: "stray".to_owned() });
        select(vec![
            Input::Metrics {
                id: ActionId(id.0.wrapping_add(1 << 60)),
                result: class.map_or(Ok(metrics), Err),
            },
            Input::ActionFinished {
                id: ActionId(id.0.wrapping_add(1 << 60)),
                result: class.map_or(Ok(()), Err),
            },
            Input::SpecChecked { id: ActionId(1 << 60), result: failure.clone().map_or(Ok(()), Err) },
            Input::Registered { id: ActionId(1 << 60), result: failure.map_or(Ok(vec!["a".into()]), Err) },
        ])
    })
}

fn event() -> impl Strategy<Value = Event> {
    let wait = select(vec![0, 1, 100, 2500, 30_000, 61_000, 300_000, 21_600_000, -1000, -86_400_000]);
    let jump = select(vec![i64::MAX, i64::MIN, i64::MAX / 2]);
    let group = select(vec![GroupName::from("a"), GroupName::from("b"), GroupName::from("nobody")]);
    prop_oneof![
        60 => signal().prop_map(Event::Signal),
        60 => (metrics(), class()).prop_map(|(metrics, class)| Event::Answer(metrics, class)),
        60 => wait.prop_map(Event::Wait),
        40 => Just(Event::Wake),
        20 => (group, observation()).prop_map(|(group, observation)| Event::Observe(group, observation)),
        20 => class().prop_map(Event::AnswerRequest),
        10 => request().prop_map(|request| Event::Request(Box::new(request))),
        10 => stray().prop_map(|input| Event::Stray(Box::new(input))),
        10 => Just(Event::Resume),
        5 => settings().prop_map(|settings| Event::Settings(Box::new(settings))),
        3 => Just(Event::Restart),
        2 => Just(Event::ContinueWanted),
        1 => jump.prop_map(Event::Wait),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(event(), 0..120)
}

/// The recorded state with anything in the place of anything.
fn damaged_state() -> impl Strategy<Value = Value> {
    let recorded: Value = serde_json::from_str(include_str!("../../../tests/states/0.1.0.json")).unwrap();
    let mut places = Vec::new();
    collect_places(&recorded, String::new(), &mut places);
    let damage = select(vec![
        json!(null),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e308),
        json!("x"),
        json!([[], {}, 1]),
        json!({ "id": 3, "fetch_metrics": { "why": "poll" } }),
        json!({ "action": { "id": 3, "finish": null } }),
    ]);
    proptest::collection::vec((select(places), damage), 0..6).prop_map(move |damages| {
        let mut state = recorded.clone();
        for (place, value) in damages {
            if let Some(target) = state.pointer_mut(&place) {
                *target = value;
            }
        }
        state
    })
}

fn collect_places(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                collect_places(
                    inner,
                    format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")),
                    places,
                );
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect_places(inner, format!("{place}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

proptest! {
    #[test]
    fn holds_its_promises_whatever_happens(groups in groups(), settings in settings(), events in events()) {
        let state = State::new(Some(spec(groups)), Timestamp::from_millis(START));
        let mut checked = Checked::start(settings, state, START);
        events.into_iter().for_each(|event| checked.happen(event));
        checked.finish();
    }

    #[test]
    fn holds_its_promises_from_a_damaged_state(state in damaged_state(), settings in settings(), events in events()) {
        let mut checked = Checked::start(settings, State::from_json(state), START);
        events.into_iter().take(40).for_each(|event| checked.happen(event));
        checked.finish();
    }

    #[test]
    fn a_resumed_controller_makes_the_same_steps(groups in groups(), settings in settings(), events in events()) {
        let state = State::new(Some(spec(groups)), Timestamp::from_millis(START));
        let mut whole = Checked::start(settings.clone(), state.clone(), START);
        let mut pieces = Checked::start(settings, state, START);
        for event in events {
            pieces.resume();
            whole.happen(event.clone());
            pieces.happen(event);
        }
        prop_assert_eq!(whole.controller.dump(), pieces.controller.dump());
        let (whole, pieces) = (whole.journal.into_inner(), pieces.journal.into_inner());
        prop_assert_eq!(String::from_utf8(whole).unwrap(), String::from_utf8(pieces).unwrap());
    }
}
