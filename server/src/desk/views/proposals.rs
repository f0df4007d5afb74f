//! Proposals, votes and comments as they are shown, and how releases came about.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PersonView;
use crate::accounts::{Actor, Permission};
use crate::db::{At, DbConn};
use crate::desk::deciding::{poll, rules_for};
use crate::desk::model::{
    Changed, Choice, Comment, DraftId, Proposal, ProposalId, ProposalState, Texts, Vote,
};
use crate::desk::tally::{Counts, Outcome};
use crate::desk::{Desk, proposals, store};
use crate::error::Result;
use crate::http::{Cursor, Page};
use crate::replay::{self, ReplayView};

/// A proposal in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::desk) struct ListedProposal {
    /// Its id.
    pub(in crate::desk) id: ProposalId,
    /// The form's code.
    form: String,
    /// What it is called.
    title: String,
    /// Who wrote it.
    author: String,
    /// Where it stands.
    state: ProposalState,
    /// Which version of it stands.
    n: i32,
    /// The hash that is voted on.
    hash: String,
    /// When it was made.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(in crate::desk) created_at: At,
    /// Until when votes are taken.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    closes_at: Option<At>,
    /// The release it became.
    release: Option<i32>,
}

impl ListedProposal {
    fn of(proposal: Proposal) -> ListedProposal {
        ListedProposal {
            id: proposal.id,
            form: proposal.form,
            title: proposal.title,
            author: proposal.author,
            state: proposal.state,
            n: proposal.n,
            hash: proposal.hash,
            created_at: proposal.created_at,
            closes_at: proposal.closes_at,
            release: proposal.release_version,
        }
    }
}

/// A vote as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Vote)]
pub(in crate::desk) struct VoteView {
    /// Whose.
    by: PersonView,
    /// The vote.
    vote: Choice,
    /// Why.
    reason: String,
    /// Against the decision.
    dissent: Option<String>,
    /// The chair's casting vote.
    casting: bool,
    /// When it was signed, by the member's clock.
    at: String,
    /// When it came.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    /// The name of the key.
    key: String,
    /// The signature.
    signature: String,
}

impl VoteView {
    fn of(conn: &mut DbConn, vote: Vote) -> Result<VoteView> {
        Ok(VoteView {
            by: PersonView::of(conn, &vote.account_id)?,
            vote: vote.vote,
            reason: vote.reason,
            dissent: vote.dissent,
            casting: vote.casting,
            at: vote.signed_at,
            received_at: vote.received_at,
            key: vote.key_id,
            signature: vote.signature,
        })
    }
}

/// A proposal with its text, its votes and how they stand.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CommitteeProposal)]
pub(in crate::desk) struct ProposalView {
    /// Its id.
    id: ProposalId,
    /// The form's code.
    form: String,
    /// What it is called.
    title: String,
    /// Who wrote it.
    author: PersonView,
    /// The draft it was frozen from.
    draft: DraftId,
    /// That draft's version.
    draft_version: i32,
    /// Where it stands.
    state: ProposalState,
    /// Which version of it stands.
    n: i32,
    /// The hash that is voted on and signed.
    hash: String,
    /// Also the `ETag`: what you act on.
    pub(in crate::desk) version: i32,
    /// What the hash is made of.
    #[schema(value_type = Object)]
    terms: Value,
    /// The release it follows.
    follows: i32,
    /// Every operation as a sentence, by language.
    #[schema(value_type = Vec<Object>)]
    sentences: Vec<Texts>,
    /// What changes against the release it follows.
    changes: Vec<Changed>,
    /// How many cases it was tried on.
    cases: usize,
    /// When it was made.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    created_at: At,
    /// When the vote was opened.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    opened_at: Option<At>,
    /// Until when votes are taken.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    closes_at: Option<At>,
    /// When it was decided.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    decided_at: Option<At>,
    /// The votes on this version, as they came.
    votes: Vec<VoteView>,
    /// How they stand.
    counts: Counts,
    /// How many must take part.
    needed: usize,
    /// What they would come to if no more came.
    outcome: Outcome,
    /// Votes on earlier versions, which are void.
    void_votes: i64,
    /// The release it became.
    release: Option<i32>,
    /// The hash of its minutes.
    minutes: Option<String>,
    /// What it would have meant for past visits, as far as somebody asked.
    replays: Vec<ReplayView>,
}

/// A comment as it is shown.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProposalComment)]
pub(in crate::desk) struct CommentView {
    /// Its id.
    pub(in crate::desk) id: String,
    /// Who says it.
    by: PersonView,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(in crate::desk) at: At,
    /// Which version of the proposal it was said of.
    n: i32,
    /// The comment it answers.
    answers: Option<String>,
    /// What it is about.
    question: Option<String>,
    /// What is said.
    body: String,
}

