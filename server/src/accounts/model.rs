//! Nouns of the room: people with their role and areas, their devices, and their sessions.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::schema::{accounts, devices, refresh_tokens, sessions};
use crate::db::{At, text_enum, text_id};

text_id! {
    /// Whose account.
    AccountId
}
text_id! {
    /// A session: one login, and the refresh tokens that grew out of it.
    SessionId
}

text_enum! {
    /// What someone is here for. One account has one role.
    Role {
        /// Labour inspector: files child-labour inspections.
        Inspector = "inspector",
        /// Social Welfare auditor: files shelter audits.
        Auditor = "auditor",
        /// Toolkit interviewer.
        Enumerator = "enumerator",
        /// District officer of one line: reads, reviews, assigns.
        Supervisor = "supervisor",
        /// Divisional Deputy Director, Social Welfare: second review.
        DeputyDirector = "deputy_director",
        /// Head of the Labour Department: the province's inspections, without sensitive fields.
        LabourHead = "labour_head",
        /// Head of the Social Welfare Department: consents to the standards pack, reads no case.
        SwdHead = "swd_head",
        /// Steering Committee member; one of them is the chair.
        Committee = "committee",
        /// Child Protection Unit officer.
        CaseWorker = "case_worker",
        /// CPMIS analyst: de-identified data.
        Analyst = "analyst",
        /// System administrator: accounts and devices, no case content.
        Admin = "admin",
        /// Read-only oversight: published aggregates.
        Oversight = "oversight",
        /// Data-protection auditor: the logs, nothing else.
        LogAuditor = "log_auditor",
    }
}

impl Role {
    /// The line everybody of this role belongs to; none: no line, or (supervisors) either.
    pub fn fixed_line(self) -> Option<Line> {
        match self {
            Role::Inspector | Role::LabourHead => Some(Line::Labour),
            Role::Auditor | Role::DeputyDirector | Role::SwdHead => Some(Line::Swd),
            _ => None,
        }
    }

    /// How the codes of this role begin: `INS-001`.
    pub fn code_prefix(self) -> &'static str {
        match self {
            Role::Inspector => "INS",
            Role::Auditor => "AUD",
            Role::Enumerator => "ENU",
            Role::Supervisor => "SUP",
            Role::DeputyDirector => "DDD",
            Role::LabourHead => "LAB",
            Role::SwdHead => "SWD",
            Role::Committee => "SCM",
            Role::CaseWorker => "CPU",
            Role::Analyst => "ANA",
            Role::Admin => "ADM",
            Role::Oversight => "RO",
            Role::LogAuditor => "LOG",
        }
    }
}

text_enum! {
    /// The two lines of work. They do not read each other.
    Line {
        /// Labour Department.
        Labour = "labour",
        /// Social Welfare Department.
        Swd = "swd",
    }
}

text_enum! {
    /// Whether an account may be used.
    AccountStatus {
        /// In use.
        Active = "active",
        /// Closed: cannot log in, and its tokens are dead.
        Disabled = "disabled",
    }
}

/// The row of an account.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = accounts)]
pub(super) struct AccountRow {
    pub(super) id: AccountId,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) code: String,
    pub(super) role: Role,
    pub(super) line: Option<Line>,
    pub(super) chair: bool,
    pub(super) unit: Option<String>,
    pub(super) password_hash: String,
    pub(super) status: AccountStatus,
    pub(super) created_at: At,
    pub(super) changed_at: At,
}

