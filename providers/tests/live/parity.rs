//! The same load on our controller and on the original inside the server: the same provider calls at the same time.

use crate::fakes::{Aws, Call, EXTERNAL_ID, ROLE};
use crate::load;
use crate::program::{Program, eventually};
use crate::temporal::{Server, version, whole};
use futures::StreamExt;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use temporalio_client::tonic::Request;
use temporalio_common::protos::temporal::api::common::v1::Payload;
use temporalio_common::protos::temporal::api::compute::v1::{
    ComputeConfigScalingGroup, ComputeConfigScalingGroupUpdate, ComputeProvider, ComputeScaler,
};
use temporalio_common::protos::temporal::api::deployment::v1::WorkerDeploymentVersion as ProtoVersion;
use temporalio_common::protos::temporal::api::workflowservice::v1::UpdateWorkerDeploymentVersionComputeConfigRequest;
use wci_providers::Client;

/// How often the comparison is begun anew: what else the machine does can push a call over a second once.
const TRIES: usize = 3;

/// One spec, given to both.
struct Case {
    name: String,
    provider: &'static str,
    algorithm: &'static str,
    scaling: Value,
}

impl Case {
    /// Each side has a function and a service of its own, named after its deployment.
    fn compute(&self, deployment: &str) -> Value {
        let role = json!({"role": ROLE, "role_external_id": EXTERNAL_ID});
        let own = match self.provider {
            "aws-lambda" => {
                json!({"arn": format!("arn:aws:lambda:us-east-1:123456789012:function:{deployment}")})
            }
            _ => json!({"cluster": "workers", "service": deployment, "region": "us-east-1"}),
        };
        let mut config = own.as_object().unwrap().clone();
        config.extend(role.as_object().unwrap().clone());
        Value::Object(config)
    }

    fn go(&self) -> String {
        format!("{}-go", self.name)
    }

    fn ours(&self) -> String {
        format!("{}-ours", self.name)
    }
}

fn payload(value: &Value) -> Payload {
    let metadata = HashMap::from([("encoding".to_owned(), b"json/plain".to_vec())]);
    Payload { metadata, data: serde_json::to_vec(value).unwrap(), ..Payload::default() }
}

