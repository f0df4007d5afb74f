//! What the desk shows.

use form_engine::overlay::Operation;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Desk;
use super::deciding::{poll, rules_for};
use super::drafts::{self, Opened};
use super::engine;
use super::freezing::changes;
use super::minutes::{Person, person};
use super::model::{
    Changed, Choice, Comment, Draft, DraftId, DraftState, DraftVersion, How, KeyState, MemberKey, Proposal,
    ProposalId, ProposalState, Seat, Term, Texts, Vote,
};
use super::proposals;
use super::rules::{BreakGlassRules, Deciding, Governed};
use super::store;
use super::tally::{Counts, Outcome};
use crate::accounts::{Actor, Permission};
use crate::db::{At, DbConn};
use crate::error::Result;
use crate::forms;
use crate::http::{Cursor, Page};
use crate::replay::{self, ReplayView};

/// Somebody.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DeskPerson)]
pub(super) struct PersonView {
    /// The account.
    pub(super) account: String,
    /// The name.
    pub(super) name: String,
    /// The code.
    pub(super) code: String,
}

impl PersonView {
    fn of(conn: &mut DbConn, account: &str) -> Result<PersonView> {
        let Person { account, name, code } = person(conn, account)?;
        Ok(PersonView { account, name, code })
    }
}

/// A draft in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ListedDraft {
    /// Its id.
    id: DraftId,
    /// The form's code.
    form: String,
    /// What it is for.
    title: String,
    /// Who writes it.
    author: String,
    /// Where it stands.
    state: DraftState,
    /// The number of its newest version.
    version: i32,
    /// When it was last changed.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    changed_at: At,
}

impl ListedDraft {
    fn of(draft: Draft) -> ListedDraft {
        ListedDraft {
            id: draft.id,
            form: draft.form,
            title: draft.title,
            author: draft.author,
            state: draft.state,
            version: draft.version,
            changed_at: draft.changed_at,
        }
    }
}

/// A draft at one of its versions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Draft)]
pub(super) struct DraftView {
    /// Its id.
    id: DraftId,
    /// The form's code.
    form: String,
    /// What it is for.
    title: String,
    /// Who writes it.
    author: PersonView,
    /// Where it stands.
    state: DraftState,
    /// The version shown; the newest is also the `ETag`.
    pub(super) version: i32,
    /// The number of the newest version.
    latest: i32,
    /// How this version came about.
    how: How,
    /// Hash of its base.
    base: String,
    /// The base's number.
    base_version: i32,
    /// The release it would follow.
    follows: i32,
    /// What is done to the base.
    #[schema(value_type = Vec<Object>)]
    operations: Vec<Operation>,
    /// Every operation as a sentence, by language.
    #[schema(value_type = Vec<Object>)]
    sentences: Vec<Texts>,
    /// Cases of the draft's own.
    #[schema(value_type = Vec<Object>)]
    cases: Vec<Value>,
    /// How many cases it is tried on, those of the base among them.
    cases_in_all: usize,
    /// When this version was saved.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    saved_at: At,
}

impl DraftView {
    fn of(conn: &mut DbConn, opened: Opened) -> Result<DraftView> {
        Ok(DraftView {
            author: PersonView::of(conn, &opened.draft.author)?,
            sentences: engine::sentences(&opened.written.operations, &opened.base.package),
            cases_in_all: opened.cases().len(),
            id: opened.draft.id,
            form: opened.draft.form,
            title: opened.version.title,
            state: opened.draft.state,
            version: opened.version.n,
            latest: opened.draft.version,
            how: opened.version.how,
            base: opened.base.hash,
            base_version: opened.base.version,
            follows: opened.against,
            operations: opened.written.operations,
            cases: opened.written.cases,
            saved_at: opened.version.at,
        })
    }
}

/// A save of a draft in its history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DraftSaved {
    /// Its number.
    pub(super) version: i32,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    at: At,
    /// By which account.
    by: Option<String>,
    /// How it came about.
    how: How,
    /// Hash of its base.
    base: String,
    /// Its title then.
    title: String,
    /// How many operations it had.
    operations: usize,
}

