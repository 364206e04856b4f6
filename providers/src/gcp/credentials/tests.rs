//! Ways through the steps, and tokens against a Google that gives out numbered ones.

use super::*;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response as Answered};
use serde_json::json;
use std::sync::Mutex as Locked;

fn account(name: &str) -> IntermediaryServiceAccount {
    IntermediaryServiceAccount { service_account_email: name.to_owned() }
}

#[test]
fn each_alternative_is_tried_once() {
    let ways = ways(&[vec![account("a"), account("b")], vec![], vec![account("c")]]);
    assert_eq!(ways.len(), 2);
    assert!(ways.iter().all(|way| way.len() == 2 && way[1] == "c"));
    assert_ne!(ways[0][0], ways[1][0]);
}

#[test]
fn no_steps_are_one_way() {
    assert_eq!(ways(&[]), [Vec::<String>::new()]);
}

#[test]
fn a_token_is_asked_for_anew_five_minutes_before_it_expires() {
    let key = |account: &str| -> Key { (Vec::new(), account.into(), Wanted::Access) };
    let begun = Instant::now();
    let after = |secs| begun + Duration::from_secs(secs);
    let mut kept = Kept::default();
    kept.keep(key("a"), "first".into(), begun);
    assert_eq!(kept.get(&key("a"), after(3299)).as_deref(), Some("first"));
    assert_eq!(kept.get(&key("a"), after(3300)), None);
    assert_eq!(kept.get(&key("b"), begun), None);
    kept.keep(key("b"), "other".into(), after(3300));
    assert_eq!(kept.0.len(), 1, "what has expired is dropped");
}

/// The tokens given out, the one that is taken, and how often each was shown.
#[derive(Default)]
struct Fake {
    given: Locked<u32>,
    taken: Locked<String>,
    shown: Locked<Vec<String>>,
}

impl Fake {
    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Answered {
        if uri.path() == "/token" {
            return axum::Json(json!({"access_token": "own", "expires_in": 3600, "token_type": "Bearer"}))
                .into_response();
        }
        if uri.path().ends_with(":generateAccessToken") {
            let mut given = self.given.lock().unwrap();
            *given += 1;
            return axum::Json(json!({"accessToken": format!("token {given}")})).into_response();
        }
        let shown = headers["authorization"].to_str().unwrap().replace("Bearer ", "");
        let is_taken = *self.taken.lock().unwrap() == shown;
        self.shown.lock().unwrap().push(shown);
        if is_taken { StatusCode::OK } else { StatusCode::UNAUTHORIZED }.into_response()
    }
}

async fn actor() -> (Arc<Fake>, String, Actor) {
    let fake = Arc::new(Fake::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answering = fake.clone();
    let app = Router::new()
        .fallback(move |uri: Uri, headers: HeaderMap| async move { answering.answer(&uri, &headers) });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut host = Host::default();
    host.google.iam = Some(address.clone());
    host.google.credentials = Some(json!({"type": "authorized_user", "client_id": "c", "client_secret": "s",
        "refresh_token": "r", "token_uri": format!("{address}/token")}));
    let service_account = Some("a@p.iam.gserviceaccount.com".to_owned());
    (fake, address, Actor { google: Arc::default(), host, service_account })
}

#[tokio::test]
async fn a_kept_token_that_is_not_taken_any_more_is_asked_for_anew_once() {
    let (fake, address, actor) = actor().await;
    let call = async || {
        let request = || Ok(actor.client(Reach::Anywhere)?.get(format!("{address}/thing")));
        actor.send("calling", &Wanted::Access, true, request).await.map(drop)
    };
    let take = |token: &str| *fake.taken.lock().unwrap() = token.to_owned();
    take("token 1");
    call().await.unwrap();
    call().await.unwrap();
    take("token 2");
    call().await.unwrap();
    call().await.unwrap();
    assert_eq!(*fake.shown.lock().unwrap(), ["token 1", "token 1", "token 1", "token 2", "token 2"]);
    take("none");
    let error = call().await.unwrap_err();
    assert_eq!(error.class, wci_core::controller::FailureClass::Denied, "{error}");
    assert_eq!(*fake.given.lock().unwrap(), 3, "it is tried anew once, not for ever");
}

#[test]
fn a_service_account_cannot_lead_to_another_path() {
    assert_eq!(check_account("name@project.iam.gserviceaccount.com"), Ok(()));
    assert_eq!(check_account("103020301020"), Ok(()));
    for wrong in ["", "a/b", "../../secrets", "a..b", "a?x=1", "a#b", "a%2Fb", "a:generateIdToken"] {
        let error = check_account(wrong).unwrap_err();
        assert!(error.message.contains("expected an e-mail address"), "{wrong}: {error}");
    }
}
