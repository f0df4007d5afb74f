//! Publishing without a vote, for when a published rule does harm today. An administrator asks and gives the reason; the chair or the
//! deputy agrees within a day, with a signature; then it is published, with minutes that say so, and everybody in office is told.
//! What is published is a proposal like any other: frozen, with its cases passing.

pub(super) mod routes;

use serde::Serialize;
use serde_json::json;

use super::Desk;
use super::committee::{keys, members};
use super::deciding;
use super::freezing::put_back;
use super::minutes::{self, GlassStatement};
use super::model::{Glass, GlassState, Proposal, ProposalId, ProposalState};
use super::proposals;
use super::requests::{Agreement, NewGlass, needed_words};
use super::{notices, store};
use crate::accounts::{Actor, Permission};
use crate::audit::{self, Event};
use crate::db::{At, DbConn};
use crate::error::{Error, Result};
use crate::http::Page;

/// Those listed.
const LISTED: i64 = 200;

/// A break-glass as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = BreakGlass)]
pub(super) struct GlassView {
    /// Its id.
    id: String,
    /// The proposal.
    proposal: ProposalId,
    /// The hash of what is published.
    hash: String,
    /// What cannot wait.
    reason: String,
    /// Who asked.
    asked_by: String,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    asked_at: At,
    /// Until when somebody may agree.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    expires_at: At,
    /// Where it stands.
    state: GlassState,
    /// Who agreed or refused.
    settled_by: Option<String>,
    /// What the second person signs, in RFC 8785 form: `{break_glass, hash, reason}`.
    #[schema(value_type = Object)]
    statement: serde_json::Value,
}

impl GlassView {
    fn of(glass: Glass) -> GlassView {
        let statement = GlassStatement {
            break_glass: glass.id.clone(),
            hash: glass.hash.clone(),
            reason: glass.reason.clone(),
        };
        GlassView {
            statement: json!(statement),
            id: glass.id,
            proposal: glass.proposal_id,
            hash: glass.hash,
            reason: glass.reason,
            asked_by: glass.asked_by,
            asked_at: glass.asked_at,
            expires_at: glass.expires_at,
            state: glass.state,
            settled_by: glass.settled_by,
        }
    }
}

