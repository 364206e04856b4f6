//! Failures on the wire: refusals keep their type, classes of provider failures survive the way through history.

use super::contract::DELETED;
use crate::error::{ProviderError, class_from_name, class_name};
use std::fmt;
use temporalio_common::data_converters::{
    DataConverter, DefaultFailureConverter, DefaultPayloadCodec, FailureConverter, PayloadConversionError,
    PayloadConverter, SerializationContextData,
};
use temporalio_common::error::{
    ActivityExecutionError, ApplicationFailure, IncomingError, OutgoingError, OutgoingWorkflowError,
};
use temporalio_common::protos::temporal::api::failure::v1::failure::FailureInfo;
use temporalio_common::protos::temporal::api::failure::v1::{ApplicationFailureInfo, Failure};
use temporalio_sdk::activities::ActivityError;
use wci_core::controller::{FailureClass, Refusal, RefusalKind};

/// A refusal on its way out of an update's handler or validator.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Refusal);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Refused {}

/// The failure type of a refusal on the wire.
pub(super) const fn kind_name(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::FailedPrecondition => "FailedPrecondition",
        RefusalKind::InvalidArgument => "InvalidArgument",
        RefusalKind::ResourceExhausted => "ResourceExhausted",
        RefusalKind::LongHistory => "errLongHistory",
        RefusalKind::Deleted => DELETED,
    }
}

/// The data converter of every client and worker of this crate: JSON, and failures with our types.
#[must_use]
pub fn data_converter() -> DataConverter {
    DataConverter::new(PayloadConverter::default(), TypedRefusals::default(), DefaultPayloadCodec)
}

/// The SDK leaves the type of a handler's failure empty; refusals have one.
#[derive(Default)]
struct TypedRefusals(DefaultFailureConverter);

impl FailureConverter for TypedRefusals {
    fn to_failure(
        &self,
        error: OutgoingError,
        payload_converter: &PayloadConverter,
        context: &SerializationContextData,
    ) -> Failure {
        let refusal = match &error {
            OutgoingError::Workflow(OutgoingWorkflowError::Application(failure)) => {
                failure.source_error().downcast_ref::<Refused>()
            }
            _ => None,
        };
        match refusal {
            Some(Refused(refusal)) => typed(refusal),
            None => self.0.to_failure(error, payload_converter, context),
        }
    }

    fn to_error(
        &self,
        failure: Failure,
        payload_converter: &PayloadConverter,
        context: &SerializationContextData,
    ) -> Result<IncomingError, PayloadConversionError> {
        self.0.to_error(failure, payload_converter, context)
    }
}

fn typed(refusal: &Refusal) -> Failure {
    let info = ApplicationFailureInfo {
        r#type: kind_name(refusal.kind).to_owned(),
        non_retryable: true,
        ..ApplicationFailureInfo::default()
    };
    Failure {
        message: refusal.message.clone(),
        source: "wci-controller".to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
        ..Failure::default()
    }
}

/// A provider's failure as an activity's: Temporal tries again only what can pass.
pub(super) fn activity_error(error: ProviderError) -> ActivityError {
    let class = error.class;
    let failure = ApplicationFailure::builder(error)
        .type_name(class_name(class).to_owned())
        .non_retryable(!class.is_transient())
        .build();
    ActivityError::Application(Box::new(failure))
}

/// The class and the words of an activity that failed for good.
pub(super) fn provider_error(error: &ActivityExecutionError) -> ProviderError {
    let mut failure = error.failure();
    while let Some(current) = failure {
        if let Some(FailureInfo::ApplicationFailureInfo(info)) = &current.failure_info {
            let class = class_from_name(&info.r#type).unwrap_or(FailureClass::Unavailable);
            return ProviderError::new(class, current.message.clone());
        }
        if let Some(FailureInfo::TimeoutFailureInfo(_)) = &current.failure_info {
            return ProviderError::unavailable("no answer in time");
        }
        failure = current.cause.as_deref();
    }
    ProviderError::unavailable(error.to_string())
}
