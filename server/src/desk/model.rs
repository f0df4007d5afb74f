//! Nouns of the desk. What was saved, frozen, said, voted or minuted is a row that never changes; only the heads (a draft, a
//! proposal, a term of office, a key, an asked-for break-glass) move.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use form_engine::Package;
use form_engine::overlay::Operation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accounts::Role;
use crate::db::schema::{
    break_glass, committee_keys, committee_members, consents, draft_versions, drafts, form_bases, minutes,
    proposal_comments, proposal_versions, proposals, votes,
};
use crate::db::{At, Json, Packed, text_enum, text_id};

text_id! {
    /// A draft's id.
    DraftId
}
text_id! {
    /// A proposal's id.
    ProposalId
}

text_enum! {
    /// Where a base comes from.
    #[schema(as = BaseSource)]
    Source {
        /// It came with the program.
        BuiltIn = "built_in",
        /// Somebody sent it: UNICEF, another province.
        Sent = "sent",
        /// It is a release of this server's own.
        Release = "release",
    }
}

text_enum! {
    /// Where a draft stands.
    DraftState {
        /// It is being written.
        Open = "open",
        /// It is no longer worked on.
        Closed = "closed",
    }
}

text_enum! {
    /// How a version of a draft came about.
    #[schema(as = DraftSave)]
    How {
        /// The draft was begun.
        Begun = "begun",
        /// It was saved.
        Saved = "saved",
        /// An earlier version was brought back.
        Restored = "restored",
        /// A spreadsheet or translation file was uploaded.
        Uploaded = "uploaded",
        /// It was moved onto another base.
        Rebased = "rebased",
    }
}

text_enum! {
    /// Where a proposal stands.
    ProposalState {
        /// It can be read and commented on.
        Discussion = "discussion",
        /// Votes are taken.
        Voting = "voting",
        /// As many for as against; the chair casts.
        Tied = "tied",
        /// It was agreed to, and is a release.
        Approved = "approved",
        /// It was not agreed to.
        Rejected = "rejected",
        /// Its time ran out before enough took part.
        Expired = "expired",
        /// Its author took it back.
        Withdrawn = "withdrawn",
        /// Another release came before it.
        Overtaken = "overtaken",
        /// It was published without a vote.
        BreakGlass = "break_glass",
    }
}

impl ProposalState {
    /// Whether nothing happens to it any more.
    pub(super) fn is_final(self) -> bool {
        !matches!(self, ProposalState::Discussion | ProposalState::Voting | ProposalState::Tied)
    }
}

text_enum! {
    /// What somebody sits on the Committee as.
    Seat {
        /// Leads it, and has the casting vote.
        Chair = "chair",
        /// Stands in for the chair.
        Deputy = "deputy",
        /// Votes.
        Member = "member",
        /// Comments, and does not vote.
        Observer = "observer",
    }
}

impl Seat {
    /// Whether it carries a vote.
    pub(super) fn votes(self) -> bool {
        self != Seat::Observer
    }
}

text_enum! {
    /// A vote.
    #[schema(as = VoteChoice)]
    Choice {
        /// For.
        Approve = "approve",
        /// Against.
        Reject = "reject",
        /// Neither.
        Abstain = "abstain",
        /// Not taking part: an interest of one's own.
        Recuse = "recuse",
    }
}

text_enum! {
    /// What a head of department says to a proposal.
    #[schema(as = ConsentAnswer)]
    Answer {
        /// It may be so.
        Consent = "consent",
        /// It may not.
        Refuse = "refuse",
    }
}

text_enum! {
    /// Whether a member's key counts.
    #[schema(as = MemberKeyState)]
    KeyState {
        /// It does.
        Active = "active",
        /// It came after another one and without its signature: another member must confirm it.
        Unconfirmed = "unconfirmed",
        /// It does not any more.
        Revoked = "revoked",
    }
}

text_enum! {
    /// Where an asked-for break-glass stands.
    #[schema(as = BreakGlassState)]
    GlassState {
        /// The second person has not agreed.
        Asked = "asked",
        /// It was published.
        Done = "done",
        /// The second person refused.
        Refused = "refused",
    }
}

