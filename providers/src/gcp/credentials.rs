//! Tokens: the machine's own, or those of a service account that it may act as, kept until shortly before they
//! expire.

use crate::chain::{exhausted, in_random_order};
use crate::config::ProviderConfig;
use crate::error::{ProviderError, chain as words_of};
use crate::host::{Host, IntermediaryServiceAccount};
use crate::web::{Reach, Web, send};
use google_cloud_auth::credentials::{AccessTokenCredentials, Builder, service_account, user_account};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::Instant;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const IAM: &str = "https://iamcredentials.googleapis.com";
/// How long a token is asked for, and how long it is used.
const LIFETIME: &str = "3600s";
const KEPT: Duration = Duration::from_secs(3600 - 300);

/// A kind of token that a service account can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// For calls to Google's own services.
    Access,
    /// For calls to a service that runs on Google's platform.
    Identity { audience: String },
}

/// The service accounts on the way, the one at its end, and what was asked of it.
type Key = (Vec<String>, String, Wanted);

/// Tokens, each until shortly before it expires.
#[derive(Debug, Default)]
struct Kept(BTreeMap<Key, (String, Instant)>);

impl Kept {
    fn get(&self, key: &Key, now: Instant) -> Option<String> {
        self.0.get(key).filter(|(_, until)| now < *until).map(|(token, _)| token.clone())
    }

    fn keep(&mut self, key: Key, token: String, now: Instant) {
        self.0.retain(|_, (_, until)| now < *until);
        self.0.insert(key, (token, now + KEPT));
    }

    /// Drops a token that is not taken any more. Says whether it was one that is kept here.
    fn forget(&mut self, token: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|_, (kept, _)| kept != token);
        self.0.len() < before
    }
}

/// Who acts: the machine itself, or a service account that it may act as.
pub(super) struct Actor {
    pub(super) google: Arc<Google>,
    pub(super) host: Host,
    pub(super) service_account: Option<String>,
}

impl Actor {
    /// Reads the service account of a spec, whose name becomes part of a path.
    pub(super) fn new(
        google: &Arc<Google>,
        config: &ProviderConfig,
        host: &Host,
    ) -> Result<Self, ProviderError> {
        let service_account = config.text("service_account").map(str::to_owned);
        service_account.as_deref().map_or(Ok(()), check_account)?;
        Ok(Self { google: google.clone(), host: host.clone(), service_account })
    }

    /// The client for requests that reach so far.
    pub(super) fn client(&self, reach: Reach) -> Result<Client, ProviderError> {
        self.google.web.client(reach)
    }

    /// A token as of now.
    pub(super) async fn token(&self, wanted: &Wanted, may_be_kept: bool) -> Result<String, ProviderError> {
        self.google.token(&self.host, self.service_account.as_deref(), wanted, may_be_kept).await
    }

    /// Sends a request with a token. When a kept one is not taken any more, it is dropped, and the request is sent once
    /// more with a new one.
    pub(super) async fn send(
        &self,
        doing: &str,
        wanted: &Wanted,
        may_be_kept: bool,
        request: impl Fn() -> Result<RequestBuilder, ProviderError>,
    ) -> Result<Response, ProviderError> {
        let token = self.token(wanted, may_be_kept).await?;
        match send(doing, request()?.bearer_auth(&token)).await {
            Err(e) if e.is_stale && self.google.forget(&token).await => {
                let token = self.token(wanted, false).await?;
                send(doing, request()?.bearer_auth(token)).await
            }
            ended => ended,
        }
    }
}

/// An e-mail address of a service account, or its number; it must not lead elsewhere.
fn check_account(account: &str) -> Result<(), ProviderError> {
    let is_plain = account.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@'));
    if is_plain && !account.is_empty() && !account.contains("..") {
        return Ok(());
    }
    Err(ProviderError::rejected(format!(
        "service_account: found {account:?}, expected an e-mail address such as \
         name@project.iam.gserviceaccount.com"
    )))
}

/// What all calls to Google share.
#[derive(Debug, Default)]
pub struct Google {
    own: OnceCell<AccessTokenCredentials>,
    web: Web,
    kept: Mutex<Kept>,
}

