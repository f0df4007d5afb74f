//! Lines that may be places the register has already, or that stand in the file twice: warnings of a dry run, for a person
//! to look at. The neighbourhoods of a batch of lines are read in one go and kept for the next one, within limits; lines
//! without a position are looked up by name one by one, and only so many of them.

use std::collections::hash_map::{Entry, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;

use super::lines::{Checked, Good};
use super::report::LineProblem;
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::facilities::duplicates::{self, Known, REACH_M};
use crate::facilities::grid::{Box as Area, Grid};
use crate::facilities::model::Facility;
use crate::facilities::names::Name;
use crate::facilities::register;
use crate::facilities::sight::Sight;
use crate::facilities::store;
use crate::facilities::views::PossibleDuplicate;

/// Facilities kept in memory from batch to batch.
const MOST_KEPT: usize = 20_000;
/// Of one square so many are compared with: of more, nobody would look through the warnings.
const MOST_IN_A_SQUARE: i64 = 5_000;
/// Lines without a position that are looked up by name.
const MOST_BY_NAME: u64 = 2_000;
/// Not more than this is said of a line.
const MOST_OF_A_LINE: usize = 3;

/// What lines are compared with.
pub(super) struct Likely<'s> {
    sight: &'s Sight,
    squares: HashMap<i32, Rc<Vec<Known>>>,
    kept: usize,
    by_name: u64,
    /// What was said by which line, as a hash: of 100 000 lines, a few megabytes.
    said: HashMap<u64, u64>,
}

impl<'s> Likely<'s> {
    pub(super) fn new(sight: &'s Sight) -> Likely<'s> {
        Likely { sight, squares: HashMap::new(), kept: 0, by_name: 0, said: HashMap::new() }
    }

    /// Warnings about the new lines of a batch, and how many of these were not compared with the register.
    pub(super) fn look(&mut self, conn: &mut DbConn, checked: &[Checked]) -> Result<(Vec<LineProblem>, u64)> {
        let new: Vec<&Good> = checked
            .iter()
            .filter_map(|line| if let Checked::New(good) = line { Some(&**good) } else { None })
            .collect();
        self.read_around(conn, &new)?;
        let (mut warnings, mut left_out) = (Vec::new(), 0);
        for line in new {
            let row = as_row(line)?;
            warnings.extend(self.said_before(line, &row)?);
            match self.alike(conn, line, &row)? {
                Some(found) => {
                    warnings.extend(found.iter().take(MOST_OF_A_LINE).map(|one| warning(line, one)))
                }
                None => left_out += 1,
            }
        }
        Ok((warnings, left_out))
    }

    /// Reads the squares around these lines that are not at hand.
    fn read_around(&mut self, conn: &mut DbConn, lines: &[&Good]) -> Result<()> {
        if self.kept > MOST_KEPT {
            (self.squares, self.kept) = (HashMap::new(), 0);
        }
        for square in lines.iter().flat_map(|line| squares_around(line)) {
            if let Entry::Vacant(empty) = self.squares.entry(square) {
                let rows = store::in_cell(conn, square, self.sight, MOST_IN_A_SQUARE)?;
                let known: Vec<Known> = rows.into_iter().map(Known::of).collect::<Result<_>>()?;
                self.kept += known.len();
                empty.insert(Rc::new(known));
            }
        }
        Ok(())
    }

    /// What in the register a line may be; none: it was not compared.
    fn alike(
        &mut self,
        conn: &mut DbConn,
        line: &Good,
        row: &Facility,
    ) -> Result<Option<Vec<PossibleDuplicate>>> {
        if line.facts.position.is_some() {
            let around = squares_around(line).into_iter().filter_map(|square| self.squares.get(&square));
            return duplicates::among(row, around.flat_map(|square| square.iter())).map(Some);
        }
        self.by_name += 1;
        match self.by_name <= MOST_BY_NAME {
            true => duplicates::of(conn, row, self.sight).map(Some),
            false => Ok(None),
        }
    }

    /// The line before that says the same name of the same spot, or, without a spot, of the same district.
    fn said_before(&mut self, line: &Good, row: &Facility) -> Result<Option<LineProblem>> {
        let mut hasher = DefaultHasher::new();
        (row.kind.as_str(), row.district.as_deref()).hash(&mut hasher);
        let near = |degrees: f64| (degrees * 200.0).round() as i64;
        (row.lat.map(near), row.lon.map(near)).hash(&mut hasher);
        for name in line.facts.names().map(Name::of) {
            name.words.hash(&mut hasher);
        }
        Ok(self.said.insert(hasher.finish(), line.number).map(|before| LineProblem {
            line: line.number,
            column: None,
            code: "possible_duplicate_line",
            message: format!(
                "line {before} has the same kind and name at the same spot; leave one of them out"
            ),
        }))
    }
}

/// The squares within reach of a line's position.
fn squares_around(line: &Good) -> Vec<i32> {
    let Some(position) = &line.facts.position else { return Vec::new() };
    match Area::around(position.lat, position.lon, REACH_M).squares() {
        Some((Grid::Cells, squares)) => squares,
        // Towards the poles; nobody works there.
        _ => Vec::new(),
    }
}

/// The line as the facility it would be.
fn as_row(line: &Good) -> Result<Facility> {
    let code = line.code.clone().unwrap_or_default();
    let mut row = register::blank(line.id.clone(), code, line.status, None, At::from_micros(0))?;
    row.state(&line.facts, line.area.clone())?;
    Ok(row)
}

fn warning(line: &Good, found: &PossibleDuplicate) -> LineProblem {
    let name = found.name_en.as_deref().or(found.name_ur.as_deref()).unwrap_or("without a name");
    let apart = found.distance_m.map(|metres| format!(", {metres:.0} m away")).unwrap_or_default();
    LineProblem {
        line: line.number,
        column: None,
        code: "possible_duplicate",
        message: format!(
            "may be {} ({name}{apart}), which is registered; leave the line out if it is, or merge the two afterwards",
            found.code
        ),
    }
}
