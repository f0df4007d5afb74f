//! Queries of the room. Versions, comments, votes and minutes are only ever added; a head is put back only if it is as it was
//! read.

use diesel::prelude::*;

use super::model::{
    BaseRow, Comment, Consent, Draft, DraftId, DraftVersion, Glass, GlassState, KeyState, MemberKey,
    MinutesRow, Proposal, ProposalId, ProposalState, ProposalVersion, Source, Term, Vote,
};
use crate::db::schema::{
    break_glass, committee_keys, committee_members, consents, draft_versions, drafts, form_bases, minutes,
    proposal_comments, proposal_versions, proposals, votes,
};
use crate::db::{At, DbConn};
use crate::error::Result;

// ---- bases

pub(super) fn insert_base(conn: &mut DbConn, base: &BaseRow) -> Result<()> {
    diesel::insert_into(form_bases::table).values(base).execute(conn)?;
    Ok(())
}

pub(super) fn base(conn: &mut DbConn, hash: &str) -> Result<Option<BaseRow>> {
    Ok(form_bases::table.find(hash.to_owned()).select(BaseRow::as_select()).first(conn).optional()?)
}

pub(super) fn has_base(conn: &mut DbConn, hash: &str) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(form_bases::table.find(hash.to_owned()))).get_result(conn)?)
}

/// The base of a form that came last.
pub(super) fn last_base(conn: &mut DbConn, form: &str) -> Result<Option<BaseRow>> {
    Ok(form_bases::table
        .filter(form_bases::form.eq(form.to_owned()))
        .order((form_bases::added_at.desc(), form_bases::hash))
        .select(BaseRow::as_select())
        .first(conn)
        .optional()?)
}

/// A base without its package.
pub(super) type ListedBase = (String, String, i32, Source, String, At, Option<String>);

/// All bases, the newest of each form first.
pub(super) fn bases(conn: &mut DbConn) -> Result<Vec<ListedBase>> {
    Ok(form_bases::table
        .order((form_bases::form, form_bases::added_at.desc(), form_bases::hash))
        .select((
            form_bases::hash,
            form_bases::form,
            form_bases::version,
            form_bases::source,
            form_bases::note,
            form_bases::added_at,
            form_bases::added_by,
        ))
        .load(conn)?)
}

// ---- drafts

pub(super) fn insert_draft(conn: &mut DbConn, draft: &Draft) -> Result<()> {
    diesel::insert_into(drafts::table).values(draft).execute(conn)?;
    Ok(())
}

pub(super) fn draft(conn: &mut DbConn, id: &DraftId) -> Result<Option<Draft>> {
    Ok(drafts::table.find(id.clone()).select(Draft::as_select()).first(conn).optional()?)
}

/// Puts a draft back; false: it is no longer the version that was read.
pub(super) fn update_draft(conn: &mut DbConn, draft: &Draft, read: i32) -> Result<bool> {
    let unmoved = drafts::table.find(draft.id.clone()).filter(drafts::version.eq(read));
    Ok(diesel::update(unmoved).set(draft).execute(conn)? == 1)
}

/// Drafts, those changed last first.
pub(super) fn drafts_page(
    conn: &mut DbConn,
    form: Option<&str>,
    author: Option<&str>,
    after: Option<(At, String)>,
    limit: i64,
) -> Result<Vec<Draft>> {
    let mut query = drafts::table
        .order((drafts::changed_at.desc(), drafts::id.desc()))
        .limit(limit)
        .select(Draft::as_select())
        .into_boxed();
    if let Some((at, id)) = after {
        let earlier = drafts::changed_at.lt(at);
        let same = drafts::changed_at.eq(at).and(drafts::id.lt(id));
        query = query.filter(earlier.or(same));
    }
    if let Some(form) = form {
        query = query.filter(drafts::form.eq(form.to_owned()));
    }
    if let Some(author) = author {
        query = query.filter(drafts::author.eq(author.to_owned()));
    }
    Ok(query.load(conn)?)
}

