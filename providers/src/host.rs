//! What the host decides about its providers.

use crate::external::Published;
use crate::guard::Limits;
use crate::secrets::SecretPlaces;
use serde::Deserialize;
use std::path::PathBuf;

/// A role on the way to the role that a spec names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntermediaryRole {
    /// ARN of the role.
    #[serde(rename = "RoleARN")]
    pub role_arn: String,
    /// Name of the session.
    #[serde(rename = "RoleSessionName")]
    pub role_session_name: String,
    /// External id that its trust policy asks for.
    #[serde(rename = "ExternalID", default)]
    pub external_id: Option<String>,
}

/// A service account on the way to the one that a spec names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntermediaryServiceAccount {
    /// E-mail address of the service account.
    #[serde(rename = "ServiceAccountEmail")]
    pub service_account_email: String,
}

/// What the host decides about its providers; parts of it come from the dynamic config.
#[derive(Clone, Debug)]
pub struct Host {
    /// The only programs that `subprocess` may run; none: it is off.
    pub allowed_programs: Vec<PathBuf>,
    /// Where specs may take secrets from.
    pub secrets: SecretPlaces,
    /// Whether web addresses of specs may be private, loopback or without TLS.
    pub allows_private_addresses: bool,
    /// Steps of roles; of each step one alternative is taken.
    pub intermediary_roles: Vec<Vec<IntermediaryRole>>,
    /// Whether AWS providers must name a role and an external id.
    pub requires_role_and_external_id: bool,
    /// Steps of service accounts; of each step one alternative is taken.
    pub intermediary_service_accounts: Vec<Vec<IntermediaryServiceAccount>>,
    /// Longest time for each kind of call.
    pub limits: Limits,
    /// Longest life of a local process.
    pub longest_subprocess: std::time::Duration,
    /// Where `external` publishes.
    pub published: Published,
    /// Other addresses for Google's services, for tests and private endpoints.
    pub google: GoogleEndpoints,
}

/// Addresses of Google's services.
#[derive(Clone, Debug, Default)]
pub struct GoogleEndpoints {
    /// Instead of the Cloud Run API of each region.
    pub run: Option<String>,
    /// Instead of the IAM credentials API.
    pub iam: Option<String>,
    /// Credentials as JSON instead of those that the machine has.
    pub credentials: Option<serde_json::Value>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            allowed_programs: Vec::new(),
            secrets: SecretPlaces::default(),
            allows_private_addresses: false,
            intermediary_roles: Vec::new(),
            requires_role_and_external_id: true,
            intermediary_service_accounts: Vec::new(),
            limits: Limits::default(),
            longest_subprocess: std::time::Duration::from_secs(60),
            published: Published::default(),
            google: GoogleEndpoints::default(),
        }
    }
}