async fn configure_go(client: &Client, case: &Case) {
    let group = ComputeConfigScalingGroup {
        provider: Some(ComputeProvider {
            r#type: case.provider.into(),
            details: Some(payload(&case.compute(&case.go()))),
            ..ComputeProvider::default()
        }),
        scaler: Some(ComputeScaler { r#type: case.algorithm.into(), details: Some(payload(&case.scaling)) }),
        ..ComputeConfigScalingGroup::default()
    };
    let update = ComputeConfigScalingGroupUpdate { scaling_group: Some(group), update_mask: None };
    let request = UpdateWorkerDeploymentVersionComputeConfigRequest {
        namespace: "default".into(),
        deployment_version: Some(ProtoVersion { deployment_name: case.go(), build_id: "1".into() }),
        compute_config_scaling_groups: HashMap::from([("g".to_owned(), update)]),
        identity: "test".into(),
        request_id: format!("parity-{}", case.name),
        ..UpdateWorkerDeploymentVersionComputeConfigRequest::default()
    };
    let mut service = client.temporal().connection().workflow_service();
    let configured = service.update_worker_deployment_version_compute_config(Request::new(request)).await;
    configured.unwrap_or_else(|e| panic!("{}: {e:?}", case.name));
}

async fn configure_ours(client: &Client, case: &Case) {
    let spec = json!({"scaling_group_specs": {"g": {
        "compute": {"provider_type": case.provider, "config": case.compute(&case.ours())},
        "scaling": {"scaling_algorithm": case.algorithm, "config": case.scaling}}}});
    client.update(&version(&case.ours()), &whole(spec)).await.unwrap();
}

/// The calls that changed something for a deployment since then: when, and the size if it is a set.
fn acts(aws: &Aws, deployment: &str, since: SystemTime) -> Vec<(Duration, Option<i64>)> {
    let is_of = |call: &Call| {
        let set = format!("\"{deployment}\"");
        (call.is_invoke() && call.path.contains(&format!("function%3A{deployment}/")))
            || (call.is_invoke() && call.path.contains(&format!("function:{deployment}/")))
            || (call.desired_count().is_some() && call.body.contains(&set))
    };
    let calls = aws.calls().into_iter().filter(|call| call.at >= since && is_of(call));
    calls.map(|call| (call.at.duration_since(since).unwrap(), call.desired_count())).collect()
}

/// Prints how the calls compare.
fn compare(
    case: &Case,
    go: &[(Duration, Option<i64>)],
    ours: &[(Duration, Option<i64>)],
) -> Result<(), String> {
    let name = &case.name;
    let wrong = |what: &str| Err(format!("{name}: {what}\n  original {go:?}\n  ours     {ours:?}"));
    if go.len() < 3 || ours.len() < 3 {
        return wrong("too little happened");
    }
    let (theirs_a_minute, ours_a_minute) = (a_minute(go), a_minute(ours));
    println!("{name}: a minute {theirs_a_minute:?} calls of the original, {ours_a_minute:?} of ours");
    let mut leads: Vec<i128> =
        go.iter().zip(ours).map(|(go, ours)| go.0.as_micros() as i128 - ours.0.as_micros() as i128).collect();
    leads.sort_unstable();
    println!("{name}: ours came {} us before the original's in the middle", leads[leads.len() / 2]);
    let apart = |from: &[(Duration, Option<i64>)], to: &[(Duration, Option<i64>)]| {
        from.iter().map(|(at, _)| to.iter().map(|other| at.abs_diff(other.0)).min().unwrap()).max().unwrap()
    };
    let widest = apart(go, ours).max(apart(ours, go));
    println!("{name}: at most {widest:?} from a counterpart");
    let sizes =
        |calls: &[(Duration, Option<i64>)]| calls.iter().filter_map(|call| call.1).collect::<Vec<_>>();
    let is_close = |(theirs, ours): (&usize, &usize)| theirs.abs_diff(*ours) <= 1;
    match () {
        () if !theirs_a_minute.iter().zip(&ours_a_minute).all(is_close) => wrong("other calls a minute"),
        () if sizes(go) != sizes(ours) => wrong("other sizes"),
        () if widest > Duration::from_secs(1) => wrong("more than a second apart"),
        () => Ok(()),
    }
}

fn a_minute(calls: &[(Duration, Option<i64>)]) -> Vec<usize> {
    let minutes = calls.last().map_or(0, |call| call.0.as_secs() / 60 + 1);
    (0..minutes).map(|minute| calls.iter().filter(|call| call.0.as_secs() / 60 == minute).count()).collect()
}

fn cases(nth: usize) -> [Case; 3] {
    let case = |name: &str, provider, algorithm, scaling| Case {
        name: format!("{name}{nth}"),
        provider,
        algorithm,
        scaling,
    };
    let slow = json!({"scale_up_cooloff_ms": "5000", "scale_up_backlog_threshold": "5"});
    [
        case("default", "aws-lambda", "no-sync", json!({})),
        case("slow", "aws-lambda", "no-sync", slow),
        case("rate", "aws-ecs", "rate-based", json!({"max_count": "6"})),
    ]
}

/// One load on both, once for each case.
async fn run(server: &Server, aws: &Aws, client: &Client, cases: &[Case]) -> Result<(), String> {
    for case in cases {
        for deployment in [case.go(), case.ours()] {
            aws.add_target(&deployment).await;
            load::register(server, &deployment, &format!("{deployment}-q")).await;
        }
        configure_go(client, case).await;
        configure_ours(client, case).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let since = SystemTime::now();
    let queues: Vec<String> = cases
        .iter()
        .flat_map(|case| [case.go(), case.ours()])
        .map(|deployment| format!("{deployment}-q"))
        .collect();
    let secs = std::env::var("WCI_PARITY_SECS").map_or(25.0, |secs| secs.parse().unwrap());
    let mut load: Program = load::start_many(server, &queues, 1.3, secs, 0.1);
    let longest = Duration::from_secs_f64(secs + 35.0);
    eventually("the load has ended", longest, async || load.has_ended().then_some(())).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    cases
        .iter()
        .try_for_each(|case| compare(case, &acts(aws, &case.go(), since), &acts(aws, &case.ours(), since)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_original_and_ours_make_the_same_calls_at_the_same_time() {
    let aws = Aws::start().await;
    let server = Server::start_alone(aws.env()).await;
    let _controller = server.controller(&["--like-go"], &aws.env());
    let client = server.client().await.unwrap();
    for nth in 1..=TRIES {
        match run(&server, &aws, &client, &cases(nth)).await {
            Ok(()) => return,
            Err(why) if nth == TRIES => panic!("{why}"),
            Err(why) => println!("once more: {why}"),
        }
    }
}

/// How long a flood of signals took to send, and from its first signal until the controller had handled them all.
async fn flood(client: &Client, deployment: &str, signals: usize) -> (Duration, Duration) {
    let begun = std::time::Instant::now();
    let sending = futures::stream::iter(0..signals).for_each_concurrent(50, |n| async move {
        let add = serde_json::from_value(json!({"task_queue_name": format!("q{n}"), "task_queue_type": 2,
            "is_sync_match": false, "no_sync_match_signals_batched": 1}));
        client.signal_task_add(&version(deployment), &add.unwrap()).await.unwrap();
    });
    sending.await;
    let sent = begun.elapsed();
    eventually("the flood is handled", Duration::from_secs(120), async || {
        let state = client.dump(&version(deployment)).await.ok()?;
        state.pending_task_add_signals.is_empty().then_some(())
    })
    .await;
    (sent, begun.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_signals_takes_ours_no_longer_than_the_original() {
    const SIGNALS: usize = 1500;
    let aws = Aws::start().await;
    let server = Server::start_alone(aws.env()).await;
    let _controller = server.controller(&["--like-go"], &aws.env());
    let client = server.client().await.unwrap();
    let scaling = json!({"scale_up_cooloff_ms": "60000"});
    let case = Case { name: "flood".into(), provider: "aws-lambda", algorithm: "no-sync", scaling };
    for deployment in [case.go(), case.ours()] {
        aws.add_target(&deployment).await;
        load::register(&server, &deployment, &format!("{deployment}-q")).await;
    }
    configure_go(&client, &case).await;
    configure_ours(&client, &case).await;
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        theirs.push(flood(&client, &case.go(), SIGNALS).await);
        ours.push(flood(&client, &case.ours(), SIGNALS).await);
    }
    println!("{SIGNALS} signals, sent and handled: original {theirs:?}, ours {ours:?}");
    // Neighbouring rounds saw much the same machine; a slower controller is slower in each of them.
    let ratios = theirs.iter().zip(&ours).map(|(theirs, ours)| ours.1.as_secs_f64() / theirs.1.as_secs_f64());
    let best = ratios.fold(f64::INFINITY, f64::min);
    assert!(best < 1.25, "original {theirs:?}, ours {ours:?}");
}
