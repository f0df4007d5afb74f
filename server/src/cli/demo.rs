//! The demo: one account for each role, and how to go on from there.

use super::say;
use crate::accounts::bootstrap::{self, FirstAccount};
use crate::accounts::random_password;
use crate::app::App;
use crate::error::{Error, Result};

/// Makes the accounts that are not there yet and prints all of them with their password.
pub(super) async fn accounts(app: &App, listen: &str, chosen: Option<String>) -> Result<()> {
    let db = app.db.clone();
    let password = chosen.map_or_else(random_password, Ok)?;
    let hashed = password.clone();
    let accounts = tokio::task::spawn_blocking(move || bootstrap::demo_accounts(&db, &hashed))
        .await
        .map_err(|cause| Error::internal("making the demo accounts", cause))??;
    table(&accounts, &password);
    facilities(app).await?;
    committee(app, &accounts).await?;
    walk_through(&format!("http://{listen}"), &accounts, &password);
    Ok(())
}

/// Seats the members of the Steering Committee. Keys they make themselves: docs/for-the-committee.md.
async fn committee(app: &App, accounts: &[FirstAccount]) -> Result<()> {
    let (room, members) = (app.desk.clone(), accounts.iter().map(|first| &first.account));
    let members = members.filter(|account| account.role == crate::accounts::Role::Committee);
    let members = members.map(|account| (account.id.clone(), account.chair)).collect();
    tokio::task::spawn_blocking(move || room.demo(members))
        .await
        .map_err(|cause| Error::internal("seating the demo committee", cause))?
}

/// Makes a few facilities to look at, and prints them.
async fn facilities(app: &App) -> Result<()> {
    let room = app.facilities.clone();
    let made = tokio::task::spawn_blocking(move || room.demo())
        .await
        .map_err(|cause| Error::internal("making the demo facilities", cause))??;
    say("");
    say(&format!("{:14}  {:12}  {:12}  {:24}  id", "facility", "kind", "status", "name"));
    for facility in &made {
        let name = facility.name_en.as_deref().unwrap_or_default();
        let status = facility.status.as_str();
        say(&format!("{:14}  {:12}  {status:12}  {name:24}  {}", facility.code, facility.kind, facility.id));
    }
    say("");
    Ok(())
}

fn table(accounts: &[FirstAccount], password: &str) {
    say(&format!("{:16}  {:20}  {:16}  {:8}  password", "account", "role", "area", "code"));
    for FirstAccount { account, is_new } in accounts {
        let role = match account.line {
            Some(line) if account.role == crate::accounts::Role::Supervisor => {
                format!("{} ({line})", account.role)
            }
            _ if account.chair => format!("{} (chair)", account.role),
            _ => account.role.to_string(),
        };
        let shown = if *is_new { password } else { "as set before" };
        say(&format!(
            "{:16}  {role:20}  {:16}  {:8}  {shown}",
            account.username,
            account.areas.join(" "),
            account.code
        ));
    }
}

fn walk_through(url: &str, accounts: &[FirstAccount], password: &str) {
    let password =
        if accounts.iter().any(|account| account.is_new) { password } else { "the password set before" };
    say("");
    say("Try it:");
    say(&format!("  TOKEN=$(curl -s {url}/v1/auth/login -H 'Content-Type: application/json' \\"));
    say(&format!(
        "    -d '{{\"username\":\"inspector\",\"password\":\"{password}\"}}' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
    ));
    say(&format!("  curl -s {url}/v1/me -H \"Authorization: Bearer $TOKEN\""));
    say(&format!("  curl -s {url}/v1/forms -H \"Authorization: Bearer $TOKEN\""));
    say("  README.md goes on from here: file an inspection, send a photo, check the receipt.");
    say("");
}
