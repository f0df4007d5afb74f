//! Who sits on the Committee. The chair or the deputy appoints; only while there is neither does the administrator, and then a
//! chair alone: whoever runs the machine must not choose who decides.

use serde_json::json;

use crate::accounts::{self, AccountId, AccountStatus, Actor, Permission, Role};
use crate::audit::{self, Event};
use crate::db::{At, By, DbConn, Tx};
use crate::desk::Desk;
use crate::desk::model::{Seat, Term};
use crate::desk::requests::{NewMember, needed_words};
use crate::desk::tally::MOST_MEMBERS;
use crate::desk::{days, notices, store};
use crate::error::{Error, Result};

/// The terms that run at an instant, one a person.
pub(in crate::desk) fn in_office(conn: &mut DbConn, at: At) -> Result<Vec<Term>> {
    let mut running: Vec<Term> = Vec::new();
    for term in store::terms(conn)?.into_iter().filter(|term| term.runs_at(at)) {
        running.retain(|earlier| earlier.account_id != term.account_id);
        running.push(term);
    }
    Ok(running)
}

/// What somebody sits on the Committee as, at an instant.
pub(in crate::desk) fn seat_of(conn: &mut DbConn, account: &str, at: At) -> Result<Option<Seat>> {
    let terms = in_office(conn, at)?;
    Ok(terms.iter().find(|term| term.account_id == account).map(|term| term.role))
}

/// Passes those in office; with which seat.
pub(in crate::desk) fn must_sit(conn: &mut DbConn, account: &str, at: At) -> Result<Seat> {
    seat_of(conn, account, at)?.ok_or_else(|| {
        Error::forbidden(
            "not_in_office",
            "no term of office of yours runs now; the chair appoints (POST /v1/committee/members)",
        )
    })
}

/// Passes those who vote.
pub(in crate::desk) fn must_vote(conn: &mut DbConn, account: &str, at: At) -> Result<Seat> {
    let seat = must_sit(conn, account, at)?;
    match seat.votes() {
        true => Ok(seat),
        false => Err(Error::forbidden("observers_do_not_vote", "observers comment; they have no vote")),
    }
}

/// Passes the chair and the deputy.
pub(in crate::desk) fn must_lead(conn: &mut DbConn, account: &str, at: At) -> Result<()> {
    match seat_of(conn, account, at)? {
        Some(Seat::Chair | Seat::Deputy) => Ok(()),
        _ => Err(Error::forbidden("not_leading", "only the chair or the deputy in office may do this")),
    }
}

