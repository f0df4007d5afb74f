//! Reading a file line by line, and checking each: for itself, against the lines before it, and against the register.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::columns::{COLUMNS, Cells, Stated};
use super::report::LineProblem;
use crate::db::DbConn;
use crate::error::{Error, Result};
use crate::facilities::area::{self, Whereabouts, whereabouts};
use crate::facilities::facts::Facts;
use crate::facilities::model::{Area, Facility, FacilityId, Status};
use crate::facilities::sight::Sight;
use crate::facilities::store;
use crate::places::{Coordinates, Places};

/// The longest line, in bytes: a quote that is never closed must not swallow the file.
const LONGEST: usize = 256 * 1024;

/// What each column of the file is; none: a column nobody knows.
pub(super) type Columns = Rc<[Option<&'static str>]>;

/// A line as it stands in the file.
pub(super) struct Line {
    number: u64,
    record: ByteRecord,
}

/// A line that can be stored.
pub(super) struct Good {
    pub(super) number: u64,
    pub(super) id: FacilityId,
    pub(super) code: Option<String>,
    pub(super) status: Status,
    pub(super) facts: Facts,
    pub(super) area: Area,
}

/// What a line turned out to be.
pub(super) enum Checked {
    New(Box<Good>),
    /// The register has it already.
    Unchanged,
    Bad(Vec<LineProblem>),
}

/// The lines of a file.
pub(super) struct Lines<R: Read> {
    reader: csv::Reader<Measured<R>>,
    since_last: Rc<Cell<usize>>,
    columns: Columns,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// Reads the header.
    pub(super) fn of(file: R) -> Result<Lines<R>> {
        let since_last = Rc::new(Cell::new(0));
        let measured = Measured { file, since_last: since_last.clone() };
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(measured);
        let mut header = ByteRecord::new();
        reader.read_byte_record(&mut header).map_err(unreadable)?;
        let columns = columns(&header)?.into();
        Ok(Lines { reader, since_last, columns, ended: false })
    }

    /// The next lines, at most so many; none: the file has ended.
    pub(super) fn next(&mut self, most: usize) -> Result<Vec<(Columns, Line)>> {
        let mut lines = Vec::with_capacity(most);
        while lines.len() < most && !self.ended {
            self.since_last.set(0);
            let mut record = ByteRecord::new();
            self.ended = !self.reader.read_byte_record(&mut record).map_err(unreadable)?;
            // A line of nothing says nothing.
            if !self.ended && record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                let number = record.position().map_or(0, csv::Position::line);
                lines.push((self.columns.clone(), Line { number, record }));
            }
        }
        Ok(lines)
    }

    /// How much of the file was read.
    pub(super) fn bytes(&self) -> u64 {
        self.reader.position().byte()
    }
}

fn unreadable(cause: csv::Error) -> Error {
    let line = cause.position().map_or(0, csv::Position::line);
    Error::invalid("csv_unreadable", format!("the file cannot be read on from line {line}: {cause}"))
}

/// Which column each cell of a line belongs to.
fn columns(header: &ByteRecord) -> Result<Vec<Option<&'static str>>> {
    let mut columns = Vec::new();
    for (at, cell) in header.iter().enumerate() {
        let cell = if at == 0 { cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell) } else { cell };
        let name = String::from_utf8_lossy(cell).trim().to_lowercase();
        let known = COLUMNS.iter().find(|column| **column == name).copied();
        match known {
            Some(column) if columns.contains(&Some(column)) => {
                return Err(bad_header(format!("the column {column} stands twice")));
            }
            None if !name.is_empty() => {
                return Err(bad_header(format!("{name:?} is no column; one of {}", COLUMNS.join(", "))));
            }
            known => columns.push(known),
        }
    }
    match columns.contains(&Some("kind")) {
        true => Ok(columns),
        false => Err(bad_header("the first line names the columns, `kind` among them".to_owned())),
    }
}

fn bad_header(detail: String) -> Error {
    Error::invalid("bad_header", detail)
}

