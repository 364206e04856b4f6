//! A process that is told to stop waits for calls as long as it was told to, and another one makes them again.

use crate::program::{A_MINUTE, eventually};
use crate::temporal::{Server, version, whole};
use axum::Router;
use axum::http::HeaderMap;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A web server that answers while it is open, and remembers by which key each call was made.
struct Hook {
    url: String,
    opens: watch::Sender<bool>,
    keys: Arc<Mutex<Vec<String>>>,
}

impl Hook {
    async fn start() -> Self {
        let (opens, is_open) = watch::channel(true);
        let keys = Arc::new(Mutex::new(Vec::new()));
        let seen = keys.clone();
        let router = Router::new().fallback(move |headers: HeaderMap| {
            let key = headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
            seen.lock().unwrap().push(key.unwrap_or_default());
            let mut is_open = is_open.clone();
            async move { is_open.wait_for(|is_open| *is_open).await.map(|_| ()).unwrap_or_default() }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, opens, keys }
    }

    fn calls(&self) -> Vec<String> {
        self.keys.lock().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_call_holds_a_stop_no_longer_than_its_grace_and_is_made_again() {
    let (server, hook) = (Server::start().await, Hook::start().await);
    let first = server.controller(&["--allow-private-addresses", "--grace-secs", "3"], &[]);
    let client = server.client().await.unwrap();
    let spec = json!({"scaling_group_specs": {"g": {
        "compute": {"provider_type": "webhook", "config": {"url": hook.url}},
        "scaling": {"scaling_algorithm": "no-sync", "config": {"scale_up_cooloff_ms": 10}}}}});
    client.update(&version("grace"), &whole(spec)).await.unwrap();
    hook.opens.send_replace(false);
    let before = hook.calls().len();
    let add = json!({"task_queue_type": 2, "is_sync_match": false, "no_sync_match_signals_batched": 1});
    client.signal_task_add(&version("grace"), &serde_json::from_value(add).unwrap()).await.unwrap();
    eventually("the call hangs", A_MINUTE, async || (hook.calls().len() > before).then_some(())).await;

    let told = Instant::now();
    let ended_well = tokio::task::spawn_blocking(move || first.stop()).await.unwrap();
    println!("ended {:?} after it was told to", told.elapsed());
    assert!(ended_well, "exit status of a stopped controller");
    // Neither the call's own limit, 50 s, nor the grace that nobody asked for, 30 s.
    assert!(told.elapsed() < Duration::from_secs(30), "{:?}", told.elapsed());

    let _second = server.controller(&["--allow-private-addresses"], &[]);
    let calls = eventually("another process makes the call", A_MINUTE, async || {
        Some(hook.calls()).filter(|calls| calls.len() > before + 1)
    })
    .await;
    assert_eq!(calls[before], calls[before + 1], "the same call: it goes by the same key");
    assert!(!calls[before].is_empty());
    hook.opens.send_replace(true);
    eventually("the call has ended", A_MINUTE, async || {
        let state = client.dump(&version("grace")).await.ok()?;
        state.wci.in_flight.is_none().then_some(())
    })
    .await;
}
