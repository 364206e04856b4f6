//! Roles that Amazon does not take any more, against an Amazon of one function and one role.

use super::*;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::Mutex as Locked;

/// What was asked for, and the keys that are not taken (any more).
#[derive(Default)]
struct Amazon {
    assumed: Locked<Vec<String>>,
    invoked_with: Locked<Vec<String>>,
    ended: Locked<Vec<String>>,
}

impl Amazon {
    fn signed_with(headers: &HeaderMap) -> String {
        let signature = headers["authorization"].to_str().unwrap();
        signature.split_once("Credential=").unwrap().1.split('/').next().unwrap().to_owned()
    }

    fn end(&self, key: &str) {
        self.ended.lock().unwrap().push(key.to_owned());
    }

    fn assume(&self, body: &str) -> Response {
        let mut assumed = self.assumed.lock().unwrap();
        assumed.push(if body.contains("role%2Fstep") { "step" } else { "end" }.to_owned());
        let key = format!("KEY{}", assumed.len());
        let text = format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        );
        text.into_response()
    }
}

async fn answer(State(amazon): State<Arc<Amazon>>, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let key = Amazon::signed_with(&headers);
    let is_ended = amazon.ended.lock().unwrap().contains(&key);
    if uri.path().contains("/invocations") {
        amazon.invoked_with.lock().unwrap().push(key);
        return match is_ended {
            true => {
                (StatusCode::FORBIDDEN, [("x-amzn-errortype", "ExpiredTokenException")], "{}").into_response()
            }
            false => StatusCode::ACCEPTED.into_response(),
        };
    }
    match is_ended {
        true => {
            let text = "<ErrorResponse><Error><Code>ExpiredToken</Code><Message>old</Message></Error></ErrorResponse>";
            (StatusCode::FORBIDDEN, text).into_response()
        }
        false => amazon.assume(&body),
    }
}

async fn access(steps: Vec<Vec<IntermediaryRole>>) -> (Arc<Amazon>, Access) {
    let amazon = Arc::new(Amazon::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().fallback(answer).with_state(amazon.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let own = Credentials::new("OWN", "s", None, None, "test");
    let config = defaults()
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(own))
        .endpoint_url(format!("http://{address}"))
        .load()
        .await;
    let aws = Aws { base: OnceCell::from(config), ..Aws::default() };
    let role = Role { arn: Some("arn:aws:iam::1:role/end".into()), external_id: Some("id".into()) };
    (amazon, Access { aws: Arc::new(aws), region: "eu-west-1".into(), role, steps })
}

async fn invoke(access: &Access) -> Result<(), ProviderError> {
    let call = |config: SdkConfig| async move {
        let call = aws_sdk_lambda::Client::new(&config).invoke().function_name("f");
        call.send().await.map(drop).map_err(|e| failure("invoking", e))
    };
    access.call(call).await
}

#[tokio::test]
async fn a_role_that_has_ended_is_assumed_anew_once() {
    let (amazon, access) = access(Vec::new()).await;
    invoke(&access).await.unwrap();
    amazon.end("KEY1");
    invoke(&access).await.unwrap();
    invoke(&access).await.unwrap();
    assert_eq!(*amazon.invoked_with.lock().unwrap(), ["KEY1", "KEY1", "KEY2", "KEY2"]);
    amazon.end("KEY2");
    amazon.end("KEY3");
    let error = invoke(&access).await.unwrap_err();
    assert_eq!(error.class, FailureClass::Denied, "{error}");
    assert_eq!(amazon.assumed.lock().unwrap().len(), 3, "it is tried anew once, not for ever");
}

#[tokio::test]
async fn a_role_on_the_way_that_has_ended_is_assumed_anew() {
    let step = IntermediaryRole {
        role_arn: "arn:aws:iam::1:role/step".into(),
        role_session_name: "session".into(),
        external_id: None,
    };
    let (amazon, access) = access(vec![vec![step]]).await;
    invoke(&access).await.unwrap();
    // The end's role has to be had again, with a step that is kept and yet has ended.
    access.aws.assumed.lock().await.retain(|(_, path), _| path.len() == 1);
    amazon.end("KEY1");
    invoke(&access).await.unwrap();
    assert_eq!(*amazon.assumed.lock().unwrap(), ["step", "end", "step", "end"]);
}

#[tokio::test]
async fn the_hosts_own_credentials_are_not_tried_twice() {
    let (amazon, access) = access(Vec::new()).await;
    let access = Access { role: Role::default(), ..access };
    amazon.end("OWN");
    invoke(&access).await.unwrap_err();
    assert_eq!(amazon.invoked_with.lock().unwrap().len(), 1);
}