impl Desk {
    /// Asks that a proposal be published without a vote.
    pub(super) async fn ask_break_glass(
        &self,
        actor: Actor,
        id: ProposalId,
        new: NewGlass,
    ) -> Result<GlassView> {
        actor.may(Permission::AskBreakGlass)?;
        let reason = needed_words("reason", &new.reason)?;
        let wanted = id.clone();
        let obstacles = self
            .db
            .read(move |conn| {
                let proposal = proposals::row(conn, &wanted)?;
                let (version, frozen) = proposals::frozen(conn, &wanted, proposal.n)?;
                proposals::obstacles(conn, &frozen, version.against)
            })
            .await?;
        if let Some(first) = obstacles.first() {
            let detail = first["detail"].as_str().unwrap_or_default();
            return Err(Error::conflict("not_ready", format!("not even without a vote: {detail}"))
                .with("obstacles", obstacles));
        }
        let hours = self.rules.break_glass.expires_hours;
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                let proposal = proposals::held(tx.conn, &id)?;
                unsettled(&proposal, &new.hash)?;
                let glass = Glass {
                    id: tx.new_id().to_string(),
                    proposal_id: id.clone(),
                    n: proposal.n,
                    hash: proposal.hash.clone(),
                    reason: reason.clone(),
                    asked_by: actor.account.to_string(),
                    asked_at: now,
                    expires_at: At::from_micros(now.micros() + i64::from(hours) * 3_600_000_000),
                    state: GlassState::Asked,
                    settled_by: None,
                    settled_at: None,
                    signature: None,
                    key_id: None,
                };
                store::insert_glass(tx.conn, &glass)?;
                let details = json!({ "proposal": id, "hash": glass.hash, "expires_at": glass.expires_at });
                audit::record(tx, Event::new("break_glass.asked", "break_glass", &glass.id, details))?;
                notices::of_committee(tx, "break_glass.asked", &format!("break_glass:{}", glass.id))?;
                Ok(GlassView::of(glass))
            })
            .await
    }

    /// Agrees to it, and so publishes.
    pub(super) async fn agree_to_break_glass(
        &self,
        actor: Actor,
        id: String,
        new: Agreement,
    ) -> Result<GlassView> {
        actor.may(Permission::AgreeToBreakGlass)?;
        let room = self.clone();
        let done = self
            .db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                let me = actor.account.as_str();
                members::must_lead(tx.conn, me, now)?;
                let glass = open(tx.conn, &id, now)?;
                let before = proposals::held(tx.conn, &glass.proposal_id)?;
                unsettled(&before, &new.hash)?;
                unsettled(&before, &glass.hash)?;
                if glass.asked_by == me || before.author == me {
                    return Err(Error::forbidden("second_person", "whoever asked, and whoever wrote it, cannot agree to it; another must"));
                }
                let (key, public) = keys::active(tx.conn, &new.key, me)?;
                let statement = GlassStatement {
                    break_glass: glass.id.clone(),
                    hash: glass.hash.clone(),
                    reason: glass.reason.clone(),
                };
                keys::must_sign(&public, &statement, &new.signature)?;
                let settled = Glass {
                    state: GlassState::Done,
                    settled_by: Some(me.to_owned()),
                    settled_at: Some(now),
                    signature: Some(new.signature.clone()),
                    key_id: Some(key.id.clone()),
                    ..glass.clone()
                };
                if !store::settle_glass(tx.conn, &settled)? {
                    return Err(settled_already(&glass));
                }
                let minuted = minutes::Glass {
                    id: glass.id.clone(),
                    reason: glass.reason.clone(),
                    asked_by: minutes::person(tx.conn, &glass.asked_by)?,
                    asked_at: glass.asked_at,
                    agreed_by: minutes::person(tx.conn, me)?,
                    key: key.id,
                    public_key: key.public_key,
                    signature: new.signature.clone(),
                };
                let forced = Proposal {
                    state: ProposalState::BreakGlass,
                    decided_at: Some(now),
                    version: before.version + 1,
                    ..before.clone()
                };
                let (forced, minutes_hash) = minutes::of_break_glass(&room, tx, forced, minuted)?;
                put_back(tx, &forced, before.version)?;
                deciding::release(tx, &forced, &minutes_hash, Some(&glass.id))?;
                let details = json!({
                    "proposal": forced.id, "hash": forced.hash, "release": forced.release_version, "minutes": minutes_hash, "asked_by": glass.asked_by,
                });
                audit::record(tx, Event::new("break_glass.published", "break_glass", &glass.id, details))?;
                notices::of_committee(tx, "break_glass.published", &format!("break_glass:{}", glass.id))?;
                Ok(GlassView::of(settled))
            })
            .await?;
        self.forms.refresh();
        Ok(done)
    }

    /// Refuses it.
    pub(super) async fn refuse_break_glass(&self, actor: Actor, id: String) -> Result<GlassView> {
        actor.may(Permission::AgreeToBreakGlass)?;
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                members::must_lead(tx.conn, actor.account.as_str(), now)?;
                let glass = open(tx.conn, &id, now)?;
                let refused = Glass {
                    state: GlassState::Refused,
                    settled_by: Some(actor.account.to_string()),
                    settled_at: Some(now),
                    ..glass.clone()
                };
                if !store::settle_glass(tx.conn, &refused)? {
                    return Err(settled_already(&glass));
                }
                audit::record(
                    tx,
                    Event::new(
                        "break_glass.refused",
                        "break_glass",
                        &id,
                        json!({ "proposal": glass.proposal_id }),
                    ),
                )?;
                Ok(GlassView::of(refused))
            })
            .await
    }

    /// All that was asked for, the newest first.
    pub(super) async fn list_break_glass(&self, actor: Actor) -> Result<Page<GlassView>> {
        actor.may(Permission::ReadProposals)?;
        let rows = self.db.read(|conn| store::glasses(conn, LISTED)).await?;
        Ok(Page { items: rows.into_iter().map(GlassView::of).collect(), next: None })
    }
}

fn open(conn: &mut DbConn, id: &str, now: At) -> Result<Glass> {
    let glass = store::glass(conn, id)?.ok_or_else(|| {
        Error::not_found(
            "break_glass_unknown",
            format!("there is no break-glass {id}; GET /v1/break-glass lists them"),
        )
    })?;
    if glass.state != GlassState::Asked {
        return Err(settled_already(&glass));
    }
    match glass.expires_at <= now {
        false => Ok(glass),
        true => Err(Error::conflict(
            "break_glass_expired",
            "nobody agreed in time; ask again if it is still urgent",
        )),
    }
}

fn settled_already(glass: &Glass) -> Error {
    Error::conflict("break_glass_settled", format!("break-glass {} is {}", glass.id, glass.state))
}

/// Passes a proposal that still waits and has this hash.
fn unsettled(proposal: &Proposal, hash: &str) -> Result<()> {
    if proposal.state.is_final() {
        return Err(proposals::settled(proposal));
    }
    match proposal.hash == hash {
        true => Ok(()),
        false => Err(proposals::changed(proposal)),
    }
}
