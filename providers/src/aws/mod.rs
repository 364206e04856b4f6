//! Amazon's services: what all of them share, which is credentials, limits and the classes of their failures.

mod arn;

mod credentials;
mod ecs;
mod failure;
mod lambda;

pub use credentials::Aws;
pub(crate) use ecs::Ecs;
pub(crate) use lambda::Lambda;
