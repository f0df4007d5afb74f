//! What an administrator sends, and how it is checked before anything is asked of the database.

use serde::{Deserialize, Serialize};

use super::checks;
use super::model::{Account, AccountStatus, Line, Role};
use crate::error::{Error, Result};

/// An account to be made.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "username": "amina.baloch", "name": "Amina Baloch", "role": "inspector", "areas": ["PK226"]
}))]
pub struct NewAccount {
    /// The name to log in with.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The line; only a supervisor must name it.
    pub line: Option<Line>,
    /// Chair of the Steering Committee.
    #[serde(default)]
    pub chair: bool,
    /// The Child Protection Unit of a case worker.
    pub unit: Option<String>,
    /// Codes of provinces, divisions or districts.
    #[serde(default)]
    pub areas: Vec<String>,
    /// The person's code; unless told, the next free one: `INS-004`.
    pub code: Option<String>,
    /// The first password; unless told, a random one that is shown once, in the answer.
    pub password: Option<String>,
}

/// What is to change of an account. What is left out stays.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "areas": ["PK226", "PK227"], "status": "active" }))]
pub struct AccountChange {
    /// The person's name.
    pub name: Option<String>,
    /// The areas, all of them.
    pub areas: Option<Vec<String>>,
    /// Active or disabled.
    pub status: Option<AccountStatus>,
    /// The unit; null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub unit: Option<Option<String>>,
    /// Chair of the Steering Committee.
    pub chair: Option<bool>,
}

/// Tells "null" from "left out".
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

/// A new password.
#[derive(Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "password": "a long new password", "current": "the present password" }))]
pub struct NewPassword {
    /// The new password; unless told, a random one that is shown once, in the answer.
    pub password: Option<String>,
    /// The present password: needed to change one's own.
    pub current: Option<String>,
}

/// An account that has been made, or has a new password.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Created {
    /// The account.
    #[serde(flatten)]
    pub account: Account,
    /// The random password, when none was given. It is shown here and nowhere else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

impl NewAccount {
    /// Checks and normalises everything but the password.
    pub(super) fn checked(self) -> Result<NewAccount> {
        Ok(NewAccount {
            username: checks::username(&self.username)?,
            name: checks::text("name", &self.name, 200)?,
            line: line_of(self.role, self.line)?,
            chair: chair_of(self.role, self.chair)?,
            unit: unit_of(self.role, self.unit.as_deref())?,
            areas: checks::areas(self.areas)?,
            code: self.code.as_deref().map(checks::code).transpose()?,
            ..self
        })
    }
}

fn line_of(role: Role, line: Option<Line>) -> Result<Option<Line>> {
    let expected = role.fixed_line();
    match (role, line) {
        (Role::Supervisor, None) => {
            Err(Error::invalid("line_required", "a supervisor has a `line`: labour or swd"))
        }
        (Role::Supervisor, line) => Ok(line),
        (_, Some(line)) if expected != Some(line) => Err(Error::invalid(
            "line_invalid",
            format!("the role {role} does not belong to the line {line}; leave `line` out"),
        )),
        _ => Ok(expected),
    }
}

/// Whether this is the chair, for those who can be.
pub(super) fn chair_of(role: Role, chair: bool) -> Result<bool> {
    if chair && role != Role::Committee {
        return Err(Error::invalid("chair_invalid", "only a member of the committee can be its chair"));
    }
    Ok(chair)
}

/// The unit, for those who have one.
pub(super) fn unit_of(role: Role, unit: Option<&str>) -> Result<Option<String>> {
    match unit {
        None => Ok(None),
        Some(_) if role != Role::CaseWorker => {
            Err(Error::invalid("unit_invalid", "only a case worker has a `unit`"))
        }
        Some(unit) => checks::text("unit", unit, 100).map(Some),
    }
}
