//! Nothing is lost: controllers are killed, the server restarts, signals come in a flood, namespaces are switched off.

use crate::fakes::{Aws, Call, EXTERNAL_ID, FUNCTION, ROLE};
use crate::load;
use crate::program::{eventually, scratch};
use crate::temporal::{Server, version, whole};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use wci_core::controller::Input;
use wci_core::decision::ActionKind;
use wci_core::journal::{JournalReader, Record, replay};
use wci_providers::Client;
use wci_providers::controller::journal::Histories;

fn lambda(scaling: Value) -> Value {
    json!({"scaling_group_specs": {"g": {
        "compute": {"provider_type": "aws-lambda",
            "config": {"arn": FUNCTION, "role": ROLE, "role_external_id": EXTERNAL_ID}},
        "scaling": {"scaling_algorithm": "no-sync", "config": scaling}}}})
}

async fn journal(client: &Client, deployment: &str) -> Vec<u8> {
    let mut journal = Vec::new();
    Histories::of(client, &version(deployment)).write(&mut journal, false).await.unwrap();
    journal
}

/// How many signals were handled, and how many invocations decided.
fn handled(journal: &[u8]) -> (usize, usize) {
    let (mut signals, mut invocations) = (0, 0);
    let mut reader = JournalReader::new();
    let count = |record: Record| {
        let Record::Entry(entry) = record else { return };
        signals += usize::from(matches!(entry.input, Input::TaskAdd(_)));
        let is_invoke = |kind: &ActionKind| matches!(kind, ActionKind::InvokeWorker { .. });
        invocations += entry.step.actions.iter().filter(|action| is_invoke(&action.kind)).count();
    };
    reader.feed(journal, count).unwrap();
    (signals, invocations)
}

