//! Forgets controllers that are gone. The process that takes a deletion forgets at once; others served the controller
//! before, or heard of tasks for it, and are told by nobody.

use super::client::Client;
use super::host::LiveHost;
use crate::provider::VersionName;
use std::collections::BTreeSet;
use std::time::Duration;

/// One list of the namespace's controllers in so long, if there is anything to forget.
const LOOK_INTERVAL: Duration = Duration::from_secs(300);

/// Looks again and again, for ever.
pub(super) async fn look(client: &Client, host: &LiveHost) {
    let mut missed = BTreeSet::new();
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let known = host.known();
        if known.is_empty() {
            continue;
        }
        // What cannot be read now is read the next time.
        let Ok(all) = client.list_all().await else { continue };
        let listed: BTreeSet<_> = all.into_iter().map(|one| (one.deployment_name, one.build_id)).collect();
        gone(known, &listed, &mut missed).iter().for_each(|name| host.forget(name));
    }
}

/// Those that two lists in a row do not have: the server may list a new controller a little late.
fn gone(
    known: BTreeSet<VersionName>,
    listed: &BTreeSet<VersionName>,
    missed: &mut BTreeSet<VersionName>,
) -> BTreeSet<VersionName> {
    let missing: BTreeSet<_> = known.into_iter().filter(|name| !listed.contains(name)).collect();
    let gone = missing.intersection(missed).cloned().collect();
    *missed = missing;
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builds(names: &[&str]) -> BTreeSet<VersionName> {
        names.iter().map(|build| ("d".to_owned(), (*build).to_owned())).collect()
    }

    #[test]
    fn a_controller_is_gone_when_two_lists_in_a_row_do_not_have_it() {
        let mut missed = BTreeSet::new();
        let mut look = |known: &[&str], listed: &[&str]| gone(builds(known), &builds(listed), &mut missed);
        assert_eq!(look(&["1", "2", "3"], &["1"]), builds(&[]));
        assert_eq!(look(&["1", "2", "3"], &["1", "3"]), builds(&["2"]), "3 was only listed late");
        assert_eq!(
            look(&["1", "3"], &["1"]),
            builds(&[]),
            "missing once again is not missing twice in a row"
        );
        assert_eq!(look(&["1", "3"], &["1"]), builds(&["3"]));
    }
}