impl Google {
    /// A token of the service account, or the machine's own without one.
    pub(super) async fn token(
        &self,
        host: &Host,
        service_account: Option<&str>,
        wanted: &Wanted,
        may_be_kept: bool,
    ) -> Result<String, ProviderError> {
        let Some(account) = service_account else {
            return match wanted {
                Wanted::Access => self.own_token(host).await,
                Wanted::Identity { .. } => Err(ProviderError::rejected(
                    "service_account: found nothing, expected the account whose identity the call shall carry",
                )),
            };
        };
        let mut last = None;
        for delegates in ways(&host.intermediary_service_accounts) {
            let key = (delegates, account.to_owned(), wanted.clone());
            match self.act_as(host, key, may_be_kept).await {
                Ok(token) => return Ok(token),
                Err(e) if e.may_pass_elsewhere() => last = Some(e),
                Err(e) => return Err(e),
            }
        }
        Err(exhausted(last))
    }

    async fn act_as(&self, host: &Host, key: Key, may_be_kept: bool) -> Result<String, ProviderError> {
        let now = Instant::now();
        if may_be_kept && let Some(token) = self.kept.lock().await.get(&key, now) {
            return Ok(token);
        }
        let token = self.generate(host, &key).await?;
        self.kept.lock().await.keep(key, token.clone(), now);
        Ok(token)
    }

    async fn generate(
        &self,
        host: &Host,
        (delegates, account, wanted): &Key,
    ) -> Result<String, ProviderError> {
        let own = self.own_token(host).await?;
        let name = |account: &String| format!("projects/-/serviceAccounts/{account}");
        let delegates: Vec<_> = delegates.iter().map(name).collect();
        let (method, body) = match wanted {
            Wanted::Access => (
                "generateAccessToken",
                json!({"delegates": delegates, "scope": [SCOPE], "lifetime": LIFETIME}),
            ),
            Wanted::Identity { audience } => (
                "generateIdToken",
                json!({"delegates": delegates, "audience": audience, "includeEmail": true}),
            ),
        };
        let iam = host.google.iam.as_deref().unwrap_or(IAM);
        let url = format!("{iam}/v1/{}:{method}", name(account));
        let doing = format!("acting as {account}");
        let request = self.web.client(Reach::Anywhere)?.post(url).bearer_auth(own).json(&body);
        let answer: Answer = send(&doing, request)
            .await?
            .json()
            .await
            .map_err(|_| ProviderError::unavailable(format!("{doing}: the answer holds no token")))?;
        Ok(match answer {
            Answer::Access { access_token } => access_token,
            Answer::Identity { token } => token,
        })
    }

    async fn forget(&self, token: &str) -> bool {
        self.kept.lock().await.forget(token)
    }

    async fn own_token(&self, host: &Host) -> Result<String, ProviderError> {
        let own =
            self.own.get_or_try_init(|| async { own_credentials(host.google.credentials.as_ref()) }).await?;
        let token = own.access_token().await.map_err(|e| {
            let words = format!("getting a token of this machine's own account: {}", words_of(&e));
            if e.is_transient() { ProviderError::unavailable(words) } else { ProviderError::denied(words) }
        })?;
        Ok(token.token)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    #[serde(rename_all = "camelCase")]
    Access {
        access_token: String,
    },
    Identity {
        token: String,
    },
}

fn own_credentials(json: Option<&Value>) -> Result<AccessTokenCredentials, ProviderError> {
    crate::web::install_crypto();
    let built = match json {
        None => Builder::default().with_scopes([SCOPE]).build_access_token_credentials(),
        Some(json) if json.get("type").is_some_and(|kind| kind == "authorized_user") => {
            user_account::Builder::new(json.clone()).build_access_token_credentials()
        }
        Some(json) => service_account::Builder::new(json.clone()).build_access_token_credentials(),
    };
    built.map_err(|e| {
        ProviderError::denied(format!("this machine has no Google credentials: {}", words_of(&e)))
    })
}

/// Ways through the steps, at most one for each alternative of the longest step: the first at random, the next ones
/// take the next alternative of each step.
fn ways(steps: &[Vec<IntermediaryServiceAccount>]) -> Vec<Vec<String>> {
    let steps: Vec<_> = steps.iter().filter(|step| !step.is_empty()).map(|s| in_random_order(s)).collect();
    let longest = steps.iter().map(Vec::len).max().unwrap_or(1);
    let way = |n: usize| steps.iter().map(|s| s[n % s.len()].service_account_email.clone()).collect();
    (0..longest).map(way).collect()
}

#[cfg(test)]
mod tests;
