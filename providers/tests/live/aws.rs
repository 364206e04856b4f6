//! Amazon's providers: their failures by class, and workers that the server's hook brings about.

use crate::fakes::{Aws, Call, EXTERNAL_ID, FUNCTION, ROLE, env};
use crate::load;
use crate::program::{eventually, free_port};
use crate::suite::{Mood, OtherSide, conforms};
use crate::temporal::{Server, version, whole};
use serde_json::{Value, json};
use std::time::Duration;
use wci_providers::Host;

/// The statistics are read so seldom that only a signal can have invoked the function.
fn lambda(function: &str, role: &str, external_id: &str) -> Value {
    json!({"scaling_group_specs": {"g": {
        "compute": {"provider_type": "aws-lambda",
            "config": {"arn": function, "role": role, "role_external_id": external_id}},
        "scaling": {"scaling_algorithm": "no-sync", "config": {"metrics_poll_interval_ms": 600_000}}}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hooks_signal_invokes_the_function() {
    let (server, aws) = (Server::start().await, Aws::start().await);
    let _controller = server.controller(&[], &aws.env());
    load::register(&server, "fn", "fn-q").await;
    let client = server.client().await.unwrap();
    client.update(&version("fn"), &whole(lambda(FUNCTION, ROLE, EXTERNAL_ID))).await.unwrap();
    let before = aws.count(|call| call.is_invoke());
    let mut load = load::start(&server, "fn-q", 2.0, 1.5, 0.1);
    let started = std::time::SystemTime::now();
    let first = eventually("the function is invoked", Duration::from_secs(60), async || {
        aws.calls().into_iter().filter(Call::is_invoke).nth(before)
    })
    .await;
    let latency = first.at.duration_since(started).unwrap();
    println!("the function is invoked {latency:?} after the load program was started");
    eventually("the load has ended", Duration::from_secs(60), async || load.has_ended().then_some(())).await;
    assert!(aws.count(|call| call.operation == "AssumeRole") < 8, "roles are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_hook_fast_poll_tells_of_new_work() {
    let (server, aws) = (Server::start_without_hook().await, Aws::start().await);
    let _controller = server.controller(&["--fast-poll"], &aws.env());
    load::register(&server, "fast", "fast-q").await;
    let client = server.client().await.unwrap();
    client.update(&version("fast"), &whole(lambda(FUNCTION, ROLE, EXTERNAL_ID))).await.unwrap();
    let before = aws.count(Call::is_invoke);
    let _load = load::start(&server, "fast-q", 5.0, 1.0, 0.1);
    eventually("the function is invoked", Duration::from_secs(60), async || {
        (aws.count(Call::is_invoke) > before).then_some(())
    })
    .await;
    let after = aws.count(Call::is_invoke);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(aws.count(Call::is_invoke) <= after + 5, "an unchanged backlog sends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_specs_are_refused_with_clear_words_and_nothing_is_left() {
    let (server, aws) = (Server::start().await, Aws::start().await);
    let _controller = server.controller(&[], &aws.env());
    let client = server.client().await.unwrap();
    let refused = async |name: &str, spec: Value| {
        client.update(&version(name), &whole(spec)).await.unwrap_err().to_string()
    };
    let unknown = refused("a", lambda(&FUNCTION.replace("worker", "nobody"), ROLE, EXTERNAL_ID)).await;
    assert!(unknown.contains("scaling group g: reading function"), "{unknown}");
    assert!(unknown.contains("ResourceNotFoundException"), "{unknown}");
    let denied = refused("b", lambda(FUNCTION, ROLE, "hunter22-wrong")).await;
    assert!(denied.contains("AccessDenied") && !denied.contains("hunter22"), "{denied}");
    let open = refused("e", lambda(FUNCTION, "arn:aws:iam::123456789012:role/open", EXTERNAL_ID)).await;
    assert!(open.contains("can be assumed without its external id"), "{open}");
    let missing = refused(
        "c",
        json!({"scaling_group_specs": {"g": {"compute": {
        "provider_type": "aws-lambda", "config": {"arn": FUNCTION}}}}}),
    )
    .await;
    assert!(missing.contains("role: found nothing"), "{missing}");
    aws.fail("functions", 429, "TooManyRequestsException");
    let throttled = refused("d", lambda(FUNCTION, ROLE, EXTERNAL_ID)).await;
    assert!(throttled.contains("TooManyRequestsException"), "{throttled}");
    aws.work();
    for name in ["a", "b", "c", "d", "e"] {
        eventually("nothing is left of it", Duration::from_secs(60), async || {
            (!client.exists(&version(name)).await.unwrap()).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_follows_the_load_up_and_down() {
    let (server, aws) = (Server::start().await, Aws::start().await);
    let _controller = server.controller(&[], &aws.env());
    load::register(&server, "set", "set-q").await;
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {
        "compute": {"provider_type": "aws-ecs", "config": {"cluster": "workers", "service": "worker",
            "region": "us-east-1", "role": ROLE, "role_external_id": EXTERNAL_ID}},
        "scaling": {"scaling_algorithm": "backlog", "config": {"max_count": 3, "empty_backlog_ms": 1000,
            "scale_up_cooldown_ms": 200, "scale_down_cooldown_ms": 200}}}}});
    client.update(&version("set"), &whole(spec)).await.unwrap();
    let _load = load::start(&server, "set-q", 4.0, 2.0, 0.1);
    let sizes = async || aws.calls().iter().filter_map(Call::desired_count).collect::<Vec<_>>();
    eventually("it grows to its maximum", Duration::from_secs(60), async || {
        sizes().await.contains(&3).then_some(())
    })
    .await;
    // A worker drains the queue; then the backlog is empty.
    load::register(&server, "set", "set-q").await;
    eventually("it shrinks to nothing", Duration::from_secs(60), async || {
        (sizes().await.last() == Some(&0)).then_some(())
    })
    .await;
    let all = sizes().await;
    assert!(all.windows(2).all(|pair| (pair[0] - pair[1]).abs() <= 1), "one step at a time: {all:?}");
}

/// Amazon as one provider sees it.
struct Side<'a> {
    aws: &'a Aws,
    compute: Value,
}

impl OtherSide for Side<'_> {
    fn compute(&self) -> Value {
        self.compute.clone()
    }
    fn host(&self) -> Host {
        Host::default()
    }
    fn workers(&self) -> u32 {
        let invoked = self.aws.count_done(Call::is_invoke);
        let size = self.aws.last_done(Call::desired_count);
        u32::try_from(size.unwrap_or(i64::try_from(invoked).unwrap())).unwrap()
    }
    fn set_mood(&self, mood: Mood) -> bool {
        let code = |status| match status {
            429 => "ThrottlingException",
            403 => "AccessDeniedException",
            404 => "ResourceNotFoundException",
            503 => "ServiceException",
            _ => "InvalidParameterException",
        };
        match mood {
            Mood::Well => self.aws.work(),
            Mood::Failing(status) => self.aws.fail("", status, code(status)),
            Mood::Silent => self.aws.fail("", 0, ""),
        }
        true
    }
}

/// In a process of its own: the SDK takes address and credentials from the environment.
#[tokio::test(flavor = "multi_thread")]
async fn lambda_and_ecs_conform() {
    let Some(port) = std::env::var("WCI_TEST_AWS_PORT").ok() else {
        let port = free_port();
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "aws::lambda_and_ecs_conform", "--nocapture"]);
        command.env("WCI_TEST_AWS_PORT", port.to_string()).envs(env(&format!("http://127.0.0.1:{port}")));
        let ended = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        return;
    };
    let aws = Aws::start_on(port.parse().unwrap()).await;
    aws.demand("arn:aws:iam::123456789012:role/conforming", "hunter22-external");
    let role =
        json!({"role": "arn:aws:iam::123456789012:role/conforming", "role_external_id": "hunter22-external"});
    for (provider_type, own) in [
        ("aws-lambda", json!({"arn": FUNCTION})),
        ("aws-ecs", json!({"cluster": "workers", "service": "worker", "region": "us-east-1"})),
    ] {
        let mut config = own.as_object().unwrap().clone();
        config.extend(role.as_object().unwrap().clone());
        aws.forget();
        conforms(&Side { aws: &aws, compute: json!({"provider_type": provider_type, "config": config}) })
            .await;
    }
}
