//! Proposals, votes and comments as they are shown, and how releases came about.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PersonView;
use crate::accounts::{Actor, Permission, Role};
use crate::db::{At, DbConn};
use crate::desk::consents::{self, Asked};
use crate::desk::deciding::{poll, rules_for};
use crate::desk::model::{
    Answer, Changed, Choice, Comment, DraftId, Proposal, ProposalId, ProposalState, Texts, Vote,
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

/// A head of department whose consent is asked for, and what was said.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProposalConsent)]
pub(in crate::desk) struct ConsentView {
    /// Of which department: accounts of this role answer.
    head: Role,
    /// What the head is called, by language.
    #[schema(value_type = Object)]
    title: Texts,
    /// Without it no vote is opened.
    required: bool,
    /// What was said; null: nothing.
    said: Option<SaidView>,
}

/// What a head of department said.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConsentSaid)]
pub(in crate::desk) struct SaidView {
    /// Who.
    by: PersonView,
    /// Consent, or refusal.
    answer: Answer,
    /// Why.
    reason: String,
    /// When it was signed, by the head's clock.
    at: String,
    /// When it came.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    received_at: At,
    /// The name of the key.
    key: String,
    /// The signature.
    signature: String,
}

impl ConsentView {
    fn of(conn: &mut DbConn, asked: Asked) -> Result<ConsentView> {
        let said = asked.said.map(|said| -> Result<SaidView> {
            Ok(SaidView {
                by: PersonView::of(conn, &said.account_id)?,
                answer: said.answer,
                reason: said.reason,
                at: said.signed_at,
                received_at: said.received_at,
                key: said.key_id,
                signature: said.signature,
            })
        });
        Ok(ConsentView {
            head: asked.head,
            title: asked.title,
            required: asked.required,
            said: said.transpose()?,
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
    /// Heads of departments who are asked to consent to this version, and what they said.
    consents: Vec<ConsentView>,
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
        let sight = self.sight(&actor)?;
        let ProposalQuery { form, state, after, limit } = query;
        let place = |proposal: &ListedProposal| (proposal.created_at, proposal.id.to_string());
        self.paged(Cursor { after, limit }, place, move |conn, after, limit| {
            let wanted = store::Wanted { form: form.as_deref(), state, of: sight.forms(), after, limit };
            Ok(store::proposals_page(conn, &wanted)?.into_iter().map(ListedProposal::of).collect())
        })
        .await
    }

    /// A proposal with its text, its votes and how they stand.
    pub(in crate::desk) async fn show_proposal(&self, actor: Actor, id: ProposalId) -> Result<ProposalView> {
        let (sight, room) = (self.sight(&actor)?, self.clone());
        self.db
            .read(move |conn| {
                let proposal = sight.proposal(conn, &id)?;
                room.view(conn, proposal)
            })
            .await
    }

    fn view(&self, conn: &mut DbConn, proposal: Proposal) -> Result<ProposalView> {
        let id = &proposal.id;
        let (version, frozen) = proposals::frozen(conn, id, proposal.n)?;
        let poll = poll(conn, &proposal)?;
        let rules = rules_for(self, &proposal)?;
        let asked = consents::asked(self, conn, &proposal, &frozen)?;
        Ok(ProposalView {
            author: PersonView::of(conn, &proposal.author)?,
            votes: poll.votes.into_iter().map(|vote| VoteView::of(conn, vote)).collect::<Result<_>>()?,
            counts: poll.counts,
            needed: poll.counts.needed(rules),
            outcome: poll.counts.outcome(rules),
            void_votes: store::void_votes(conn, id, proposal.n)?,
            consents: asked.into_iter().map(|asked| ConsentView::of(conn, asked)).collect::<Result<_>>()?,
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
        let sight = self.sight(&actor)?;
        let place = |comment: &CommentView| (comment.at, comment.id.clone());
        self.paged(cursor, place, move |conn, after, limit| {
            sight.proposal(conn, &id)?;
            let rows = store::comments(conn, &id, after, limit)?;
            rows.into_iter().map(|comment| comment_view(conn, comment)).collect()
        })
        .await
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
