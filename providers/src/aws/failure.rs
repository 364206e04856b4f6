//! From an SDK's error to a class and words: the error's own text says only "service error".

use crate::error::{ProviderError, chain};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use wci_core::controller::FailureClass;

/// The failure of one call, told with what was being done.
pub(super) fn failure<E>(doing: &str, error: SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    match &error {
        SdkError::ServiceError(service) => {
            let (code, message) = (service.err().code(), service.err().message());
            let known = code.unwrap_or_default();
            ProviderError::new(class_of(known, status), format!("{doing}: {}", words(code, message, status)))
                .of_stale_credentials(is_stale(known))
        }
        SdkError::DispatchFailure(failure) if failure.is_other() => match credentials_error(&error) {
            Some(missing) => without_credentials(doing, missing),
            None => ProviderError::unavailable(format!("{doing}: {}", chain(&error))),
        },
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            ProviderError::unavailable(format!("{doing}: {}", chain(&error)))
        }
        _ => ProviderError::rejected(format!("{doing}: {}", chain(&error))),
    }
}

/// What the service said of it; where it said nothing, all that is known is the status.
fn words(code: Option<&str>, message: Option<&str>, status: Option<u16>) -> String {
    if code.is_some() || message.is_some() {
        return code.into_iter().chain(message).collect::<Vec<_>>().join(": ");
    }
    match status {
        Some(status @ (401 | 403)) => {
            format!("HTTP status {status} and no reason: are the credentials right?")
        }
        Some(status) => format!("HTTP status {status} and no reason"),
        None => "no reason".to_owned(),
    }
}

/// What kept the call from being signed, if that was it.
fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        next = current.source();
    }
    None
}

/// A host without credentials gets none by waiting; one that only could not read them just now may.
fn without_credentials(doing: &str, error: &CredentialsError) -> ProviderError {
    let words = chain(error);
    match error {
        CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_) => {
            ProviderError::denied(format!("{doing}: this host has no AWS credentials: {words}"))
        }
        _ => ProviderError::unavailable(format!("{doing}: getting this host's AWS credentials: {words}")),
    }
}

/// Codes that say that a session has ended, or that its key is not known any more.
fn is_stale(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "ExpiredTokenException" | "InvalidClientTokenId" | "UnrecognizedClientException"
    )
}

/// The code decides; where it says nothing, the status does.
fn class_of(code: &str, status: Option<u16>) -> FailureClass {
    match code {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "LimitExceededException" => FailureClass::Throttled,
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "OptInRequired" => FailureClass::Denied,
        "ResourceNotFoundException"
        | "ClusterNotFoundException"
        | "ServiceNotFoundException"
        | "NoSuchEntity" => FailureClass::NotFound,
        "ServiceNotActiveException" => FailureClass::Rejected,
        _ => status.map_or(FailureClass::Unavailable, ProviderError::class_of_status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::Region;
    use aws_credential_types::provider::future::ProvideCredentials as ProvideCredentialsFuture;
    use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

    #[test]
    fn the_code_decides_before_the_status() {
        assert_eq!(class_of("ThrottlingException", Some(400)), FailureClass::Throttled);
        assert_eq!(class_of("ClusterNotFoundException", Some(400)), FailureClass::NotFound);
        assert_eq!(class_of("AccessDenied", Some(403)), FailureClass::Denied);
        assert_eq!(class_of("Anything", Some(500)), FailureClass::Unavailable);
        assert_eq!(class_of("Anything", Some(400)), FailureClass::Rejected);
    }

    #[test]
    fn a_refusal_without_words_is_told_by_its_status() {
        assert_eq!(words(Some("AccessDenied"), Some("no"), Some(403)), "AccessDenied: no");
        assert_eq!(words(None, Some("no"), Some(403)), "no");
        assert!(words(None, None, Some(403)).contains("403 and no reason: are the credentials right?"));
        assert_eq!(words(None, None, Some(418)), "HTTP status 418 and no reason");
    }

    #[derive(Debug)]
    struct Missing(fn() -> CredentialsError);

    impl ProvideCredentials for Missing {
        fn provide_credentials<'a>(&'a self) -> ProvideCredentialsFuture<'a>
        where
            Self: 'a,
        {
            ProvideCredentialsFuture::ready(Err((self.0)()))
        }
    }

    async fn call_with(credentials: fn() -> CredentialsError) -> ProviderError {
        let config = super::super::credentials::defaults()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Missing(credentials)))
            .load()
            .await;
        let call = aws_sdk_sts::Client::new(&config).get_caller_identity();
        failure("asking", call.send().await.unwrap_err())
    }

    #[tokio::test]
    async fn a_host_without_credentials_is_told_so_in_words_and_once() {
        let error = call_with(|| CredentialsError::not_loaded("nothing in the environment")).await;
        assert_eq!(error.class, FailureClass::Denied, "{error}");
        assert!(error.message.starts_with("asking: this host has no AWS credentials: "), "{error}");
        assert!(error.message.contains("nothing in the environment"), "{error}");
        assert!(
            !error.message.contains(" {") && !error.message.contains("NotLoaded"),
            "no debug text: {error}"
        );
    }

    #[tokio::test]
    async fn credentials_that_cannot_be_read_just_now_may_come_later() {
        let error = call_with(|| CredentialsError::provider_error("the metadata service is busy")).await;
        assert_eq!(error.class, FailureClass::Unavailable, "{error}");
        assert!(error.message.contains("the metadata service is busy"), "{error}");
    }
}
