//! The simulator reproduces what is known: closed forms, exact chains, published simulations and a measured cloud.
//!
//! [`standard`] says when a figure counts as reproduced, [`exact`] holds the theory, [`support`] builds the systems,
//! and [`book`] keeps the table in `docs/validation.md` true.

mod book;
mod delayed_off;
mod erlang_b;
mod exact;
mod halfin_whitt;
mod lambda_cloud;
mod mg1;
mod mmc;
mod overload;
mod per_request;
mod setup;
mod simfaas;
mod standard;
mod support;
