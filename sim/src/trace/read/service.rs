//! How long an arrival of a trace takes, where its record does not say.

use crate::dist::Dist;
use crate::rng::Stream;

/// The law of the services of a trace.
#[derive(Clone, Debug)]
pub(crate) enum ServiceLaw {
    /// None: every record has its own.
    Recorded,
    /// One for all records, whatever they say themselves.
    Instead(Dist),
    /// One for all that do not have their own.
    One(Dist),
    /// That of the row (the function) that an arrival belongs to.
    PerRow {
        laws: Vec<Dist>,
        /// Index into `laws` for each row.
        of_row: Vec<u32>,
    },
}

impl ServiceLaw {
    /// The service time in nanoseconds of an arrival of this row; `None` if neither record nor law gives one.
    pub(crate) fn service(&self, recorded: Option<u64>, row: u32, stream: &mut Stream) -> Option<u64> {
        match self {
            Self::Instead(law) => Some(law.sample(stream)),
            _ if recorded.is_some() => recorded,
            Self::Recorded => None,
            Self::One(law) => Some(law.sample(stream)),
            Self::PerRow { laws, of_row } => {
                let law = laws.get(*of_row.get(row as usize)? as usize)?;
                Some(law.sample(stream))
            }
        }
    }
}