text_enum! {
    /// What minutes are of.
    MinutesKind {
        /// A vote.
        Decision = "decision",
        /// Publishing without one.
        BreakGlass = "break_glass",
    }
}

/// A base as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = form_bases, treat_none_as_default_value = false)]
pub(super) struct BaseRow {
    pub(super) hash: String,
    pub(super) form: String,
    pub(super) version: i32,
    pub(super) source: Source,
    pub(super) note: String,
    pub(super) added_at: At,
    pub(super) added_by: Option<String>,
    pub(super) package: Packed,
    pub(super) cases: Packed,
}

/// A draft as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = drafts)]
pub(super) struct Draft {
    pub(super) id: DraftId,
    pub(super) form: String,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) state: DraftState,
    pub(super) version: i32,
    pub(super) created_at: At,
    pub(super) changed_at: At,
}

/// A save of a draft as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = draft_versions, treat_none_as_default_value = false)]
pub(super) struct DraftVersion {
    pub(super) draft_id: DraftId,
    pub(super) n: i32,
    pub(super) at: At,
    pub(super) account_id: Option<String>,
    pub(super) how: How,
    pub(super) base: String,
    pub(super) title: String,
    pub(super) content: Packed,
}

/// What a version of a draft holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Written {
    /// What is done to the base.
    pub(super) operations: Vec<Operation>,
    /// Cases of the draft's own. One with the name of a case of the base stands in its stead.
    pub(super) cases: Vec<Value>,
}

/// A proposal as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = proposals, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct Proposal {
    pub(super) id: ProposalId,
    pub(super) form: String,
    pub(super) title: String,
    pub(super) author: String,
    pub(super) draft_id: DraftId,
    pub(super) state: ProposalState,
    pub(super) n: i32,
    pub(super) hash: String,
    pub(super) package_hash: String,
    pub(super) created_at: At,
    pub(super) opened_at: Option<At>,
    pub(super) closes_at: Option<At>,
    pub(super) decided_at: Option<At>,
    pub(super) release_version: Option<i32>,
    pub(super) minutes_hash: Option<String>,
    pub(super) version: i32,
    /// The heads without whose consent its vote could not be opened.
    pub(super) heads_required: Json,
}

/// What was frozen, as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = proposal_versions, treat_none_as_default_value = false)]
pub(super) struct ProposalVersion {
    pub(super) proposal_id: ProposalId,
    pub(super) n: i32,
    pub(super) hash: String,
    pub(super) package_hash: String,
    pub(super) frozen_at: At,
    pub(super) frozen_by: Option<String>,
    pub(super) draft_version: i32,
    pub(super) against: i32,
    pub(super) content: Packed,
}

/// What was frozen, whole.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Frozen {
    /// What the hash is made of.
    pub(super) terms: Terms,
    /// The package that would be released.
    pub(super) package: Package,
    /// Every case it was tried on.
    pub(super) cases: Vec<Value>,
    /// The cases that are the draft's own.
    pub(super) own_cases: Vec<Value>,
    /// Every operation as a sentence, by language.
    pub(super) sentences: Vec<Texts>,
    /// What changes against the release it follows, in sentences.
    pub(super) changes: Vec<Changed>,
    /// It changes how answers are judged, not words alone. Of what was frozen before anybody looked, it is taken to.
    #[serde(default = "unless_known")]
    pub(super) to_rules: bool,
}

fn unless_known() -> bool {
    true
}

/// A change in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ProposedChange)]
pub(super) struct Changed {
    /// The section it belongs to.
    pub(super) section: Option<String>,
    /// What it asks of answers already given.
    pub(super) grade: String,
    /// In words, by language.
    #[schema(value_type = Object)]
    pub(super) sentence: Texts,
    /// A rule as it was, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) before: Option<Texts>,
    /// A rule as it would be, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(super) after: Option<Texts>,
}

/// Texts by language.
pub(super) type Texts = BTreeMap<String, String>;

