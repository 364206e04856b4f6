//! Whether the server knows yet what a run has ordered.
//!
//! A process can be ahead of the server. A workflow task that waits for its decision while a question is answered may
//! be lost and made again, and a question to a controller that nobody has in memory is answered by a process that
//! replays and goes on to decide about the latest signals by itself. What is ordered then is sent with the next task.
//! If that one brings an update, its acceptance is recorded behind those orders; on replay all of it belongs to one
//! task, the acceptance comes first, and the run cannot be replayed any more. So an update is taken only when history
//! has grown by what was ordered; until then it shall come again, and that task confirms the orders.

use temporalio_sdk::workflow_interceptors::{
    SyncWorkflowInterceptorContext, ValidateUpdateInput, ValidateUpdateResult, WorkflowInterceptor,
    WorkflowInterceptorConstructor, WorkflowNext,
};
use temporalio_sdk::{WorkflowContextKey, WorkflowContextView};

/// The events of one workflow task beside those that it orders: its end, and the next one's schedule and start.
const OF_A_TASK: u32 = 3;

/// What was ordered last, and how long history was then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ordered {
    length: u32,
    events: u32,
    signals: u32,
}

impl Ordered {
    /// This many events are to come; never more than there will be.
    pub(super) fn note(&mut self, length: u32, events: u32) {
        if events > 0 {
            *self = Self { length, events, signals: 0 };
        }
    }

    pub(super) fn note_signal(&mut self) {
        self.signals += 1;
    }

    /// Whether history is long enough to hold it. Signals are counted because they lengthen it, too.
    pub(super) fn is_confirmed(&self, length: u32) -> bool {
        self.events == 0 || length >= self.length + OF_A_TASK + self.events + self.signals
    }
}

/// The length of history, for whoever has no way to ask for it.
pub(super) struct HistoryLength;

impl WorkflowContextKey for HistoryLength {
    type Value = u32;
}

impl HistoryLength {
    pub(super) fn of(ctx: &WorkflowContextView) -> Option<u32> {
        ctx.context_value::<Self>().map(|length| *length)
    }

    /// Tells validators of it, which the SDK does not.
    pub(super) fn teller() -> WorkflowInterceptorConstructor {
        WorkflowInterceptorConstructor::new(|_| Self)
    }
}

impl WorkflowInterceptor for HistoryLength {
    fn validate_update(
        &self,
        ctx: SyncWorkflowInterceptorContext,
        input: ValidateUpdateInput,
        next: WorkflowNext<'_, ValidateUpdateInput, ValidateUpdateResult>,
    ) -> ValidateUpdateResult {
        let length = ctx.history_length();
        ctx.with_context_value::<Self, _>(length, || next.run(input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_confirmed_by_a_history_that_has_grown_by_them() {
        let mut ordered = Ordered::default();
        assert!(ordered.is_confirmed(0), "nothing was ordered");
        ordered.note(12, 2);
        // The task's end, two orders, one signal, and the next task.
        ordered.note_signal();
        assert!(ordered.is_confirmed(18));
        // The task was given up: its end, the signal and the next task.
        assert!(!ordered.is_confirmed(16));
        ordered.note(30, 0);
        assert!(
            ordered.is_confirmed(18) && !ordered.is_confirmed(17),
            "a decision to do nothing changes nothing"
        );
        // A question led to the orders, before the task was started.
        ordered.note(31, 1);
        assert!(!ordered.is_confirmed(32));
    }
}