pub(super) fn insert_draft_version(conn: &mut DbConn, version: &DraftVersion) -> Result<()> {
    diesel::insert_into(draft_versions::table).values(version).execute(conn)?;
    Ok(())
}

pub(super) fn draft_version(conn: &mut DbConn, id: &DraftId, n: i32) -> Result<Option<DraftVersion>> {
    Ok(draft_versions::table
        .find((id.clone(), n))
        .select(DraftVersion::as_select())
        .first(conn)
        .optional()?)
}

/// The saves of a draft, the last first, from below `before`.
pub(super) fn draft_history(
    conn: &mut DbConn,
    id: &DraftId,
    before: Option<i32>,
    limit: i64,
) -> Result<Vec<DraftVersion>> {
    let below = before.unwrap_or(i32::MAX);
    Ok(draft_versions::table
        .filter(draft_versions::draft_id.eq(id.clone()).and(draft_versions::n.lt(below)))
        .order(draft_versions::n.desc())
        .limit(limit)
        .select(DraftVersion::as_select())
        .load(conn)?)
}

// ---- proposals

pub(super) fn insert_proposal(conn: &mut DbConn, proposal: &Proposal) -> Result<()> {
    diesel::insert_into(proposals::table).values(proposal).execute(conn)?;
    Ok(())
}

pub(super) fn proposal(conn: &mut DbConn, id: &ProposalId) -> Result<Option<Proposal>> {
    Ok(proposals::table.find(id.clone()).select(Proposal::as_select()).first(conn).optional()?)
}

/// The same, held until the unit of work ends: of two who vote at one instant, one waits for the other.
pub(super) fn proposal_held(conn: &mut DbConn, id: &ProposalId) -> Result<Option<Proposal>> {
    if let DbConn::Postgres(conn) = conn {
        proposals::table
            .filter(proposals::id.eq(id.clone()))
            .select(proposals::id)
            .for_update()
            .load::<String>(conn)?;
    }
    proposal(conn, id)
}

/// Puts a proposal back; false: it is no longer the version that was read.
pub(super) fn update_proposal(conn: &mut DbConn, proposal: &Proposal, read: i32) -> Result<bool> {
    let unmoved = proposals::table.find(proposal.id.clone()).filter(proposals::version.eq(read));
    Ok(diesel::update(unmoved).set(proposal).execute(conn)? == 1)
}

/// The proposal a release came of.
pub(super) fn proposal_of_release(conn: &mut DbConn, form: &str, version: i32) -> Result<Option<Proposal>> {
    Ok(proposals::table
        .filter(proposals::form.eq(form.to_owned()).and(proposals::release_version.eq(version)))
        .select(Proposal::as_select())
        .first(conn)
        .optional()?)
}

/// Every proposal that became a release of a form, by release.
pub(super) fn released(conn: &mut DbConn, form: &str) -> Result<Vec<Proposal>> {
    Ok(proposals::table
        .filter(proposals::form.eq(form.to_owned()).and(proposals::release_version.is_not_null()))
        .order(proposals::release_version)
        .select(Proposal::as_select())
        .load(conn)?)
}

/// Which proposals are wanted.
pub(super) struct Wanted<'w> {
    pub(super) form: Option<&'w str>,
    pub(super) state: Option<ProposalState>,
    /// Only of these forms, whatever else is asked for: those the reader may see.
    pub(super) of: Option<&'w [String]>,
    pub(super) after: Option<(At, String)>,
    pub(super) limit: i64,
}

