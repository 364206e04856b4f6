//! M/M/50 on SimCore.

use serde::Serialize;
use simcore::{Event, EventHandler, Simulation, SimulationContext, cast};
use std::cell::RefCell;
use std::rc::Rc;
use wci_engines::{Station, measure};

#[derive(Clone, Serialize)]
struct Arrival {}

#[derive(Clone, Serialize)]
struct Departure {}

struct Server {
    station: Station,
    context: SimulationContext,
}

impl Server {
    fn expect_arrival(&mut self) {
        if let Some(after) = self.station.next_arrival() {
            self.context.emit_self(Arrival {}, after);
        }
    }

    fn serve(&self, service: Option<f64>) {
        if let Some(service) = service {
            self.context.emit_self(Departure {}, service);
        }
    }
}

impl EventHandler for Server {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Arrival {} => {
                let service = self.station.arrive(event.time);
                self.serve(service);
                self.expect_arrival();
            }
            Departure {} => {
                let service = self.station.depart(event.time);
                self.serve(service);
            }
        })
    }
}

fn main() {
    measure(|tasks| {
        let mut simulation = Simulation::new(1);
        let context = simulation.create_context("server");
        let server = Rc::new(RefCell::new(Server { station: Station::new(tasks), context }));
        simulation.add_handler("server", server.clone());
        server.borrow_mut().expect_arrival();
        simulation.step_until_no_events();
        server.borrow().station.result()
    });
}
