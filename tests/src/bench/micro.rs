//! What evaluating an inspection and locating a point cost by themselves, without a server around them.

/// The figures, by name.
pub(super) fn measure() -> Result<Vec<(String, String)>, String> {
    Ok(Vec::new())
}
