//! Tokens: the machine's own, or those of a service account that it may act as, kept until shortly before they
//! expire.

use crate::chain::{exhausted, in_random_order};
use crate::error::{ProviderError, chain as words_of};
use crate::host::{Host, IntermediaryServiceAccount};
use crate::web::{Reach, client, send};
use google_cloud_auth::credentials::{AccessTokenCredentials, Builder, service_account, user_account};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
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
}

/// What all calls to Google share.
#[derive(Debug, Default)]
pub struct Google {
    own: OnceCell<AccessTokenCredentials>,
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
        let request = client(Reach::Anywhere)?.post(url).bearer_auth(own).json(&body);
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
mod tests {
    use super::*;

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
}