/// A person's account, as those who may read accounts see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "0193a4b2-7c1e-7d3a-9f00-2b6c1d5e8a41", "username": "inspector", "name": "Labour inspector, Quetta",
    "code": "INS-001", "role": "inspector", "line": "labour", "chair": false, "unit": null, "areas": ["PK226"],
    "status": "active", "created_at": "2026-11-20T04:00:00Z", "changed_at": "2026-11-20T04:00:00Z"
}))]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The name to log in with.
    pub username: String,
    /// The person's name.
    pub name: String,
    /// The person's code, as it is written in questionnaires: `INS-001`.
    pub code: String,
    /// What the person is here for.
    pub role: Role,
    /// The line, where the role has one.
    pub line: Option<Line>,
    /// Chair of the Steering Committee.
    pub chair: bool,
    /// The Child Protection Unit of a case worker.
    pub unit: Option<String>,
    /// Codes of the provinces, divisions or districts the person works in.
    pub areas: Vec<String>,
    /// Whether the account may be used.
    pub status: AccountStatus,
    /// When it was made.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub created_at: At,
    /// When it was last changed.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub changed_at: At,
}

impl Account {
    pub(super) fn of(row: AccountRow, areas: Vec<String>) -> Account {
        Account {
            id: row.id,
            username: row.username,
            name: row.name,
            code: row.code,
            role: row.role,
            line: row.line,
            chair: row.chair,
            unit: row.unit,
            areas,
            status: row.status,
            created_at: row.created_at,
            changed_at: row.changed_at,
        }
    }
}

/// What a phone says of itself at login.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
pub struct NewDevice {
    /// The installation's own id, made by the phone and kept by it.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// The program and its version.
    #[serde(default)]
    pub app: String,
}

/// The row of a device: the same phone under two accounts is two rows.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = devices)]
pub(super) struct DeviceRow {
    pub(super) account_id: AccountId,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) app: String,
    pub(super) registered_at: At,
    pub(super) seen_at: At,
    pub(super) revoked_at: Option<At>,
}

/// A device someone has logged in from.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(example = json!({
    "id": "phone-7f3a", "account": "0193a4b2-7c1e-7d3a-9f00-2b6c1d5e8a41", "username": "inspector", "name": "Field phone 7",
    "app": "nigran-android/1.2", "registered_at": "2026-11-20T04:00:00Z", "seen_at": "2026-11-20T09:00:00Z", "revoked_at": null
}))]
pub struct Device {
    /// The installation's id.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The name that person logs in with.
    pub username: String,
    /// What people call it.
    pub name: String,
    /// The program and its version.
    pub app: String,
    /// First login from it.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub registered_at: At,
    /// Last login or refresh from it.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub seen_at: At,
    /// When it was revoked; a revoked device stays so.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    pub revoked_at: Option<At>,
}

impl Device {
    pub(super) fn of(row: DeviceRow, username: String) -> Device {
        Device {
            id: row.id,
            account: row.account_id,
            username,
            name: row.name,
            app: row.app,
            registered_at: row.registered_at,
            seen_at: row.seen_at,
            revoked_at: row.revoked_at,
        }
    }
}

text_enum! {
    /// Why a session was closed.
    ClosedBecause {
        /// The person logged out.
        LoggedOut = "logged_out",
        /// A refresh token was used twice: someone holds a copy.
        RefreshReused = "refresh_reused",
        /// The account was disabled.
        AccountDisabled = "account_disabled",
        /// The password was changed or reset.
        PasswordChanged = "password_changed",
        /// The device was revoked.
        DeviceRevoked = "device_revoked",
        /// Its last refresh token ran out.
        Expired = "expired",
    }
}

/// The row of a session.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub(super) struct SessionRow {
    pub(super) id: SessionId,
    pub(super) account_id: AccountId,
    pub(super) device_id: Option<String>,
    pub(super) opened_at: At,
    pub(super) closed_at: Option<At>,
    pub(super) closed_because: Option<ClosedBecause>,
}

/// The row of a refresh token: its SHA-256 in hex, never the token.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = refresh_tokens)]
pub(super) struct RefreshRow {
    pub(super) hash: String,
    pub(super) session_id: SessionId,
    pub(super) issued_at: At,
    pub(super) expires_at: At,
    pub(super) used_at: Option<At>,
}