impl Desk {
    /// Appoints somebody.
    pub(in crate::desk) async fn appoint(&self, actor: Actor, new: NewMember) -> Result<Term> {
        actor.may(Permission::ManageCommittee)?;
        let basis = needed_words("basis", &new.basis)?;
        let from = new.from.as_deref().map(|text| days::read("from", text)).transpose()?;
        let until = new.until.as_deref().map(|text| days::read("until", text)).transpose()?;
        let account = AccountId::from(new.account);
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                let (from, until) = window(now, from, until)?;
                may_appoint(tx, &actor, new.role, now)?;
                may_be_appointed(tx.conn, &account, new.role, from, until)?;
                let term = Term {
                    id: tx.new_id().to_string(),
                    account_id: account.to_string(),
                    role: new.role,
                    from_at: from,
                    until_at: until,
                    basis: basis.clone(),
                    appointed_at: now,
                    appointed_by: tx.by.account.clone(),
                    ended_because: None,
                };
                store::insert_term(tx.conn, &term)?;
                let details = json!({ "account": term.account_id, "role": term.role, "from": term.from_at, "until": term.until_at });
                audit::record(tx, Event::new("committee.appointed", "term", &term.id, details))?;
                notices::of_committee(tx, "committee.appointed", &format!("term:{}", term.id))?;
                Ok(term)
            })
            .await
    }

    /// Seats these people where nobody sat yet, the chair told: for the demo. Blocking.
    pub fn demo(&self, people: Vec<(AccountId, bool)>) -> Result<()> {
        self.db.write_here(By::system(), move |tx| {
            if !store::terms(tx.conn)?.is_empty() {
                return Ok(());
            }
            let now = At::from(tx.now());
            for (account, chair) in &people {
                let term = Term {
                    id: tx.new_id().to_string(),
                    account_id: account.to_string(),
                    role: if *chair { Seat::Chair } else { Seat::Member },
                    from_at: now,
                    until_at: None,
                    basis: "The demo's own notification".to_owned(),
                    appointed_at: now,
                    appointed_by: None,
                    ended_because: None,
                };
                store::insert_term(tx.conn, &term)?;
                let details = json!({ "account": term.account_id, "role": term.role });
                audit::record(tx, Event::new("committee.appointed", "term", &term.id, details))?;
            }
            Ok(())
        })
    }

    /// Ends a term now.
    pub(in crate::desk) async fn end_term(&self, actor: Actor, id: String, reason: String) -> Result<Term> {
        actor.may(Permission::ManageCommittee)?;
        let reason = needed_words("reason", &reason)?;
        self.db
            .write(actor.by(), move |tx| {
                let now = At::from(tx.now());
                must_lead(tx.conn, actor.account.as_str(), now)?;
                let unknown = || {
                    Error::not_found(
                        "term_unknown",
                        format!("there is no term {id}; GET /v1/committee lists them"),
                    )
                };
                let term = store::term(tx.conn, &id)?.ok_or_else(unknown)?;
                if term.until_at.is_some_and(|until| until <= now)
                    || !store::end_term(tx.conn, &id, now, &reason)?
                {
                    return Err(Error::conflict("term_ended", format!("term {id} has ended already")));
                }
                audit::record(
                    tx,
                    Event::new(
                        "committee.ended",
                        "term",
                        &id,
                        json!({ "account": term.account_id, "role": term.role }),
                    ),
                )?;
                notices::of_committee(tx, "committee.ended", &format!("term:{id}"))?;
                store::term(tx.conn, &id)?.ok_or_else(unknown)
            })
            .await
    }
}

fn window(now: At, from: Option<At>, until: Option<At>) -> Result<(At, Option<At>)> {
    let from = from.unwrap_or(now);
    match until {
        Some(until) if until <= from || until <= now => {
            Err(Error::invalid("bad_term", "`until` must come after `from`, and must not have passed"))
        }
        until => Ok((from, until)),
    }
}

fn may_appoint(tx: &mut Tx, actor: &Actor, role: Seat, now: At) -> Result<()> {
    if actor.role != Role::Admin {
        return must_lead(tx.conn, actor.account.as_str(), now);
    }
    let led = in_office(tx.conn, now)?.iter().any(|term| matches!(term.role, Seat::Chair | Seat::Deputy));
    match (led, role) {
        (false, Seat::Chair) => Ok(()),
        (false, _) => Err(Error::forbidden(
            "chair_first",
            "the Committee has no chair: appoint one by its notification, and the chair appoints the others",
        )),
        (true, _) => Err(Error::forbidden(
            "chair_appoints",
            "the Committee has a chair or deputy in office, who appoints; an administrator does not choose who decides",
        )),
    }
}

fn may_be_appointed(
    conn: &mut DbConn,
    account: &AccountId,
    role: Seat,
    from: At,
    until: Option<At>,
) -> Result<()> {
    let found = accounts::account(conn, account)?.filter(|account| account.status == AccountStatus::Active);
    if found.is_none_or(|account| account.role != Role::Committee) {
        return Err(Error::invalid(
            "member_account",
            "`account` must be an active account of role committee; the administrator makes accounts",
        ));
    }
    let meets = |term: &Term| {
        term.until_at.is_none_or(|end| from < end) && until.is_none_or(|until| term.from_at < until)
    };
    let terms: Vec<Term> = store::terms(conn)?.into_iter().filter(meets).collect();
    if terms.iter().any(|term| term.account_id == account.as_str()) {
        return Err(Error::conflict(
            "already_in_office",
            "a term of this person runs in that time; end it first",
        ));
    }
    if role == Seat::Chair && terms.iter().any(|term| term.role == Seat::Chair) {
        return Err(Error::conflict("chair_in_office", "there is a chair in that time; end that term first"));
    }
    match terms.iter().filter(|term| term.role.votes()).count() < MOST_MEMBERS || !role.votes() {
        true => Ok(()),
        false => Err(Error::conflict(
            "committee_full",
            format!("a Committee has {MOST_MEMBERS} voting members at most"),
        )),
    }
}