/// Counts what is read since the last line, and breaks off where that is too much for one.
struct Measured<R> {
    file: R,
    since_last: Rc<Cell<usize>>,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.since_last.set(self.since_last.get() + read);
        match self.since_last.get() > LONGEST {
            true => Err(io::Error::other("a line is longer than 256 KiB; is a quote not closed?")),
            false => Ok(read),
        }
    }
}

/// Checks lines, and remembers the codes and ids of those before.
pub(super) struct Checker<'p> {
    places: &'p Places,
    sight: &'p Sight,
    codes: HashMap<String, u64>,
    ids: HashMap<FacilityId, u64>,
}

impl<'p> Checker<'p> {
    pub(super) fn new(places: &'p Places, sight: &'p Sight) -> Checker<'p> {
        Checker { places, sight, codes: HashMap::new(), ids: HashMap::new() }
    }

    /// A line for itself, and against those before it.
    pub(super) fn check(&mut self, (columns, line): (Rc<[Option<&'static str>]>, Line)) -> Checked {
        let whole = |code, message: String| {
            Checked::Bad(vec![LineProblem { line: line.number, column: None, code, message }])
        };
        if line.record.len() != columns.len() {
            let (has, wanted) = (line.record.len(), columns.len());
            return whole("wrong_columns", format!("the line has {has} cells, the header {wanted}"));
        }
        let Ok(cells) = cells(&columns, &line.record) else {
            return whole("bad_utf8", "the line is not UTF-8; save the file as CSV UTF-8".to_owned());
        };
        let mut cells = Cells { line: line.number, cells, problems: Vec::new() };
        let stated = Stated::of(&mut cells);
        let facts = cells.facts();
        let Some(facts) = facts.and_then(|facts| self.look_over(&mut cells, facts)) else {
            return Checked::Bad(cells.problems);
        };
        let area = area::of(self.places, &facts, None);
        self.reach(&mut cells, &facts, &area);
        let id = stated.id.unwrap_or_else(|| derived(&columns, &line.record));
        self.remember(&mut cells, &id, stated.code.as_deref());
        if !cells.problems.is_empty() {
            return Checked::Bad(cells.problems);
        }
        let status = stated.status.unwrap_or(Status::Provisional);
        Checked::New(Box::new(Good { number: line.number, id, code: stated.code, status, facts, area }))
    }

    /// The faults a registration would have as well, and coordinates that lie elsewhere.
    fn look_over(&self, cells: &mut Cells, facts: Facts) -> Option<Facts> {
        let facts = facts.tidied();
        let faults = facts.faults();
        for fault in &faults {
            cells.problem(column_of(&fault.path), fault.code, fault.message.clone());
        }
        let on_earth = facts.position.as_ref().filter(|it| Coordinates::new(it.lat, it.lon).is_ok());
        match on_earth.map(|it| whereabouts(self.places, it.lat, it.lon)) {
            Some(Whereabouts::Swapped) => cells.problem(
                "lat",
                "swapped_coordinates",
                "lat and lon seem to be exchanged: the other way round they lie in the province",
            ),
            Some(Whereabouts::Outside) => {
                cells.problem("lat", "outside_province", "the position lies outside the province");
            }
            Some(Whereabouts::Inside) | None => {}
        }
        faults.is_empty().then_some(facts)
    }

    /// Whoever imports reaches no farther than they read.
    fn reach(&self, cells: &mut Cells, facts: &Facts, area: &Area) {
        if !self.sight.reaches(facts.kind.line()) {
            let line = facts.kind.line();
            cells.problem(
                "kind",
                "other_line",
                format!("{} belongs to the {line} line, which is not yours", facts.kind),
            );
        }
        // A district nobody knows is in nobody's area; that it is unknown says enough.
        let is_known = cells.problems.iter().all(|problem| problem.code != "unknown_district");
        if is_known && !self.sight.covers(area) {
            cells.problem("district", "outside_area", "it lies outside your area");
        }
    }

    fn remember(&mut self, cells: &mut Cells, id: &FacilityId, code: Option<&str>) {
        if let Some(before) = self.ids.insert(id.clone(), cells.line) {
            cells.problem("id", "duplicate_line", format!("line {before} says the same"));
        }
        let before = code.and_then(|code| self.codes.insert(code.to_owned(), cells.line));
        if let Some(before) = before {
            cells.problem("code", "duplicate_code", format!("line {before} has the same code"));
        }
    }

    /// Lines against the register.
    pub(super) fn compare(&self, conn: &mut DbConn, checked: Vec<Checked>) -> Result<Vec<Checked>> {
        let good = || {
            checked.iter().filter_map(|line| if let Checked::New(good) = line { Some(good) } else { None })
        };
        let ids: Vec<FacilityId> = good().map(|good| good.id.clone()).collect();
        let codes: Vec<String> = good().filter_map(|good| good.code.clone()).collect();
        let mut known: BTreeMap<String, Rc<Facility>> = BTreeMap::new();
        for row in store::rows(conn, &ids)?.into_iter().chain(store::coded(conn, &codes)?) {
            let row = Rc::new(row);
            known.insert(row.id.to_string(), row.clone());
            known.insert(row.code.clone(), row);
        }
        checked.into_iter().map(|line| compared(line, &known)).collect()
    }
}

fn compared(line: Checked, known: &BTreeMap<String, Rc<Facility>>) -> Result<Checked> {
    let Checked::New(good) = line else { return Ok(line) };
    let by_id = known.get(good.id.as_str());
    let by_code = good.code.as_ref().and_then(|code| known.get(code));
    let Some(row) = by_id.or(by_code) else { return Ok(Checked::New(good)) };
    if says_the_same(&good, row)? {
        return Ok(Checked::Unchanged);
    }
    let (column, problem) =
        if row.id == good.id { ("id", "duplicate_id") } else { ("code", "duplicate_code") };
    Ok(Checked::Bad(vec![LineProblem {
        line: good.number,
        column: Some(column.to_owned()),
        code: problem,
        message: format!(
            "{} is registered with other facts; correct that one, or leave the line out",
            row.code
        ),
    }]))
}

/// Whether the register says of a facility what the line says. An export writes the district a place lies in, whatever was
/// answered, and leaves out what no column is for.
fn says_the_same(good: &Good, row: &Facility) -> Result<bool> {
    let mut stored = row.facts()?;
    stored.besides.clear();
    if good.facts.district == row.district {
        stored.district = row.district.clone();
    }
    Ok(row.id == good.id && good.code.as_ref().is_none_or(|code| *code == row.code) && stored == good.facts)
}

fn cells<'r>(
    columns: &[Option<&'static str>],
    record: &'r ByteRecord,
) -> Result<BTreeMap<&'static str, &'r str>, std::str::Utf8Error> {
    let named = columns.iter().zip(record).filter_map(|(column, cell)| Some(((*column)?, cell)));
    named.map(|(column, cell)| Ok((column, std::str::from_utf8(cell)?))).collect()
}

/// The id of a line that states none: made of what it says, so that the same line is the same facility.
fn derived(columns: &[Option<&'static str>], record: &ByteRecord) -> FacilityId {
    let mut hasher = Sha256::new();
    for (column, cell) in columns.iter().zip(record) {
        let cell = cell.trim_ascii();
        if let (Some(column), false) = (column, cell.is_empty()) {
            hasher.update(column.as_bytes());
            hasher.update((cell.len() as u64).to_be_bytes());
            hasher.update(cell);
        }
    }
    let digest = hasher.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    FacilityId::from(uuid::Builder::from_random_bytes(bytes).into_uuid() as Uuid)
}

/// The column a fault of the facts stands in.
fn column_of(path: &str) -> &str {
    match path.split(['[', '.']).next().unwrap_or(path) {
        "position" => "lat",
        "operator" => "operator_code",
        "contact" => "contact_name",
        column => column,
    }
}
