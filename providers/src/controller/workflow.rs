//! The workflow of one worker controller instance: it queues, asks, carries out, and knows no rule.

use super::actions::UnderWay;
use super::activities::Activities;
use super::alarm::Alarm;
use super::confirmed::{HistoryLength, Ordered};
use super::contract::{
    self, DELETED, MEMO, Memo, QUERY_DESCRIBE, QUERY_DUMP, SIGNAL_TASK_ADD, Start, UPDATE_DELETE,
    UPDATE_SPEC, UPDATE_VALIDATE, WORKFLOW_TYPE,
};
use super::decide::{Question, Record};
use super::failure::{Refused, kind_name};
use crate::provider::Target;
use futures::{FutureExt, Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use temporalio_common::data_converters::RawValue;
use temporalio_sdk::workflows::{self, workflow, workflow_methods};
use temporalio_sdk::{
    ActivityCloseTimeouts, ActivityOptions, ContinueAsNewOptions, LocalActivityOptions, MemoValue,
    SyncWorkflowContext, WorkflowContext, WorkflowContextView, WorkflowResult, WorkflowTermination,
};
use wci_core::controller::{
    Description, Input, Refusal, RefusalKind, Request, Response, Settings, WorkerDeploymentVersion,
};
use wci_core::decision::{Action, ActionKind};
use wci_core::journal::Entry;
use wci_core::signals::TaskAdd;
use wci_core::spec::ProviderType;
use wci_core::{Controller, Millis, State, Timestamp};

/// Inputs handed over at once: what is recorded of them must stay far below the server's limit for one blob, 2 MB.
const MOST_INPUTS: usize = 500;

type HandlerError = Box<dyn Error + Send + Sync>;

/// One worker controller instance.
#[workflow]
pub struct InstanceWorkflow {
    target: Target,
    namespace_id: String,
    state: State,
    /// None until the first decision of the run.
    settings: Option<Settings>,
    /// Those of the run before, until the first decision.
    former: Option<Settings>,
    /// Entries recorded in this run.
    recorded: u64,
    inbox: Vec<Input>,
    /// How many of them the decision under way was given.
    asked: usize,
    /// A decision is under way, or its record has not been taken over yet.
    is_deciding: bool,
    /// What came of the last one that ordered something.
    ordered: Ordered,
    answers: BTreeMap<String, Response>,
    requests: u64,
    /// An update was begun in this run, so the next one begins when it has ended.
    has_updated: bool,
    /// Only where the run does not go by the record.
    is_continue_told: bool,
    is_finished: bool,
    /// Nothing but the record says what is ordered. Histories from before this was so replay in their own way.
    goes_by_record: bool,
    is_strict: bool,
}

#[workflow_methods]
impl InstanceWorkflow {
    #[init]
    fn new(_ctx: &WorkflowContextView, start: Start) -> Self {
        Self {
            target: Target {
                namespace: start.namespace_name,
                deployment_name: start.deployment_name,
                build_id: start.build_id,
                group: String::new(),
            },
            namespace_id: start.namespace_id,
            state: start.state,
            settings: None,
            former: start.settings,
            recorded: 0,
            inbox: start.waiting.into_iter().map(Input::TaskAdd).collect(),
            asked: 0,
            is_deciding: false,
            ordered: Ordered::default(),
            answers: BTreeMap::new(),
            requests: 0,
            has_updated: false,
            is_continue_told: false,
            is_finished: false,
            goes_by_record: start.goes_by_record,
            is_strict: start.is_strict,
        }
    }

    /// Serves the controller until this run ends.
    #[run(name = WORKFLOW_TYPE)]
    pub async fn run(ctx: &mut WorkflowContext<Self>) -> WorkflowResult<()> {
        let mut under_way = UnderWay::new(ctx.clone(), ctx.state(|s| s.target.clone()));
        let mut alarm = Alarm::new(ctx.state(|s| !s.is_strict));
        loop {
            let question = ctx.state_mut(|s| s.take_question(ctx.continue_as_new_suggested()));
            let options =
                LocalActivityOptions::builder().start_to_close_timeout(Duration::from_secs(10)).build();
            let record = ctx.execute_local_activity(Activities::decide, question, options).await?;
            if ctx.state(|s| s.is_strict) {
                let ended = ended(&mut under_way, &mut alarm).await;
                ctx.state_mut(|s| s.inbox.extend(ended));
            }
            let Learnt { actions, wake_at, now, rings } = ctx.state_mut(|s| s.learn(record));
            remember(ctx)?;
            let mut events = 0;
            for action in actions {
                events += u32::from(ctx.state(|s| under_way.begin(action, &s.state)));
            }
            events += u32::from(alarm.set(ctx, wake_at, now, rings));
            ctx.state_mut(|s| s.ordered.note(ctx.history_length(), events));
            if ctx.state(|s| s.goes_by_record) {
                order(&mut under_way, &mut alarm).await;
            }
            ctx.state_mut(|s| s.want_continue(ctx.continue_as_new_suggested()));
            if settle(ctx).await
                && let Some(end) = Self::end_of_run(ctx)?
            {
                return Ok(end);
            }
            wait(ctx, &mut under_way, &mut alarm).await?;
            if let Some(end) = Self::end_of_run(ctx)? {
                return Ok(end);
            }
        }
    }

    #[signal(name = SIGNAL_TASK_ADD)]
    fn task_add(&mut self, _ctx: &mut SyncWorkflowContext<Self>, add: RawValue) {
        self.ordered.note_signal();
        // A signal that cannot be read is nobody's to answer; it is dropped, as the original does. Arguments come as
        // they are, for the SDK would fail the whole workflow task over one in another encoding, again and again.
        if let Ok(add) = argument::<TaskAdd>(&add) {
            self.inbox.push(Input::TaskAdd(add));
        }
    }

    #[query(name = QUERY_DESCRIBE)]
    fn describe(&self, _ctx: &WorkflowContextView) -> Result<Description, HandlerError> {
        self.check_there()?;
        Ok(contract::describe(&self.version(), &self.state))
    }

    #[query(name = QUERY_DUMP)]
    fn dump(&self, _ctx: &WorkflowContextView) -> Result<State, HandlerError> {
        self.check_there()?;
        let mut state = self.state.clone();
        state.pending_task_add_signals.extend(self.inbox.iter().filter_map(signal).cloned());
        Ok(state)
    }

    #[update_validator(update)]
    fn validate_update(&self, ctx: &WorkflowContextView, argument: &RawValue) -> Result<(), HandlerError> {
        self.admit(ctx, UPDATE_SPEC, argument)
    }

    #[update(name = UPDATE_SPEC)]
    async fn update(ctx: &mut WorkflowContext<Self>, argument: RawValue) -> Result<Value, HandlerError> {
        Self::serve(ctx, UPDATE_SPEC, argument).await
    }

    #[update_validator(delete)]
    fn validate_delete(&self, ctx: &WorkflowContextView, argument: &RawValue) -> Result<(), HandlerError> {
        self.admit(ctx, UPDATE_DELETE, argument)
    }

    #[update(name = UPDATE_DELETE)]
    async fn delete(ctx: &mut WorkflowContext<Self>, argument: RawValue) -> Result<Value, HandlerError> {
        Self::serve(ctx, UPDATE_DELETE, argument).await
    }

    #[update_validator(validate)]
    fn validate_validate(&self, ctx: &WorkflowContextView, argument: &RawValue) -> Result<(), HandlerError> {
        self.admit(ctx, UPDATE_VALIDATE, argument)
    }

    #[update(name = UPDATE_VALIDATE)]
    async fn validate(ctx: &mut WorkflowContext<Self>, argument: RawValue) -> Result<Value, HandlerError> {
        Self::serve(ctx, UPDATE_VALIDATE, argument).await
    }
}

impl InstanceWorkflow {
    fn version(&self) -> WorkerDeploymentVersion {
        WorkerDeploymentVersion {
            deployment_name: self.target.deployment_name.clone(),
            build_id: self.target.build_id.clone(),
        }
    }

    fn check_there(&self) -> Result<(), HandlerError> {
        if self.state.wci.is_deleted { Err(DELETED.into()) } else { Ok(()) }
    }

    /// Whether a request would be begun now. It is not asked again in replay.
    fn admit(&self, ctx: &WorkflowContextView, name: &str, argument: &RawValue) -> Result<(), HandlerError> {
        let request = read(name, argument)?;
        if !self.may_accept(HistoryLength::of(ctx)) {
            let kind = RefusalKind::LongHistory;
            return Err(Refused(Refusal::new(kind, kind_name(kind))).into());
        }
        // Before the first decision of a run the settings are not known; the core then refuses after all.
        let Some(settings) = &self.settings else { return Ok(()) };
        let controller = Controller::resume(self.version(), permissive(settings), self.state.clone());
        controller.admit(&request).map_err(|refusal| Refused(refusal).into())
    }

    /// Whether the acceptance of a request takes the same place in history as on replay. If not it shall come again.
    ///
    /// A request that comes while a decision is under way comes in a later workflow task than the decision was asked
    /// in, which happens where a question was answered between. Should the decision stand in the history of the earlier
    /// task already, then what it orders follows the acceptance now and would precede it on replay. The workflow cannot
    /// see whether it does.
    fn may_accept(&self, history_length: Option<u32>) -> bool {
        !self.is_deciding && history_length.is_none_or(|length| self.ordered.is_confirmed(length))
    }

    /// Hands a request to the core and waits for its answer.
    async fn serve(
        ctx: &mut WorkflowContext<Self>,
        name: &str,
        argument: RawValue,
    ) -> Result<Value, HandlerError> {
        let request = read(name, &argument)?;
        let id = ctx.state_mut(|s| s.enqueue(request));
        ctx.wait_condition(|s| s.answers.contains_key(&id)).await?;
        match ctx.state_mut(|s| s.answers.remove(&id)) {
            Some(Response::Refused(refusal)) => Err(Refused(refusal).into()),
            Some(response) => Ok(contract::answer(&response)),
            None => Err("the answer is gone".into()),
        }
    }

    fn enqueue(&mut self, request: Request) -> String {
        self.requests += 1;
        self.has_updated |= !self.goes_by_record && matches!(request, Request::Update(_));
        let request_id = self.requests.to_string();
        self.inbox.push(Input::Requested { request_id: request_id.clone(), request: Box::new(request) });
        request_id
    }

    fn take_question(&mut self, is_suggested: bool) -> Question {
        self.asked = self.inbox.len().min(MOST_INPUTS);
        self.is_deciding = true;
        Question {
            namespace: self.target.namespace.clone(),
            version: self.version(),
            settings: self.settings.clone(),
            former: self.former.take(),
            state: self.state.clone(),
            inputs: self.inbox[..self.asked].to_vec(),
            recorded: self.recorded,
            shall_end: self.goes_by_record && (self.has_updated || is_suggested),
        }
    }

    /// Takes over what was decided; what is left to do are the actions, and to come again at a time.
    fn learn(&mut self, mut record: Record) -> Learnt {
        let rings = record.inputs().filter(|input| **input == Input::WokeUp).count();
        self.is_deciding = false;
        self.remove_taken(&record);
        self.recorded += record.entries.len() as u64;
        self.has_updated |= record.entries.iter().any(begins_update);
        let (now, wake_at) = (record.at, record.wake_at());
        let mut actions = record.take_actions();
        if let Some(settings) = record.settings {
            self.settings = Some(*settings);
        }
        self.state = record.state;
        actions.retain(|action| match &action.kind {
            ActionKind::Answer { request_id, response } => {
                self.answers.insert(request_id.clone(), (**response).clone());
                false
            }
            ActionKind::Finish => {
                self.is_finished = true;
                false
            }
            _ => true,
        });
        Learnt { actions, wake_at, now, rings }
    }

    /// Removes what the decision was given. It need not be the first: on replay something that came after the decision
    /// was asked, in a task that was lost, may stand before it.
    fn remove_taken(&mut self, record: &Record) {
        if record.taken.is_none() {
            self.inbox.drain(..self.asked);
            return;
        }
        for taken in record.inputs() {
            if let Some(at) = self.inbox.iter().position(|input| is_same(input, taken)) {
                self.inbox.remove(at);
            }
        }
    }

    /// Tells the core once that the run shall end: after an update, or when the history grows long. An update under
    /// way is not cut short. Where the run goes by the record, the decision itself does this.
    fn want_continue(&mut self, is_suggested: bool) {
        let is_updating = self.state.wci.update.is_some() || self.has_request_waiting();
        let is_due = (self.has_updated || is_suggested) && !is_updating && !self.is_finished;
        if !self.goes_by_record && is_due && !self.is_continue_told {
            self.is_continue_told = true;
            self.inbox.push(Input::ContinueWanted);
        }
    }

    fn has_request_waiting(&self) -> bool {
        self.inbox.iter().any(|input| matches!(input, Input::Requested { .. }))
    }

    /// Whether the run was told to end and nothing is under way. The record alone says so.
    fn is_idle(&self) -> bool {
        let wci = &self.state.wci;
        wci.is_continue_wanted
            && wci.in_flight.is_none()
            && wci.update.is_none()
            && wci.validations.is_empty()
            && wci.periodic_check.is_none()
    }

    /// Whether there is something to tell the core. Signals that it could only queue wait here: each record holds the
    /// whole queue, and a history that holds it again and again grows beyond what the server keeps.
    fn has_news(&self) -> bool {
        let wci = &self.state.wci;
        let takes_signals = match wci.in_flight {
            _ if !self.goes_by_record => true,
            Some(_) => false,
            None => !wci.is_continue_wanted || self.inbox.len() > MOST_INPUTS,
        };
        (takes_signals && !self.inbox.is_empty()) || self.inbox.iter().any(|input| signal(input).is_none())
    }

    /// Whether nothing has come that the next run could not be handed.
    fn can_hand_on(&self) -> bool {
        let can_take_signals = self.goes_by_record && self.inbox.len() <= MOST_INPUTS;
        // The next run has timers of its own. On replay the last one may have been heard earlier.
        let is_timer = |input: &Input| self.is_strict && matches!(input, Input::WokeUp);
        let can_take = |input: &Input| is_timer(input) || (can_take_signals && signal(input).is_some());
        self.inbox.iter().all(can_take)
    }

    fn may_end(&self) -> bool {
        self.is_finished || (self.is_idle() && self.can_hand_on())
    }

    /// Ends the run if it may end: for good, or to begin the next one.
    fn end_of_run(ctx: &WorkflowContext<Self>) -> Result<Option<()>, WorkflowTermination> {
        if !ctx.state(Self::may_end) || !ctx.all_handlers_finished() {
            return Ok(None);
        }
        // A controller that never got a spec is of no use to anybody.
        let is_empty = ctx.state(|s| s.state.spec.is_none() && s.state.unreadable_spec.is_none());
        if ctx.state(|s| s.is_finished) || is_empty {
            return Ok(Some(()));
        }
        let start = ctx.state(|s| Start {
            namespace_name: s.target.namespace.clone(),
            namespace_id: s.namespace_id.clone(),
            deployment_name: s.target.deployment_name.clone(),
            build_id: s.target.build_id.clone(),
            state: s.state.clone(),
            settings: s.settings.clone(),
            waiting: s.inbox.iter().filter_map(signal).cloned().collect(),
            goes_by_record: true,
            is_strict: true,
            recovered_from: String::new(),
        });
        ctx.continue_as_new(start, ContinueAsNewOptions::default())?;
        Ok(None)
    }
}

/// Whether what came is what was recorded: an answer by the question it belongs to, anything else by what it says.
fn is_same(came: &Input, recorded: &Input) -> bool {
    match (came, recorded) {
        (Input::Metrics { id, .. }, Input::Metrics { id: other, .. })
        | (Input::SpecChecked { id, .. }, Input::SpecChecked { id: other, .. })
        | (Input::Registered { id, .. }, Input::Registered { id: other, .. })
        | (Input::ActionFinished { id, .. }, Input::ActionFinished { id: other, .. }) => id == other,
        (Input::Requested { request_id, .. }, Input::Requested { request_id: other, .. }) => {
            request_id == other
        }
        _ => came == recorded,
    }
}

/// Settings that refuse nothing which the host may have begun to allow since they were remembered. A refusal by a
/// validator decides nothing, so what is remembered would stay as it is: the decision refuses, with fresh settings.
fn permissive(remembered: &Settings) -> Settings {
    Settings {
        enabled: true,
        allowed_providers: Some(
            ProviderType::ALL.iter().map(|provider| provider.name().to_owned()).collect(),
        ),
        allowed_algorithms: None,
        host_region: Some("any".to_owned()),
        shortest_poll: Millis::ZERO,
        ..remembered.clone()
    }
}

/// What a record leads to.
struct Learnt {
    actions: Vec<Action>,
    /// To come again at this time.
    wake_at: Option<Timestamp>,
    /// When the last of it happened.
    now: Timestamp,
    /// How many timers had rung.
    rings: usize,
}

fn begins_update(entry: &Entry) -> bool {
    let checks = |action: &Action| matches!(action.kind, ActionKind::CheckSpec { .. });
    matches!(&entry.input, Input::Requested { request, .. } if matches!(**request, Request::Update(_)))
        && entry.step.actions.iter().any(checks)
}

const fn signal(input: &Input) -> Option<&TaskAdd> {
    match input {
        Input::TaskAdd(add) => Some(add),
        _ => None,
    }
}

fn read(name: &str, raw: &RawValue) -> Result<Request, HandlerError> {
    argument(raw)
        .and_then(|value| contract::request(name, value))
        .map_err(|why| Refused(Refusal::new(RefusalKind::InvalidArgument, why)).into())
}

/// The first argument; without one, null.
fn argument<T: DeserializeOwned>(raw: &RawValue) -> Result<T, String> {
    let data = raw.payloads.first().map_or(b"null".as_slice(), |payload| payload.data.as_slice());
    serde_json::from_slice(data).map_err(|e| format!("argument: found {e}, expected JSON"))
}

/// What has ended while the decision was under way. On replay the decision may have been asked earlier than it was then,
/// and what it took may have come only meanwhile.
async fn ended(under_way: &mut UnderWay, alarm: &mut Alarm) -> Vec<Input> {
    std::future::poll_fn(|cx| {
        let mut ended = Vec::new();
        while let Poll::Ready(Some(input)) = Pin::new(&mut *under_way).poll_next(cx) {
            ended.push(input);
        }
        while alarm.poll_ring(cx).is_ready() {
            ended.push(Input::WokeUp);
        }
        Poll::Ready(ended)
    })
    .await
}

/// Orders all that a record leads to, before anything else is looked at: what else has come by now may not have come
/// yet when the record is replayed, and orders must come in the same order then.
async fn order(under_way: &mut UnderWay, alarm: &mut Alarm) {
    std::future::poll_fn(|cx| {
        under_way.order(cx);
        alarm.order(cx);
        Poll::Ready(())
    })
    .await;
}

/// Waits until there is something to tell the core, or nothing left to do.
async fn wait(
    ctx: &WorkflowContext<InstanceWorkflow>,
    under_way: &mut UnderWay,
    alarm: &mut Alarm,
) -> Result<(), WorkflowTermination> {
    let is_over = |s: &InstanceWorkflow| s.may_end() && ctx.all_handlers_finished();
    let mut news = ctx.wait_condition(|s| s.has_news() || is_over(s));
    let mut ring = std::pin::pin!(alarm.ring().fuse());
    // Calls and the timer come first: it is their first poll that begins them.
    let input = workflows::select! {
        input = under_way.select_next_some() => Some(input),
        () = ring => Some(Input::WokeUp),
        told = news => {
            told?;
            None
        }
    };
    drop(news);
    ctx.state_mut(|s| s.inbox.extend(input));
    Ok(())
}

/// Lets what comes in the last moment be heard before the next run begins.
///
/// A signal that comes while a run is about to end makes the server refuse that end, once. On replay what a decision
/// leads to belongs to the task that recorded the decision; a run that ended right there would end before the signal
/// is delivered, and lose it. The end of an activity belongs to the same task as the signal, which is delivered first;
/// the next run then takes it over. A timer would do, but the server may let it ring a second late. Whether this is
/// done must not depend on what has come so far: on replay it may not have come yet.
async fn settle(ctx: &WorkflowContext<InstanceWorkflow>) -> bool {
    if !ctx.state(|s| s.goes_by_record && s.is_idle() && !s.is_finished) {
        return false;
    }
    let timeout = ActivityCloseTimeouts::StartToClose(Duration::from_secs(10));
    let options = ActivityOptions::with_close_timeouts(timeout).build();
    // However it ends: something has come after the decision.
    let _ = ctx.execute_activity(Activities::settle, (), options).await;
    true
}

/// Writes once what listing reads.
fn remember(ctx: &WorkflowContext<InstanceWorkflow>) -> Result<(), WorkflowTermination> {
    if ctx.memo().contains_key(MEMO) {
        return Ok(());
    }
    let memo = ctx.state(|s| Memo {
        deployment_name: s.target.deployment_name.clone(),
        build_id: s.target.build_id.clone(),
        create_time: s.state.create_time,
    });
    ctx.upsert_memo([(MEMO, Some(MemoValue::new(memo)))])?;
    Ok(())
}
