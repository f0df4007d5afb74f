//! What may be written into an account or a device, checked once at the edge. Control characters never: they end up in
//! logs and lists, and PostgreSQL refuses the NUL among them.

use sha2::{Digest, Sha256};

use super::model::NewDevice;
use crate::error::{Error, Result};

const MOST_AREAS: usize = 200;

/// A username as it is stored: lower case, 2 to 64 of `a–z 0–9 . _ -`, beginning with a letter or digit.
pub(super) fn username(text: &str) -> Result<String> {
    let name = text.trim().to_lowercase();
    if is_username(&name) {
        return Ok(name);
    }
    Err(Error::invalid(
        "username_invalid",
        "a username has 2 to 64 of the characters a-z 0-9 . _ - and begins with a letter or digit",
    ))
}

/// The name someone tries to log in with. What can be no username becomes a name nobody has: it is refused and
/// throttled like a wrong one, and takes no more memory.
pub(super) fn login_name(text: &str) -> String {
    let name = text.trim().to_lowercase();
    if is_username(&name) { name } else { format!("?{}", hex::encode(Sha256::digest(name))) }
}

fn is_username(name: &str) -> bool {
    (2..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
}

/// A text people read, of 1 to `longest` characters.
pub(super) fn text(member: &'static str, text: &str, longest: usize) -> Result<String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > longest || text.chars().any(char::is_control) {
        return Err(Error::invalid(
            "text_invalid",
            format!("`{member}` must have 1 to {longest} characters and no control characters"),
        )
        .with("member", member));
    }
    Ok(text.to_owned())
}

/// A person's code as it is written in questionnaires: `INS-001`.
pub(super) fn code(code: &str) -> Result<String> {
    let code = code.trim().to_uppercase();
    let well_formed = (2..=32).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    if well_formed {
        return Ok(code);
    }
    Err(Error::invalid(
        "code_invalid",
        "`code` must have 2 to 32 of the characters A-Z 0-9 -, such as INS-001",
    ))
}

/// Area codes, each once, in order. Whether there is such an area the boundaries know, not the accounts.
pub(super) fn areas(areas: Vec<String>) -> Result<Vec<String>> {
    let mut areas: Vec<String> = areas.iter().map(|area| area.trim().to_owned()).collect();
    areas.sort();
    areas.dedup();
    if areas.len() > MOST_AREAS {
        return Err(Error::invalid("too_many_areas", format!("an account has at most {MOST_AREAS} areas")));
    }
    let bad = areas.iter().find(|area| {
        !(2..=64).contains(&area.len())
            || !area.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    });
    match bad {
        None => Ok(areas),
        Some(area) => Err(Error::invalid(
            "area_invalid",
            format!("{area:?} is no area code; use the codes of the boundaries, such as PK226"),
        )),
    }
}

/// Whether this can be a device's id: 1 to 128 of `A–Z a–z 0–9 . _ : -`.
pub(super) fn is_device_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
}

/// What a phone says of itself.
pub(super) fn device(device: NewDevice) -> Result<NewDevice> {
    if !is_device_id(&device.id) {
        return Err(Error::invalid(
            "device_invalid",
            "`device.id` must have 1 to 128 of the characters A-Z a-z 0-9 . _ : -",
        ));
    }
    let said = |text: &str| text.chars().filter(|c| !c.is_control()).take(100).collect::<String>();
    Ok(NewDevice { name: said(&device.name), app: said(&device.app), id: device.id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_lower_case_and_plain() {
        assert_eq!(username("  Amina.Baloch ").unwrap(), "amina.baloch");
        for bad in ["", "a", "-amina", "amina baloch", "آمنہ", "amina\0", &"a".repeat(65)] {
            assert_eq!(username(bad).unwrap_err().code, "username_invalid", "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_username_logs_in_as_nobody() {
        assert_eq!(login_name("Amina"), "amina");
        let nobody = login_name(&"a".repeat(1_000_000));
        assert!(nobody.starts_with('?') && nobody.len() == 65, "{nobody}");
    }

    #[test]
    fn areas_come_out_sorted_and_once() {
        let given = vec!["PK226".into(), " PK2-DIV-QUETTA".into(), "PK226".into()];
        assert_eq!(areas(given).unwrap(), ["PK2-DIV-QUETTA", "PK226"]);
        assert_eq!(areas(vec!["'; DROP".into()]).unwrap_err().code, "area_invalid");
    }
}
