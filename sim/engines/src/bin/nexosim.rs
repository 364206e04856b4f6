//! M/M/50 on NeXosim.

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSinkReader, Output, SinkState, event_queue};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use wci_engines::{Station, measure};

#[derive(Serialize, Deserialize)]
struct Server {
    station: Station,
    last: u64,
    result: Output<(u64, f64)>,
}

#[Model]
impl Server {
    #[nexosim(init)]
    async fn init(&mut self, context: &Context<Self>) {
        self.expect_arrival(context);
    }

    #[nexosim(schedulable)]
    async fn arrive(&mut self, _: (), context: &Context<Self>) {
        let service = self.station.arrive(now(context));
        self.serve(service, context).await;
        self.expect_arrival(context);
    }

    #[nexosim(schedulable)]
    async fn depart(&mut self, _: (), context: &Context<Self>) {
        let service = self.station.depart(now(context));
        self.serve(service, context).await;
    }

    fn expect_arrival(&mut self, context: &Context<Self>) {
        if let Some(after) = self.station.next_arrival() {
            let after = Duration::from_secs_f64(after).max(Duration::from_nanos(1));
            context.schedule_event(after, schedulable!(Self::arrive), ()).expect("in the future");
        }
    }

    async fn serve(&mut self, service: Option<f64>, context: &Context<Self>) {
        let Some(service) = service else { return };
        let service = Duration::from_secs_f64(service).max(Duration::from_nanos(1));
        context.schedule_event(service, schedulable!(Self::depart), ()).expect("in the future");
        if self.station.result().0 == self.last {
            self.result.send(self.station.result()).await;
        }
    }
}

fn now(context: &Context<Server>) -> f64 {
    context.time().duration_since(MonotonicTime::EPOCH).as_secs_f64()
}

fn main() {
    measure(|tasks| {
        let mut server = Server { station: Station::new(tasks), last: tasks, result: Output::default() };
        let (sink, mut results) = event_queue(SinkState::Enabled);
        server.result.connect_sink(sink);
        // One thread, like the others.
        let bench = SimInit::with_num_threads(1).add_model(server, Mailbox::new(), "server");
        let mut simulation = bench.init(MonotonicTime::EPOCH).expect("a valid model");
        simulation.run().expect("nothing fails");
        results.try_read().expect("all tasks started")
    });
}