/// What a draft changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct DraftChanges {
    /// Hash of the package that would come of it.
    hash: String,
    /// Against the base.
    base: Vec<Changed>,
    /// Against the release there is.
    release: Vec<Changed>,
}

/// A proposal in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ListedProposal {
    /// Its id.
    pub(super) id: ProposalId,
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
    pub(super) created_at: At,
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
pub(super) struct VoteView {
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
pub(super) struct ProposalView {
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
    pub(super) version: i32,
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
pub(super) struct CommentView {
    /// Its id.
    pub(super) id: String,
    /// Who says it.
    by: PersonView,
    /// When.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    pub(super) at: At,
    /// Which version of the proposal it was said of.
    n: i32,
    /// The comment it answers.
    answers: Option<String>,
    /// What it is about.
    question: Option<String>,
    /// What is said.
    body: String,
}

/// The Committee: who sits on it, and how it decides.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Committee)]
pub(super) struct CommitteeView {
    /// Questionnaires that change only by a vote.
    governs: Vec<Governed>,
    /// The rules in force.
    rules: Deciding,
    /// Publishing without a vote.
    break_glass: BreakGlassRules,
    /// Every term, those that have ended among them.
    members: Vec<TermView>,
}

/// A term of office.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CommitteeMember)]
pub(super) struct TermView {
    /// Its id.
    id: String,
    /// Who.
    #[serde(flatten)]
    person: PersonView,
    /// As what.
    role: Seat,
    /// From.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    from: At,
    /// Up to, not including.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    until: Option<At>,
    /// Whether it runs now.
    in_office: bool,
    /// The notification it rests on.
    basis: String,
    /// Why it was ended.
    ended_because: Option<String>,
}

impl TermView {
    pub(super) fn of(conn: &mut DbConn, term: Term, now: At) -> Result<TermView> {
        Ok(TermView {
            person: PersonView::of(conn, &term.account_id)?,
            in_office: term.runs_at(now),
            id: term.id,
            role: term.role,
            from: term.from_at,
            until: term.until_at,
            basis: term.basis,
            ended_because: term.ended_because,
        })
    }
}

/// A member's key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MemberKey)]
pub(super) struct KeyView {
    /// RFC 7638 thumbprint: how votes name it.
    id: String,
    /// Whose.
    account: String,
    /// The public key, base64url.
    public_key: String,
    /// Whether it counts.
    state: KeyState,
    /// Since when it is known.
    #[schema(value_type = chrono::DateTime<chrono::Utc>)]
    registered_at: At,
    /// Who confirmed it.
    confirmed_by: Option<String>,
}

impl From<MemberKey> for KeyView {
    fn from(key: MemberKey) -> KeyView {
        KeyView {
            id: key.id,
            account: key.account_id,
            public_key: key.public_key,
            state: key.state,
            registered_at: key.registered_at,
            confirmed_by: key.confirmed_by,
        }
    }
}

/// How a release of a form came about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ReleaseDecision {
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

/// `GET /v1/drafts`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DraftQuery {
    /// Of this form.
    form: Option<String>,
    /// By this account.
    author: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    /// Items on a page: 1 to 500, 50 unless told.
    limit: Option<u16>,
}

/// `GET /v1/proposals`
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ProposalQuery {
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
    /// Drafts, those changed last first.
    pub(super) async fn list_drafts(&self, actor: Actor, query: DraftQuery) -> Result<Page<ListedDraft>> {
        actor.may(Permission::ReadProposals)?;
        let cursor = Cursor { after: query.after, limit: query.limit };
        let (place, limit) = (cursor.place::<(At, String)>()?, cursor.limit());
        let rows = self
            .db
            .read(move |conn| {
                store::drafts_page(
                    conn,
                    query.form.as_deref(),
                    query.author.as_deref(),
                    place,
                    limit as i64 + 1,
                )
            })
            .await?;
        let items = rows.into_iter().map(ListedDraft::of).collect();
        Ok(Page::of(items, limit, |draft: &ListedDraft| (draft.changed_at, draft.id.to_string())))
    }

    /// A draft, at its newest version or another.
    pub(super) async fn show_draft(&self, actor: Actor, id: DraftId, n: Option<i32>) -> Result<DraftView> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let opened = drafts::opened(conn, &id, n)?;
                DraftView::of(conn, opened)
            })
            .await
    }

    /// The saves of a draft, the last first.
    pub(super) async fn draft_history(
        &self,
        actor: Actor,
        id: DraftId,
        cursor: Cursor,
    ) -> Result<Page<DraftSaved>> {
        actor.may(Permission::ReadProposals)?;
        let (before, limit) = (cursor.place::<i32>()?, cursor.limit());
        let one = |row: DraftVersion| {
            let written: super::model::Written = row.content.read()?;
            Ok(DraftSaved {
                version: row.n,
                at: row.at,
                by: row.account_id,
                how: row.how,
                base: row.base,
                title: row.title,
                operations: written.operations.len(),
            })
        };
        let items = self
            .db
            .read(move |conn| {
                drafts::row(conn, &id)?;
                store::draft_history(conn, &id, before, limit as i64 + 1)?
                    .into_iter()
                    .map(one)
                    .collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(Page::of(items, limit, |saved: &DraftSaved| saved.version))
    }

    /// The package a draft leads to.
    pub(super) async fn draft_package(&self, actor: Actor, id: DraftId) -> Result<Value> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let package = drafts::opened(conn, &id, None)?.package()?;
                Ok(json!({ "hash": package.hash(), "package": package }))
            })
            .await
    }

    /// What a draft changes, against its base and against the release there is.
    pub(super) async fn draft_changes(&self, actor: Actor, id: DraftId) -> Result<DraftChanges> {
        actor.may(Permission::ReadProposals)?;
        self.db
            .read(move |conn| {
                let opened = drafts::opened(conn, &id, None)?;
                let package = opened.package()?;
                let release = forms::package(conn, &opened.draft.form, opened.standing)?;
                Ok(DraftChanges {
                    hash: package.hash(),
                    base: changes(Some(&opened.base.package), &package),
                    release: changes(release.as_ref(), &package),
                })
            })
            .await
    }

    /// Proposals, the newest first.
    pub(super) async fn list_proposals(
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
    pub(super) async fn show_proposal(&self, actor: Actor, id: ProposalId) -> Result<ProposalView> {
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
    pub(super) async fn list_comments(
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
    pub(super) async fn show_comment(&self, comment: Comment) -> Result<CommentView> {
        self.db.read(move |conn| comment_view(conn, comment)).await
    }

    /// The Committee.
    pub(super) async fn committee(&self, actor: Actor) -> Result<CommitteeView> {
        actor.may(Permission::ReadProposals)?;
        let now = At::from(self.clock.now());
        let members = self
            .db
            .read(move |conn| {
                let terms = store::terms(conn)?;
                terms.into_iter().map(|term| TermView::of(conn, term, now)).collect::<Result<Vec<_>>>()
            })
            .await?;
        Ok(CommitteeView {
            governs: self.rules.governs.clone(),
            rules: self.rules.at(now)?.clone(),
            break_glass: self.rules.break_glass.clone(),
            members,
        })
    }

    /// A term of office as it is shown.
    pub(super) async fn show_term(&self, term: Term) -> Result<TermView> {
        let now = At::from(self.clock.now());
        self.db.read(move |conn| TermView::of(conn, term, now)).await
    }

    /// Every member's keys.
    pub(super) async fn list_keys(&self, actor: Actor) -> Result<Page<KeyView>> {
        actor.may(Permission::ReadProposals)?;
        let rows = self.db.read(|conn| store::keys(conn, None)).await?;
        Ok(Page { items: rows.into_iter().map(KeyView::from).collect(), next: None })
    }

    /// How each release of a form came about that did not come with the program.
    pub(super) async fn decisions(&self, actor: Actor, form: String) -> Result<Page<ReleaseDecision>> {
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