/// How a release of a form came about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(in crate::desk) struct ReleaseDecision {
    /// The release.
    release: i32,
    /// The proposal it came of.
    proposal: ProposalId,
    /// `approved`, or `break_glass` where nobody voted.
    state: ProposalState,
    /// It was published without a vote.
    without_a_vote: bool,
    /// When it was decided.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    decided_at: Option<At>,
    /// The hash of the minutes.
    minutes: Option<String>,
}

/// `GET /v1/proposals`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::desk) struct ProposalQuery {
    /// Of this form.
    form: Option<String>,
    /// In this state.
    state: Option<ProposalState>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

impl Desk {
    /// Proposals, the newest first.
    pub(in crate::desk) async fn list_proposals(
        &self,
        actor: Actor,
        query: ProposalQuery,
    ) -> Result<Page<ListedProposal>> {
        actor.may(Permission::ReadProposals)?;
        let cursor = Cursor { after: query.after, limit: query.limit };
        let (place, limit) = (cursor.place::<(At, String)>()?, cursor.limit());
        let rows = self
            .db
            .read(move |conn| {
                store::proposals_page(conn, query.form.as_deref(), query.state, place, limit as i64 + 1)
            })
            .await?;
        let items = rows.into_iter().map(ListedProposal::of).collect();
        Ok(Page::of(items, limit, |proposal: &ListedProposal| (proposal.created_at, proposal.id.to_string())))
    }

    /// A proposal with its text, its votes and how they stand.
    pub(in crate::desk) async fn show_proposal(&self, actor: Actor, id: ProposalId) -> Result<ProposalView> {
        actor.may(Permission::ReadProposals)?;
        let room = self.clone();
        self.db.read(move |conn| room.view(conn, &id)).await
    }

    fn view(&self, conn: &mut DbConn, id: &ProposalId) -> Result<ProposalView> {
        let proposal = proposals::row(conn, id)?;
        let (version, frozen) = proposals::frozen(conn, id, proposal.n)?;
        let poll = poll(conn, &proposal)?;
        let rules = rules_for(self, &proposal)?;
        Ok(ProposalView {
            author: PersonView::of(conn, &proposal.author)?,
            votes: poll.votes.into_iter().map(|vote| VoteView::of(conn, vote)).collect::<Result<_>>()?,
            counts: poll.counts,
            needed: poll.counts.needed(rules),
            outcome: poll.counts.outcome(rules),
            void_votes: store::void_votes(conn, id, proposal.n)?,
            replays: replay::of(conn, &proposal.package_hash)?,
            draft_version: version.draft_version,
            follows: version.against,
            terms: json!(frozen.terms),
            sentences: frozen.sentences,
            changes: frozen.changes,
            cases: frozen.cases.len(),
            id: proposal.id,
            form: proposal.form,
            title: proposal.title,
            draft: proposal.draft_id,
            state: proposal.state,
            n: proposal.n,
            hash: proposal.hash,
            version: proposal.version,
            created_at: proposal.created_at,
            opened_at: proposal.opened_at,
            closes_at: proposal.closes_at,
            decided_at: proposal.decided_at,
            release: proposal.release_version,
            minutes: proposal.minutes_hash,
        })
    }

    /// The comments on a proposal, oldest first.
    pub(in crate::desk) async fn list_comments(
        &self,
        actor: Actor,
        id: ProposalId,
        cursor: Cursor,
    ) -> Result<Page<CommentView>> {
        actor.may(Permission::ReadProposals)?;
        let (place, limit) = (cursor.place::<(At, String)>()?, cursor.limit());
        let items = self
            .db
            .read(move |conn| {
                proposals::row(conn, &id)?;
                let rows = store::comments(conn, &id, place, limit as i64 + 1)?;
                rows.into_iter().map(|comment| comment_view(conn, comment)).collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(Page::of(items, limit, |comment: &CommentView| (comment.at, comment.id.clone())))
    }

    /// A comment that was just made.
    pub(in crate::desk) async fn show_comment(&self, comment: Comment) -> Result<CommentView> {
        self.db.read(move |conn| comment_view(conn, comment)).await
    }

    /// How each release of a form came about that did not come with the program.
    pub(in crate::desk) async fn decisions(
        &self,
        actor: Actor,
        form: String,
    ) -> Result<Page<ReleaseDecision>> {
        actor.may(Permission::ReadForms)?;
        let rows = self.db.read(move |conn| store::released(conn, &form)).await?;
        let one = |proposal: Proposal| ReleaseDecision {
            release: proposal.release_version.unwrap_or_default(),
            without_a_vote: proposal.state == ProposalState::BreakGlass,
            state: proposal.state,
            decided_at: proposal.decided_at,
            minutes: proposal.minutes_hash,
            proposal: proposal.id,
        };
        Ok(Page { items: rows.into_iter().map(one).collect(), next: None })
    }
}

fn comment_view(conn: &mut DbConn, comment: Comment) -> Result<CommentView> {
    Ok(CommentView {
        by: PersonView::of(conn, &comment.account_id)?,
        id: comment.id,
        at: comment.at,
        n: comment.n,
        answers: comment.answers,
        question: comment.question,
        body: comment.body,
    })
}
