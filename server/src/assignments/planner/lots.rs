//! Lots: numbers that look like chance and are not. A lot is a hash over the plan's district, date and seed and the place's
//! id, so the same plan draws the same places on every machine, and nobody can choose an id that is never drawn.

use chrono::NaiveDate;
use ring::digest::{Context, SHA256};

/// What lots of a plan are drawn with.
#[derive(Clone, Debug)]
pub(super) struct Urn(String);

/// A place's lot; the smallest are drawn.
pub(super) type Lot = [u8; 16];

impl Urn {
    /// The lots of a plan.
    pub(super) fn of(district: &str, date: NaiveDate, seed: &str) -> Urn {
        Urn(format!("nigran planner|{district}|{date}|{seed}|"))
    }

    /// The lot of a place.
    pub(super) fn lot(&self, id: &str) -> Lot {
        let mut context = Context::new(&SHA256);
        context.update(self.0.as_bytes());
        context.update(id.as_bytes());
        let mut lot = Lot::default();
        lot.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        lot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_hangs_on_everything_it_is_drawn_from() {
        let day: NaiveDate = "2026-11-20".parse().unwrap();
        let lot = |district, day, seed, id| Urn::of(district, day, seed).lot(id);
        let one = lot("PK226", day, "", "a");

        assert_eq!(one, lot("PK226", day, "", "a"));
        for other in [
            lot("PK227", day, "", "a"),
            lot("PK226", day.succ_opt().unwrap(), "", "a"),
            lot("PK226", day, "x", "a"),
            lot("PK226", day, "", "b"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn lots_favour_nobody() {
        let urn = Urn::of("PK226", "2026-11-20".parse().unwrap(), "");

        let low = (0..4000).filter(|n| urn.lot(&n.to_string())[0] < 128).count();

        assert!((1850..2150).contains(&low), "{low} of 4000 in the lower half");
    }
}
