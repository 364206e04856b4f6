//! Fast-poll is started, found and stopped, and goes on where it was.

use crate::load;
use crate::program::{A_MINUTE, Program, eventually};
use crate::temporal::{Server, version, whole};
use serde_json::{Value, json};
use std::time::Duration;
use wci_core::controller::Input;
use wci_core::journal::{JournalReader, Record};
use wci_providers::Client;
use wci_providers::controller::journal::Histories;

/// How many tasks without a worker the controller was told of.
async fn told(client: &Client, deployment: &str) -> u32 {
    let mut journal = Vec::new();
    Histories::of(client, &version(deployment)).write(&mut journal, false).await.unwrap();
    let mut sum = 0;
    let add = |record: Record| {
        if let Record::Entry(entry) = record
            && let Input::TaskAdd(add) = &entry.input
        {
            sum += add.no_sync_match_signals_batched;
        }
    };
    JournalReader::new().feed(&journal, add).unwrap();
    sum
}

/// What `fast-poll` says; nothing where it fails.
fn fast_poll(server: &Server, command: &str) -> Option<String> {
    let output = server.cli().args(["fast-poll", command]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

async fn is_read_by(server: &Server, process: &Program) {
    let name = format!("wci-controller:{}@", process.id());
    eventually("this process reads", A_MINUTE, async || {
        let shown: Value = serde_json::from_str(&fast_poll(server, "show")?).unwrap();
        (shown["worker"].as_str()?.starts_with(&name) && shown["heard_secs_ago"].is_u64()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fast_poll_goes_on_with_what_it_has_seen_and_ends_when_told() {
    let server = Server::start_without_hook().await;
    let first = server.controller(&["--fast-poll"], &[]);
    load::register(&server, "seen", "seen-q").await;
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "external"}}}});
    client.update(&version("seen"), &whole(spec)).await.unwrap();
    let mut load = load::start(&server, "seen-q", 5.0, 1.0, 0.1);
    eventually("the load has ended", A_MINUTE, async || load.has_ended().then_some(())).await;
    let log = std::fs::read_to_string(&load.log).unwrap();
    let tasks: u32 = log.trim().rsplit(' ').next().unwrap().parse().unwrap();
    // Each task grows the backlog, and then their head becomes old.
    eventually("all is told", A_MINUTE, async || (told(&client, "seen").await > tasks).then_some(())).await;
    is_read_by(&server, &first).await;
    assert!(first.stop(), "it does not wait for its long activity");
    let before = told(&client, "seen").await;
    let second = server.controller(&[], &[]);
    is_read_by(&server, &second).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(told(&client, "seen").await, before, "what has been seen is not told again");

    assert!(fast_poll(&server, "stop").is_some());
    assert!(fast_poll(&server, "show").is_none() && fast_poll(&server, "stop").is_some());
    eventually("the process has heard of it", A_MINUTE, async || {
        let log = std::fs::read_to_string(&second.log).unwrap();
        log.contains("does not read any more").then_some(())
    })
    .await;
    let mut load = load::start(&server, "seen-q", 5.0, 1.0, 0.1);
    eventually("the load has ended", A_MINUTE, async || load.has_ended().then_some(())).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(told(&client, "seen").await, before, "nobody tells of it");
}