/// Proposals, the newest first.
pub(super) fn proposals_page(conn: &mut DbConn, wanted: &Wanted<'_>) -> Result<Vec<Proposal>> {
    let mut query = proposals::table
        .order((proposals::created_at.desc(), proposals::id.desc()))
        .limit(wanted.limit)
        .select(Proposal::as_select())
        .into_boxed();
    if let Some((at, id)) = wanted.after.clone() {
        let earlier = proposals::created_at.lt(at);
        let same = proposals::created_at.eq(at).and(proposals::id.lt(id));
        query = query.filter(earlier.or(same));
    }
    if let Some(forms) = wanted.of {
        query = query.filter(proposals::form.eq_any(forms.to_vec()));
    }
    if let Some(form) = wanted.form {
        query = query.filter(proposals::form.eq(form.to_owned()));
    }
    if let Some(state) = wanted.state {
        query = query.filter(proposals::state.eq(state));
    }
    Ok(query.load(conn)?)
}

pub(super) fn insert_proposal_version(conn: &mut DbConn, version: &ProposalVersion) -> Result<()> {
    diesel::insert_into(proposal_versions::table).values(version).execute(conn)?;
    Ok(())
}

pub(super) fn proposal_version(
    conn: &mut DbConn,
    id: &ProposalId,
    n: i32,
) -> Result<Option<ProposalVersion>> {
    Ok(proposal_versions::table
        .find((id.clone(), n))
        .select(ProposalVersion::as_select())
        .first(conn)
        .optional()?)
}

pub(super) fn insert_comment(conn: &mut DbConn, comment: &Comment) -> Result<()> {
    diesel::insert_into(proposal_comments::table).values(comment).execute(conn)?;
    Ok(())
}

pub(super) fn comment(conn: &mut DbConn, id: &str) -> Result<Option<Comment>> {
    Ok(proposal_comments::table.find(id.to_owned()).select(Comment::as_select()).first(conn).optional()?)
}

/// The comments on a proposal, oldest first.
pub(super) fn comments(
    conn: &mut DbConn,
    id: &ProposalId,
    after: Option<(At, String)>,
    limit: i64,
) -> Result<Vec<Comment>> {
    let mut query = proposal_comments::table
        .filter(proposal_comments::proposal_id.eq(id.clone()))
        .order((proposal_comments::at, proposal_comments::id))
        .limit(limit)
        .select(Comment::as_select())
        .into_boxed();
    if let Some((at, id)) = after {
        let later = proposal_comments::at.gt(at);
        let same = proposal_comments::at.eq(at).and(proposal_comments::id.gt(id));
        query = query.filter(later.or(same));
    }
    Ok(query.load(conn)?)
}

// ---- the Committee

pub(super) fn insert_term(conn: &mut DbConn, term: &Term) -> Result<()> {
    diesel::insert_into(committee_members::table).values(term).execute(conn)?;
    Ok(())
}

/// Every term there ever was, oldest first.
pub(super) fn terms(conn: &mut DbConn) -> Result<Vec<Term>> {
    Ok(committee_members::table
        .order((committee_members::appointed_at, committee_members::id))
        .select(Term::as_select())
        .load(conn)?)
}

pub(super) fn term(conn: &mut DbConn, id: &str) -> Result<Option<Term>> {
    Ok(committee_members::table.find(id.to_owned()).select(Term::as_select()).first(conn).optional()?)
}

/// Ends a term, unless it has ended by then.
pub(super) fn end_term(conn: &mut DbConn, id: &str, until: At, because: &str) -> Result<bool> {
    let runs = committee_members::until_at.is_null().or(committee_members::until_at.gt(until));
    let term = committee_members::table.find(id.to_owned()).filter(runs);
    let ended = (
        committee_members::until_at.eq(Some(until)),
        committee_members::ended_because.eq(Some(because.to_owned())),
    );
    Ok(diesel::update(term).set(ended).execute(conn)? == 1)
}

pub(super) fn insert_key(conn: &mut DbConn, key: &MemberKey) -> Result<()> {
    diesel::insert_into(committee_keys::table).values(key).execute(conn)?;
    Ok(())
}

pub(super) fn key(conn: &mut DbConn, id: &str) -> Result<Option<MemberKey>> {
    Ok(committee_keys::table.find(id.to_owned()).select(MemberKey::as_select()).first(conn).optional()?)
}

