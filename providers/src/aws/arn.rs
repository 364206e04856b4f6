//! Amazon resource names: `arn:partition:service:region:account:resource`.

use crate::error::ProviderError;

/// The region in an ARN.
pub(super) fn region_of(key: &str, arn: &str) -> Result<String, ProviderError> {
    let region = parts(arn).map(|[_, _, region, _, _]| region).filter(|region| !region.is_empty());
    region.map(str::to_owned).ok_or_else(|| {
        ProviderError::rejected(format!("{key}: found {arn:?}, expected an ARN that holds a region"))
    })
}

/// Makes sure that an ARN is a role's.
pub(super) fn check_role(key: &str, arn: &str) -> Result<(), ProviderError> {
    match parts(arn) {
        Some([_, "iam", _, _, resource]) if resource.starts_with("role/") => Ok(()),
        _ => Err(ProviderError::rejected(format!(
            "{key}: found {arn:?}, expected a role such as arn:aws:iam::123456789012:role/name"
        ))),
    }
}

/// Partition, service, region, account and resource.
fn parts(arn: &str) -> Option<[&str; 5]> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
    let parts = [parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    (!parts[4].is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_stands_in_the_arn() {
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f";
        assert_eq!(region_of("arn", arn).unwrap(), "eu-west-1");
        for wrong in ["", "f", "arn:aws:lambda::123456789012:function:f", "arn:aws:lambda:eu-west-1"] {
            assert!(region_of("arn", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_roles_can_be_assumed() {
        assert!(check_role("role", "arn:aws:iam::123456789012:role/path/name").is_ok());
        for wrong in ["arn:aws:iam::123456789012:user/u", "arn:aws:s3:::role/x", "role/x"] {
            assert!(check_role("role", wrong).is_err(), "{wrong}");
        }
    }
}