fn task_add(n: usize) -> wci_core::signals::TaskAdd {
    serde_json::from_value(
        json!({"task_queue_name": format!("q{n}"), "task_queue_type": 2, "is_sync_match": false,
        "no_sync_match_signals_batched": 1}),
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_kills_lose_no_signal_and_repeat_at_most_one_call_each() {
    let kills = std::env::var("WCI_SOAK_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let (server, aws) = (Server::start().await, Aws::start().await);
    let mut controller = server.controller(&[], &aws.env());
    let client = server.client().await.unwrap();
    let created = client.update(&version("kill"), &whole(lambda(json!({"scale_up_cooloff_ms": 50})))).await;
    created.unwrap();
    let before = aws.count(Call::is_invoke);
    let mut sent = 0;
    for _ in 0..kills {
        let pause = Duration::from_millis(rand::random_range(100..1500));
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until {
            client.signal_task_add(&version("kill"), &task_add(sent)).await.unwrap();
            sent += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        controller.kill();
        client.signal_task_add(&version("kill"), &task_add(sent)).await.unwrap();
        sent += 1;
        controller = server.controller(&[], &aws.env());
        // Killed faster than it takes over, the server itself would wait longer and longer.
        eventually("it has taken over", Duration::from_secs(60), async || {
            client.describe(&version("kill")).await.ok()
        })
        .await;
    }
    eventually("every signal is handled", Duration::from_secs(60), async || {
        (handled(&journal(&client, "kill").await).0 == sent).then_some(())
    })
    .await;
    eventually("no call is under way", Duration::from_secs(60), async || {
        let state = client.dump(&version("kill")).await.ok()?;
        (state.wci.in_flight.is_none() && state.pending_task_add_signals.is_empty()).then_some(())
    })
    .await;
    let journal = journal(&client, "kill").await;
    let (decided, called) = (handled(&journal).1, aws.count(Call::is_invoke) - before);
    println!("{kills} kills: {sent} signals sent and handled, {decided} calls decided, {called} made");
    assert!((decided..=decided + kills).contains(&called), "{decided} decided, {called} called");
    let replayed = replay(&journal).unwrap();
    assert_eq!(replayed.different_steps, 0, "{:?}", replayed.differences.first());
}

#[tokio::test(flavor = "multi_thread")]
async fn four_thousand_signals_at_once_are_all_handled() {
    const SIGNALS: usize = 4000;
    let (server, aws) = (Server::start().await, Aws::start().await);
    let _controller = server.controller(&[], &aws.env());
    let client = server.client().await.unwrap();
    client.update(&version("flood"), &whole(lambda(json!({"scale_up_cooloff_ms": 1000})))).await.unwrap();
    let begun = std::time::Instant::now();
    let sending = futures::stream::iter(0..SIGNALS).for_each_concurrent(50, |n| {
        let client = client.clone();
        async move { client.signal_task_add(&version("flood"), &task_add(n)).await.unwrap() }
    });
    sending.await;
    let sent_after = begun.elapsed();
    eventually("every signal is handled", Duration::from_secs(60), async || {
        (handled(&journal(&client, "flood").await).0 == SIGNALS).then_some(())
    })
    .await;
    println!("{SIGNALS} signals sent in {sent_after:?}, handled in {:?}", begun.elapsed());
    assert_eq!(replay(&journal(&client, "flood").await).unwrap().different_steps, 0);
    assert_eq!(client.dump(&version("flood")).await.unwrap().wci.dropped_signals, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_finds_its_controllers_again() {
    let aws = Aws::start().await;
    let mut server = Server::start_on_file().await;
    let _controller = server.controller(&[], &aws.env());
    let spec = lambda(json!({"scale_up_cooloff_ms": 50}));
    server.client().await.unwrap().update(&version("file"), &whole(spec)).await.unwrap();
    let before = aws.count(Call::is_invoke);
    server.restart().await;
    let client = server.client().await.unwrap();
    eventually("the controller answers", Duration::from_secs(60), async || {
        client.describe(&version("file")).await.ok()
    })
    .await;
    client.signal_task_add(&version("file"), &task_add(0)).await.unwrap();
    eventually("the function is invoked", Duration::from_secs(60), async || {
        (aws.count(Call::is_invoke) > before).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_namespace_refuses_updates_and_can_still_delete() {
    let (server, aws) = (Server::start().await, Aws::start().await);
    let file = scratch("dynamic.yaml");
    let write = |enabled: bool| {
        std::fs::write(&file, format!("workercontroller.enabled:\n- value: {enabled}\n")).unwrap();
    };
    write(true);
    let _controller = server.controller(&["--dynamic-config", file.to_str().unwrap()], &aws.env());
    let client = server.client().await.unwrap();
    let spec = lambda(json!({"scale_up_cooloff_ms": 50}));
    client.update(&version("off"), &whole(spec.clone())).await.unwrap();
    // The file's time has a resolution of its own.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    write(false);
    let refused = eventually("updates are refused", Duration::from_secs(60), async || {
        client.update(&version("off"), &whole(spec.clone())).await.err()
    })
    .await;
    assert!(refused.to_string().contains("disabled for this namespace"), "{refused}");
    write(true);
    eventually("updates are taken again", Duration::from_secs(60), async || {
        client.update(&version("off"), &whole(spec.clone())).await.ok()
    })
    .await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    write(false);
    client.delete(&version("off"), "test", None).await.unwrap();
    assert!(!client.exists(&version("off")).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_read_stop_nothing() {
    let (server, aws) = (Server::start().await, Aws::start().await);
    let _controller = server.controller(&[], &aws.env());
    let client = server.client().await.unwrap();
    client.update(&version("odd"), &whole(lambda(json!({})))).await.unwrap();
    let id = "temporal-sys-worker-controller-instance:odd:1";
    let signal = ["workflow", "signal", "-w", id, "--name", "task-add-signal"];
    for input in [
        ["--input", "\"text\"", "--input-meta", "encoding=json/plain"].as_slice(),
        &["--input", "binary", "--input-meta", "encoding=binary/plain"],
        &["--input", "{}", "--input-meta", "encoding=nobody/knows"],
        &[],
    ] {
        let sent = server.temporal(&[signal.as_slice(), input].concat());
        assert!(sent.status.success(), "{input:?}: {}", String::from_utf8_lossy(&sent.stderr));
    }
    let update = ["workflow", "update", "execute", "-w", id, "--name", "update-worker-controller-instance"];
    let refused =
        server.temporal(&[&update[..], &["--input", "x", "--input-meta", "encoding=binary/plain"]].concat());
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(words.contains("argument: found") && words.contains("expected JSON"), "{words}");
    let before = aws.count(Call::is_invoke);
    client.signal_task_add(&version("odd"), &task_add(0)).await.unwrap();
    eventually("the function is invoked", Duration::from_secs(60), async || {
        (aws.count(Call::is_invoke) > before).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_controller_ends_well_and_the_next_one_goes_on() {
    let (server, aws) = (Server::start().await, Aws::start().await);
    let first = server.controller(&[], &aws.env());
    load::register(&server, "stop", "stop-q").await;
    let client = server.client().await.unwrap();
    client.update(&version("stop"), &whole(lambda(json!({})))).await.unwrap();
    assert!(first.stop(), "exit status of a stopped controller");
    let before = aws.count(Call::is_invoke);
    let _second = server.controller(&[], &aws.env());
    client.signal_task_add(&version("stop"), &task_add(0)).await.unwrap();
    eventually("the function is invoked", Duration::from_secs(60), async || {
        (aws.count(Call::is_invoke) > before).then_some(())
    })
    .await;
}
