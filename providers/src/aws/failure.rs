//! From an SDK's error to a class and words: the error's own text says only "service error".

use crate::error::ProviderError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
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
            let code = service.err().code().unwrap_or("no code");
            let words = service.err().message().unwrap_or("no message");
            ProviderError::new(class_of(code, status), format!("{doing}: {code}: {words}"))
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            ProviderError::unavailable(format!("{doing}: {}", DisplayErrorContext(&error)))
        }
        _ => ProviderError::rejected(format!("{doing}: {}", DisplayErrorContext(&error))),
    }
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

    #[test]
    fn the_code_decides_before_the_status() {
        assert_eq!(class_of("ThrottlingException", Some(400)), FailureClass::Throttled);
        assert_eq!(class_of("ClusterNotFoundException", Some(400)), FailureClass::NotFound);
        assert_eq!(class_of("AccessDenied", Some(403)), FailureClass::Denied);
        assert_eq!(class_of("Anything", Some(500)), FailureClass::Unavailable);
        assert_eq!(class_of("Anything", Some(400)), FailureClass::Rejected);
    }
}