/// What is voted on. The hash members sign is the SHA-256 of the RFC 8785 form of this.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Terms {
    /// The form's code.
    pub(super) form: String,
    /// Hash of the base.
    pub(super) base: String,
    /// What is done to it.
    pub(super) operations: Vec<Operation>,
    /// Hash of the package that comes of it.
    pub(super) package: String,
    /// The same with the order of its questions, which the hash alone does not tell.
    pub(super) fingerprint: String,
    /// The release it would be.
    pub(super) version: u32,
    /// Hash of the cases it was tried on.
    pub(super) cases: String,
    /// The day in Pakistan from which it is given out.
    pub(super) effective_from: NaiveDate,
    /// How many days the release before it is filed with without a flag.
    pub(super) grace_days: u16,
    /// Who gets it.
    pub(super) stage: Value,
    /// Languages it must be complete in.
    pub(super) languages: Vec<String>,
}

/// A comment as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = proposal_comments, treat_none_as_default_value = false)]
pub(super) struct Comment {
    pub(super) id: String,
    pub(super) proposal_id: ProposalId,
    pub(super) n: i32,
    pub(super) at: At,
    pub(super) account_id: String,
    pub(super) answers: Option<String>,
    pub(super) question: Option<String>,
    pub(super) body: String,
}

/// A term of office as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = committee_members, treat_none_as_default_value = false)]
pub(super) struct Term {
    pub(super) id: String,
    pub(super) account_id: String,
    pub(super) role: Seat,
    pub(super) from_at: At,
    pub(super) until_at: Option<At>,
    pub(super) basis: String,
    pub(super) appointed_at: At,
    pub(super) appointed_by: Option<String>,
    pub(super) ended_because: Option<String>,
}

impl Term {
    /// Whether it runs at an instant. Nobody is in office before being appointed, whatever day is written.
    pub(super) fn runs_at(&self, at: At) -> bool {
        self.from_at.max(self.appointed_at) <= at && self.until_at.is_none_or(|until| at < until)
    }
}

/// A member's key as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = committee_keys, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct MemberKey {
    pub(super) id: String,
    pub(super) account_id: String,
    pub(super) public_key: String,
    pub(super) state: KeyState,
    pub(super) registered_at: At,
    pub(super) confirmed_by: Option<String>,
    pub(super) settled_at: Option<At>,
}

/// A vote as a row.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = votes, treat_none_as_default_value = false)]
pub(super) struct Vote {
    pub(super) proposal_id: ProposalId,
    pub(super) n: i32,
    pub(super) account_id: String,
    pub(super) casting: bool,
    pub(super) vote: Choice,
    pub(super) reason: String,
    pub(super) dissent: Option<String>,
    pub(super) hash: String,
    pub(super) signed_at: String,
    pub(super) received_at: At,
    pub(super) key_id: String,
    pub(super) signature: String,
}

/// What a head of department says, as a row.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = consents)]
pub(super) struct Consent {
    pub(super) proposal_id: ProposalId,
    pub(super) n: i32,
    pub(super) head: Role,
    pub(super) answer: Answer,
    pub(super) account_id: String,
    pub(super) reason: String,
    pub(super) hash: String,
    pub(super) signed_at: String,
    pub(super) received_at: At,
    pub(super) key_id: String,
    pub(super) signature: String,
}

/// Minutes as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = minutes)]
pub(super) struct MinutesRow {
    pub(super) hash: String,
    pub(super) proposal_id: ProposalId,
    pub(super) n: i32,
    pub(super) kind: MinutesKind,
    pub(super) at: At,
    pub(super) document: Packed,
}

/// A break-glass as a row.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = break_glass, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct Glass {
    pub(super) id: String,
    pub(super) proposal_id: ProposalId,
    pub(super) n: i32,
    pub(super) hash: String,
    pub(super) reason: String,
    pub(super) asked_by: String,
    pub(super) asked_at: At,
    pub(super) expires_at: At,
    pub(super) state: GlassState,
    pub(super) settled_by: Option<String>,
    pub(super) settled_at: Option<At>,
    pub(super) signature: Option<String>,
    pub(super) key_id: Option<String>,
}
