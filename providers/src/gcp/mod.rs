//! Google's services: tokens by a chain of service accounts, and the calls that carry them.

mod cloud_run;
mod credentials;
mod invoke;

pub(crate) use cloud_run::CloudRun;
pub use credentials::Google;
pub(crate) use invoke::CloudRunInvoke;
