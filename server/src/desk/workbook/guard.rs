//! Looks at the zip before anything else does: what it holds, and how much it really unpacks to, counted while unpacking, not believed.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::{CellProblem, LARGEST_WORKBOOK, of_file};

/// Most files in a workbook.
const MOST_FILES: usize = 300;
/// Most bytes all files unpack to.
const MOST_UNPACKED: u64 = 64 << 20;
/// Most times a file may unpack to its packed size, from a size on that matters.
const MOST_RATIO: u64 = 400;
const MATTERS: u64 = 1 << 20;

const SAVE_ANEW: &str =
    "open it in a spreadsheet program and save it as an Excel workbook (.xlsx) without macros";

/// Refuses what is no plain workbook of a reasonable size.
pub(super) fn check(bytes: &[u8]) -> Result<(), CellProblem> {
    if bytes.len() > LARGEST_WORKBOOK {
        let message = format!("the workbook has {} bytes, at most {LARGEST_WORKBOOK} are read", bytes.len());
        return Err(of_file(
            "workbook_too_large",
            message,
            "remove pictures and what does not belong to the questionnaire",
        ));
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        let message = "this is an old or an encrypted workbook".to_owned();
        return Err(of_file("not_a_workbook", message, "save it as .xlsx without a password"));
    }
    let not_a_workbook = || of_file("not_a_workbook", "this is no Excel workbook".to_owned(), SAVE_ANEW);
    if !bytes.starts_with(b"PK") {
        return Err(not_a_workbook());
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| not_a_workbook())?;
    if archive.len() > MOST_FILES {
        let message = format!("the workbook holds {} files, at most {MOST_FILES} are read", archive.len());
        return Err(of_file("workbook_too_large", message, SAVE_ANEW));
    }
    let mut unpacked = 0_u64;
    let mut is_workbook = false;
    for place in 0..archive.len() {
        let mut file = archive.by_index(place).map_err(|_| not_a_workbook())?;
        let name = file.name().map_err(|_| not_a_workbook())?.to_ascii_lowercase();
        refuse_by_name(&name)?;
        is_workbook |= name == "xl/workbook.xml";
        let (packed, size) = (file.compressed_size(), count(&mut file, MOST_UNPACKED - unpacked));
        let Some(size) = size else { return Err(too_much()) };
        if size > MATTERS && size / packed.max(1) > MOST_RATIO {
            return Err(too_much());
        }
        unpacked += size;
    }
    if is_workbook { Ok(()) } else { Err(not_a_workbook()) }
}

fn too_much() -> CellProblem {
    let message = "the workbook unpacks to far more than a questionnaire needs".to_owned();
    of_file("zip_bomb", message, SAVE_ANEW)
}

fn refuse_by_name(name: &str) -> Result<(), CellProblem> {
    let macros = ["vbaproject", "vbadata", "macrosheets", "activex"];
    if macros.iter().any(|part| name.contains(part)) {
        let message = "the workbook holds macros".to_owned();
        return Err(of_file("macros", message, SAVE_ANEW));
    }
    if ["externallinks/", "embeddings/", "connections.xml"].iter().any(|part| name.contains(part)) {
        let message = format!("the workbook reaches outside itself ({name})");
        return Err(of_file(
            "reaches_outside",
            message,
            "break its links to other files, then save it again",
        ));
    }
    Ok(())
}

/// How much a file unpacks to; none beyond the limit, or where it is broken.
fn count(file: &mut impl Read, limit: u64) -> Option<u64> {
    let mut buffer = [0_u8; 64 << 10];
    let mut size = 0_u64;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Some(size),
            Ok(read) => size += read as u64,
            Err(_) => return None,
        }
        if size > limit {
            return None;
        }
    }
}
