//! Nothing is lost: controllers are killed, the server restarts, signals come in a flood, namespaces are switched off.

use crate::fakes::{Aws, Call, EXTERNAL_ID, FUNCTION, ROLE};
use crate::load;
use crate::program::{A_MINUTE, eventually, scratch};
use crate::temporal::{Server, version, whole};
use axum::Router;
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

/// A worker set that nobody starts workers for.
pub fn rate_based(max: usize) -> Value {
    json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "external"},
        "scaling": {"scaling_algorithm": "rate-based", "config": {"max_count": max}}}}})
}

pub async fn journal(client: &Client, deployment: &str) -> Vec<u8> {
    let mut journal = Vec::new();
    Histories::of(client, &version(deployment)).write(&mut journal, false).await.unwrap();
    journal
}

/// How many signals were handled, and how many invocations decided.
pub fn handled(journal: &[u8]) -> (usize, usize) {
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

pub fn task_add(n: usize) -> wci_core::signals::TaskAdd {
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
async fn signals_of_the_moment_in_which_a_run_gives_way_to_the_next_are_not_lost() {
    let server = Server::start().await;
    let mut controller = server.controller(&[], &[]);
    let client = server.client().await.unwrap();
    client.update(&version("runs"), &whole(rate_based(1))).await.unwrap();
    let (told, hears) = tokio::sync::watch::channel(false);
    let signalling = tokio::spawn({
        let client = client.clone();
        async move {
            let mut sent = 0;
            while !*hears.borrow() {
                client.signal_task_add(&version("runs"), &task_add(sent)).await.unwrap();
                sent += 1;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            sent
        }
    });
    // Each update ends a run, and each further process replays what the one before it has left.
    for max in 2..14 {
        client.update(&version("runs"), &whole(rate_based(max))).await.unwrap();
        if max % 4 == 0 {
            controller.kill();
            controller = server.controller(&[], &[]);
        }
    }
    told.send_replace(true);
    let sent = signalling.await.unwrap();
    eventually("every signal is handled", Duration::from_secs(60), async || {
        (handled(&journal(&client, "runs").await).0 == sent).then_some(())
    })
    .await;
}

/// A question may be answered in the very task in which a decision ends, and an update come before the next one; a task
/// may be lost to a question, and a process that takes over may have been asked before it is given the task.
#[tokio::test(flavor = "multi_thread")]
async fn questions_beside_updates_signals_and_kills_leave_histories_that_replay() {
    const CONTROLLERS: usize = 8;
    let rounds = std::env::var("WCI_SOAK_ROUNDS").map_or(8, |rounds| rounds.parse().unwrap());
    let server = Server::start().await;
    let mut controller = server.controller(&[], &[]);
    let client = server.client().await.unwrap();
    let names: Vec<String> = (0..CONTROLLERS).map(|n| format!("asked{n}")).collect();
    for name in &names {
        client.update(&version(name), &whole(rate_based(1))).await.unwrap();
    }
    let asking = names.iter().chain(&names).map(|name| {
        let (client, version) = (client.clone(), version(name));
        tokio::spawn(async move {
            loop {
                // While nobody serves it, it does not answer.
                let _ = client.describe(&version).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
    });
    let asking: Vec<_> = asking.collect();
    for round in 1..=rounds {
        let changing = names.iter().map(async |name| {
            client.signal_task_add(&version(name), &task_add(round)).await.unwrap();
            let change = whole(rate_based(1 + round % 100));
            eventually("it takes the change", 5 * A_MINUTE, async || {
                client.update(&version(name), &change).await.ok()
            })
            .await
        });
        futures::future::join_all(changing).await;
        if round % 4 == 0 {
            controller.kill();
            controller = server.controller(&[], &[]);
        }
    }
    asking.iter().for_each(tokio::task::JoinHandle::abort);
    let mut failed = Vec::new();
    for name in &names {
        eventually("every signal is handled", A_MINUTE, async || {
            (handled(&journal(&client, name).await).0 == rounds).then_some(())
        })
        .await;
        let replayed = Histories::of(&client, &version(name)).replay().await.unwrap();
        assert!(replayed.runs > rounds, "{replayed:?}");
        for (run, why) in replayed.failed {
            let id = format!("temporal-sys-worker-controller-instance:{name}:1");
            let shown = server.temporal(&["workflow", "show", "-w", &id, "-r", &run, "-o", "json"]);
            let file = scratch(&format!("{run}.json"));
            std::fs::write(&file, shown.stdout).unwrap();
            failed.push(format!("{}: {why}", file.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_that_come_while_a_provider_is_slow_fill_no_history() {
    const SIGNALS: usize = 400;
    let server = Server::start().await;
    let _controller = server.controller(&["--allow-private-addresses"], &[]);
    let client = server.client().await.unwrap();
    let (opens, is_open) = tokio::sync::watch::channel(true);
    let slow = Router::new().fallback(move || {
        let mut is_open = is_open.clone();
        async move { is_open.wait_for(|is_open| *is_open).await.map(|_| ()).unwrap_or_default() }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, slow).await.unwrap() });
    let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "webhook", "config": {"url": url}},
        "scaling": {"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": 10}}}}});
    client.update(&version("slow"), &whole(spec)).await.unwrap();
    let size = || {
        let id = "temporal-sys-worker-controller-instance:slow:1";
        let told = server.temporal(&["workflow", "describe", "-w", id, "-o", "json"]);
        let told: Value = serde_json::from_slice(&told.stdout).unwrap();
        told["workflowExecutionInfo"]["historySizeBytes"].as_str().unwrap().parse::<usize>().unwrap()
    };
    opens.send_replace(false);
    // One at a time, so that the workflow hears of each by itself.
    for n in 0..SIGNALS {
        client.signal_task_add(&version("slow"), &task_add(n)).await.unwrap();
    }
    let dumped = client.dump(&version("slow")).await.unwrap();
    assert!(dumped.pending_task_add_signals.len() > SIGNALS / 2, "{}", dumped.pending_task_add_signals.len());
    assert!(size() < 1_500_000, "{} bytes of history", size());
    opens.send_replace(true);
    eventually("every signal is handled", A_MINUTE, async || {
        (handled(&journal(&client, "slow").await).0 == SIGNALS).then_some(())
    })
    .await;
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
    let next = server.controller(&["--dynamic-config", file.to_str().unwrap()], &[]);
    eventually("a process that begins says it", A_MINUTE, async || {
        let log = std::fs::read_to_string(&next.log).unwrap();
        log.contains("the dynamic config does not enable this namespace").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_undo_each_others_settings_say_so() {
    let server = Server::start().await;
    let with_interval = |seconds: u32| {
        let file = scratch("dynamic.yaml");
        let keys =
            ["enabled:\n- value: true", &format!("periodic_validation_interval_s:\n- value: {seconds}")]
                .map(|key| format!("workercontroller.{key}\n"));
        std::fs::write(&file, keys.concat()).unwrap();
        server.controller(&["--dynamic-config", file.to_str().unwrap()], &[])
    };
    let processes = [with_interval(3600), with_interval(7200)];
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {"compute": {"provider_type": "external"}}}});
    // Each update ends a run, and either process may begin the next one.
    let said = eventually("a process says it", 3 * A_MINUTE, async || {
        client.update(&version("rivals"), &whole(spec.clone())).await.unwrap();
        let logs = processes.iter().filter_map(|process| std::fs::read_to_string(&process.log).ok());
        logs.flat_map(|log| log.lines().map(str::to_owned).collect::<Vec<_>>())
            .find(|line| line.contains("another process gives the same controllers other settings"))
    })
    .await;
    assert!(
        said.contains("validation_interval: 3600000 there, 7200000 here")
            || said.contains("validation_interval: 7200000 there, 3600000 here"),
        "{said}"
    );
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