/// All keys, or one person's, oldest first.
pub(super) fn keys(conn: &mut DbConn, account: Option<&str>) -> Result<Vec<MemberKey>> {
    let mut query = committee_keys::table
        .order((committee_keys::registered_at, committee_keys::id))
        .select(MemberKey::as_select())
        .into_boxed();
    if let Some(account) = account {
        query = query.filter(committee_keys::account_id.eq(account.to_owned()));
    }
    Ok(query.load(conn)?)
}

/// Puts a key back, if it stands as it was read.
pub(super) fn settle_key(conn: &mut DbConn, key: &MemberKey, read: KeyState) -> Result<bool> {
    let unmoved = committee_keys::table.find(key.id.clone()).filter(committee_keys::state.eq(read));
    Ok(diesel::update(unmoved).set(key).execute(conn)? == 1)
}

pub(super) fn insert_vote(conn: &mut DbConn, vote: &Vote) -> Result<()> {
    diesel::insert_into(votes::table).values(vote).execute(conn)?;
    Ok(())
}

/// The votes on a version of a proposal, as they came.
pub(super) fn votes_on(conn: &mut DbConn, id: &ProposalId, n: i32) -> Result<Vec<Vote>> {
    Ok(votes::table
        .filter(votes::proposal_id.eq(id.clone()).and(votes::n.eq(n)))
        .order((votes::received_at, votes::account_id, votes::casting))
        .select(Vote::as_select())
        .load(conn)?)
}

/// How many votes were cast on earlier versions of a proposal.
pub(super) fn void_votes(conn: &mut DbConn, id: &ProposalId, n: i32) -> Result<i64> {
    Ok(votes::table.filter(votes::proposal_id.eq(id.clone()).and(votes::n.lt(n))).count().get_result(conn)?)
}

pub(super) fn insert_consent(conn: &mut DbConn, consent: &Consent) -> Result<()> {
    diesel::insert_into(consents::table).values(consent).execute(conn)?;
    Ok(())
}

/// What heads of departments said to a version of a proposal, as it came.
pub(super) fn consents_to(conn: &mut DbConn, id: &ProposalId, n: i32) -> Result<Vec<Consent>> {
    Ok(consents::table
        .filter(consents::proposal_id.eq(id.clone()).and(consents::n.eq(n)))
        .order((consents::received_at, consents::head))
        .select(Consent::as_select())
        .load(conn)?)
}

// ---- minutes and break-glass

pub(super) fn insert_minutes(conn: &mut DbConn, row: &MinutesRow) -> Result<()> {
    diesel::insert_into(minutes::table).values(row).execute(conn)?;
    Ok(())
}

pub(super) fn minutes_of(conn: &mut DbConn, hash: &str) -> Result<Option<MinutesRow>> {
    Ok(minutes::table.find(hash.to_owned()).select(MinutesRow::as_select()).first(conn).optional()?)
}

pub(super) fn insert_glass(conn: &mut DbConn, glass: &Glass) -> Result<()> {
    diesel::insert_into(break_glass::table).values(glass).execute(conn)?;
    Ok(())
}

pub(super) fn glass(conn: &mut DbConn, id: &str) -> Result<Option<Glass>> {
    Ok(break_glass::table.find(id.to_owned()).select(Glass::as_select()).first(conn).optional()?)
}

/// All that was asked for, the newest first.
pub(super) fn glasses(conn: &mut DbConn, limit: i64) -> Result<Vec<Glass>> {
    Ok(break_glass::table
        .order((break_glass::asked_at.desc(), break_glass::id.desc()))
        .limit(limit)
        .select(Glass::as_select())
        .load(conn)?)
}

/// Puts it back, if nobody has settled it.
pub(super) fn settle_glass(conn: &mut DbConn, glass: &Glass) -> Result<bool> {
    let asked = break_glass::table.find(glass.id.clone()).filter(break_glass::state.eq(GlassState::Asked));
    Ok(diesel::update(asked).set(glass).execute(conn)? == 1)
}
