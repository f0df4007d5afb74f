//! A limit of the law that is to change is tried on past visits as soon as it is proposed, as if it had always been in force: nobody has to
//! ask to see what it means, and no vote is opened on a number alone.

use form_engine::overlay::Operation;

use super::model::Frozen;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::forms;
use crate::replay::{self, Asked, Law, Over};

/// Visits drawn by lot: enough for every district, and done in seconds.
const DRAWN: Over = Over::Sample { size: 10_000, seed: 7 };

/// Has a proposal that sets limits tried on past visits, in the background. Where too much is being tried already, or there is nothing to
/// hold it against, members ask for it themselves.
pub(super) fn try_on_past_visits(tx: &mut Tx, frozen: &Frozen) -> Result<()> {
    let sets_limits = frozen.terms.operations.iter().any(|it| matches!(it, Operation::SetParameter(_)));
    let standing = forms::standing_version(tx.conn, &frozen.terms.form)?;
    let Some(against) = standing.filter(|_| sets_limits).and_then(|version| u32::try_from(version).ok())
    else {
        return Ok(());
    };
    let asked =
        Asked { package: frozen.package.clone(), against, over: DRAWN, law: Law::AsIfInForce, through: None };
    match replay::start(tx, &asked) {
        Err(Error { code: "replays_under_way" | "release_unknown", .. }) => Ok(()),
        started => started.map(drop),
    }
}
