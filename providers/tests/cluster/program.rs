//! The program itself: one scan, a dry run, and an orderly stop.

use super::fake::Fake;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn command(fake: &Fake, name: &str) -> Command {
    let dir =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let kubeconfig = dir.join("kubeconfig");
    std::fs::write(&kubeconfig, fake.kubeconfig()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wci-controller"));
    command.args(["cluster", "run", "--kubeconfig"]).arg(kubeconfig).current_dir(dir);
    command
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn cluster() -> Fake {
    let fake = Fake::start().await;
    fake.node("A", true);
    fake.job("recompute", super::TWO);
    fake
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_prints_what_once_then_does() {
    let fake = cluster().await;
    let mut dry = command(&fake, "once");
    dry.args(["--once", "--dry-run"]);
    let said = run(dry).await;
    let plan = String::from_utf8(said.stdout).unwrap();
    assert!(said.status.success(), "{plan}");
    assert!(plan.starts_with("ready: A\n") && plan.contains("2 created"), "{plan}");
    assert!(fake.pods().is_empty());

    let mut once = command(&fake, "once");
    once.args(["--once", "--journal", "journal.jsonl"]);
    let said = run(once).await;
    assert_eq!((said.status.code(), String::from_utf8(said.stdout).unwrap()), (Some(0), plan));
    assert_eq!(fake.pods().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_its_status() {
    let fake = cluster().await;
    let mut wrong = command(&fake, "wrong");
    wrong.args(["--once", "--scan-task", "none.xml"]);
    let said = run(wrong).await;
    assert_eq!(said.status.code(), Some(2));
    assert!(String::from_utf8(said.stderr).unwrap().contains("none.xml"));
    fake.fail(Some(("/pods", 403)));
    let mut denied = command(&fake, "wrong");
    denied.arg("--once");
    let said = run(denied).await;
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8(said.stderr).unwrap().contains("listing Pods"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_scan_that_leaves_something_out_has_failed_and_says_so_once() {
    let fake = cluster().await;
    fake.job("broken", "count = 'many'");
    let mut once = command(&fake, "left-out");
    once.arg("--once");
    let said = run(once).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (status, out, err) = (said.status.code(), text(said.stdout), text(said.stderr));
    assert_eq!(status, Some(1), "{out}{err}");
    assert!(out.contains("warning: broken: ") && err.contains("warnings: 1"), "{out}{err}");
    assert!(!err.contains("broken"), "it is printed already: {err}");
    assert!(!err.contains('\x1b'), "colours are for terminals: {err}");
    assert_eq!(fake.pods().len(), 2, "the other job has its workers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_reached_is_told_of_without_repetition() {
    let fake = cluster().await;
    let mut away = command(&fake, "away");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let kubeconfig = fake.kubeconfig().replace(&fake.address, &format!("http://127.0.0.1:{port}"));
    std::fs::write(away.get_current_dir().unwrap().join("kubeconfig"), kubeconfig).unwrap();
    away.arg("--once");
    let said = run(away).await;
    let err = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(1), "{err}");
    // Once in the log when it was lost, and once as what became of the scan.
    assert_eq!(err.matches("Connection refused").count(), 2, "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_scans_when_a_node_comes_and_stops_when_it_is_asked_to() {
    let fake = cluster().await;
    let mut running = command(&fake, "stop");
    running.args(["--scan-on-change", "--interval-secs", "3600", "--log-format", "json"]);
    let mut child = running.stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let wait_for = async |count: usize| {
        while fake.pods().len() < count {
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", fake.pods());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    wait_for(2).await;
    fake.node("B", true);
    wait_for(4).await;
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert!(status.success(), "{status}");
}
