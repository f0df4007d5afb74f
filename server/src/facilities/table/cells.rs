//! Cells. A spreadsheet runs what begins with `=`, `+`, `-` or `@`: such a cell is written with an apostrophe before it, and
//! read without. Several values in one cell are divided by `|`, the parts of one by `;`.

const RUNS: &[char] = &['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet runs.
pub(super) fn safe(text: &str) -> String {
    match text.starts_with(RUNS) || text.starts_with('\'') {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// The text of a cell that was made safe.
pub(super) fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(RUNS) || text.starts_with('\'') => text,
        _ => cell,
    }
}

/// Several values as one cell.
pub(super) fn joined(values: impl IntoIterator<Item = String>) -> String {
    values.into_iter().collect::<Vec<_>>().join("|")
}

/// Several parts as one value.
pub(super) fn parts(values: &[&str]) -> String {
    values.iter().map(|value| masked(value)).collect::<Vec<_>>().join(";")
}

/// A value without the signs that divide.
pub(super) fn masked(value: &str) -> String {
    value.replace('%', "%25").replace('|', "%7C").replace(';', "%3B")
}

/// The value that was masked.
pub(super) fn unmasked(value: &str) -> String {
    value.replace("%3B", ";").replace("%7C", "|").replace("%25", "%")
}

/// The values of a cell.
pub(super) fn values(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('|').map(str::trim).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_run_and_every_cell_comes_back() {
        for text in ["=1+1", "+92", "-3", "@SUM", "'quoted", "''", "plain", "", "a=b", "\tx"] {
            assert_eq!(plain(&safe(text)), text);
            assert!(!safe(text).starts_with(RUNS), "{text}");
        }
        assert_eq!(plain("'tis"), "'tis");
    }

    #[test]
    fn several_values_share_a_cell() {
        let cell = joined(["a|b", "50%;"].map(masked));

        assert_eq!(values(&cell).map(unmasked).collect::<Vec<_>>(), ["a|b", "50%;"]);
        assert_eq!(parts(&["mines", "7;8", ""]), "mines;7%3B8;");
    }
}
