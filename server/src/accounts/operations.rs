//! Every operation of the service and whom it is for, one a line. A new operation is one line here; the file
//! `server/permissions.txt` is written from this table, and a test says how to refresh it when it has drifted.

use std::fmt::Write;

use super::permissions::{Kind, Permission as P, Post, Reach, Scope};

/// Whom an operation is for.
#[derive(Clone, Copy, Debug)]
pub enum Access {
    /// Anyone, logged in or not.
    Anyone,
    /// Anyone who is logged in.
    LoggedIn,
    /// Those with at least one of the permissions.
    Any(&'static [P]),
}

/// One operation: `PUT /v1/submissions/{id}`.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Whom it is for.
    pub access: Access,
}

const fn anyone(method: &'static str, path: &'static str) -> Operation {
    Operation { method, path, access: Access::Anyone }
}

const fn logged_in(method: &'static str, path: &'static str) -> Operation {
    Operation { method, path, access: Access::LoggedIn }
}

const fn any(method: &'static str, path: &'static str, permissions: &'static [P]) -> Operation {
    Operation { method, path, access: Access::Any(permissions) }
}

const FILE: &[P] = &[P::FileInspections, P::FileAudits, P::FileToolkit];
const REVIEW: &[P] = &[P::ReviewInspections, P::ReviewAudits, P::ReviewToolkit];
/// The Committee's own; and heads of departments, of what they are asked to consent to.
const READ_PROPOSALS: &[P] = &[P::ReadProposals, P::ConsentToProposals];
/// Whoever signs at the desk has a key there.
const SIGN: &[P] = &[P::VoteOnProposals, P::ConsentToProposals];
const READ: &[P] = &[P::ReadInspections, P::ReadAudits, P::ReadToolkit];

/// The operations.
pub const OPERATIONS: &[Operation] = &[
    anyone("POST", "/v1/auth/login"),
    anyone("POST", "/v1/auth/refresh"),
    logged_in("POST", "/v1/auth/logout"),
    anyone("GET", "/.well-known/jwks.json"),
    logged_in("GET", "/v1/me"),
    any("GET", "/v1/accounts", &[P::ReadAccounts]),
    any("POST", "/v1/accounts", &[P::ManageAccounts]),
    any("GET", "/v1/accounts/{id}", &[P::ReadAccounts]),
    any("PATCH", "/v1/accounts/{id}", &[P::ManageAccounts]),
    // One's own password, with the present one; anybody else's needs accounts.manage.
    logged_in("POST", "/v1/accounts/{id}/password"),
    any("GET", "/v1/devices", &[P::ReadDevices]),
    any("POST", "/v1/devices/{id}/revoke", &[P::ManageDevices]),
    any("GET", "/v1/forms", &[P::ReadForms]),
    any("GET", "/v1/forms/{form}", &[P::ReadForms]),
    any("GET", "/v1/forms/{form}/releases/{version}", &[P::ReadForms]),
    any("POST", "/v1/forms/{form}/releases/{version}/widen", &[P::PublishForms]),
    any("POST", "/v1/forms/{form}/releases/{version}/roll-back", &[P::PublishForms]),
    any("POST", "/v1/forms/{form}/releases/{version}/retire", &[P::PublishForms]),
    any("GET", "/v1/forms/{form}/rollout", &[P::WatchRollouts]),
    any("POST", "/v1/replays", &[P::ReplayForms]),
    any("GET", "/v1/replays", &[P::ReplayForms]),
    any("GET", "/v1/replays/{id}", &[P::ReplayForms]),
    any("PUT", "/v1/submissions/{id}", FILE),
    any("POST", "/v1/submissions/batch", FILE),
    any("POST", "/v1/submissions/{id}/corrections", FILE),
    any("POST", "/v1/submissions/{id}/review", REVIEW),
    any("PUT", "/v1/submissions/{id}/review-answers", REVIEW),
    any("GET", "/v1/submissions/{id}/decisions", READ),
    any("GET", "/v1/submissions/{id}/diff", READ),
    any("GET", "/v1/review-queue", REVIEW),
    any("POST", "/v1/review-queue/accept", REVIEW),
    any("GET", "/v1/submissions", READ),
    any("GET", "/v1/submissions/{id}", READ),
    any("GET", "/v1/submissions/{id}/revisions", READ),
    any("GET", "/v1/submissions/{id}/revisions/{n}", READ),
    any("GET", "/v1/submissions/{id}/raw", &[P::ReadRaw]),
    any("PUT", "/v1/submissions/{id}/media/{name}", FILE),
    any("GET", "/v1/submissions/{id}/media/{name}", &[P::ReadPhotos]),
    any("GET", "/v1/submissions/{id}/employer-copy", &[P::PrintEmployerCopy]),
    any("GET", "/v1/findings", &[P::ReadFindings]),
    any("GET", "/v1/findings/{id}", &[P::ReadFindings]),
    any("POST", "/v1/findings/{id}/transitions", &[P::WorkFindings]),
    any("POST", "/v1/findings/{id}/severity", &[P::RaiseFindings]),
    any("POST", "/v1/findings/{id}/proposal", &[P::DecideFindings]),
    any("POST", "/v1/findings/{id}/pause", &[P::WorkFindings]),
    any("POST", "/v1/findings/{id}/resume", &[P::WorkFindings]),
    any("POST", "/v1/findings/{id}/referrals", &[P::CreateReferrals]),
    any("GET", "/v1/referrals", &[P::ReadReferrals]),
    any("GET", "/v1/referrals/{id}", &[P::ReadReferrals]),
    any("POST", "/v1/referrals/{id}/transitions", &[P::AnswerReferrals]),
    any("POST", "/v1/referrals/{id}/approval", &[P::ApproveReferrals]),
    any("POST", "/v1/referrals/{id}/voice", &[P::CreateReferrals]),
    any("GET", "/v1/assignments", &[P::ReadAssignments]),
    any("POST", "/v1/assignments", &[P::MakeAssignments]),
    any("GET", "/v1/assignments/{id}", &[P::ReadAssignments]),
    any("POST", "/v1/assignments/{id}/take", &[P::TakeAssignments]),
    any("POST", "/v1/assignments/{id}/assign", &[P::MakeAssignments]),
    any("POST", "/v1/assignments/{id}/cancel", &[P::MakeAssignments]),
    any("GET", "/v1/planner", &[P::PlanVisits]),
    any("POST", "/v1/planner/assignments", &[P::MakeAssignments]),
    any("GET", "/v1/sync", FILE),
    anyone("OPTIONS", "/v1/uploads"),
    any("POST", "/v1/uploads", FILE),
    anyone("OPTIONS", "/v1/uploads/{id}"),
    any("HEAD", "/v1/uploads/{id}", FILE),
    any("PATCH", "/v1/uploads/{id}", FILE),
    any("DELETE", "/v1/uploads/{id}", FILE),
    any("POST", "/v1/uploads/{id}", FILE),
    any("GET", "/v1/quarantine", &[P::ManageQuarantine]),
    any("POST", "/v1/quarantine/{id}/reprocess", &[P::ManageQuarantine]),
    any("GET", "/v1/facilities", &[P::ReadFacilities]),
    any("GET", "/v1/facilities/coverage", &[P::CountFacilities]),
    any("POST", "/v1/facilities/import", &[P::UpdateFacilities]),
    any("GET", "/v1/facilities/export", &[P::UpdateFacilities]),
    any("PUT", "/v1/facilities/{id}", &[P::RegisterFacilities]),
    any("GET", "/v1/facilities/{id}", &[P::ReadFacilities]),
    any("PATCH", "/v1/facilities/{id}", &[P::UpdateFacilities]),
    any("GET", "/v1/facilities/{id}/history", &[P::ReadFacilities]),
    any("GET", "/v1/facilities/{id}/duplicates", &[P::ReadFacilities]),
    any("POST", "/v1/facilities/{id}/confirm", &[P::UpdateFacilities]),
    any("POST", "/v1/facilities/{id}/close", &[P::UpdateFacilities]),
    any("POST", "/v1/facilities/{id}/reopen", &[P::UpdateFacilities]),
    any("POST", "/v1/facilities/{id}/merge", &[P::MergeFacilities]),
    any("POST", "/v1/facilities/{id}/unmerge", &[P::MergeFacilities]),
    any("GET", "/v1/forms/{form}/compare", &[P::ReadProposals]),
    any("GET", "/v1/forms/{form}/decisions", &[P::ReadForms]),
    any("GET", "/v1/questions", &[P::ReadForms]),
    any("GET", "/v1/bases", &[P::ReadProposals]),
    any("POST", "/v1/bases", &[P::BringBases]),
    any("GET", "/v1/bases/{hash}", &[P::ReadProposals]),
    any("GET", "/v1/drafts", &[P::ReadProposals]),
    any("POST", "/v1/drafts", &[P::WriteDrafts]),
    any("GET", "/v1/drafts/{id}", &[P::ReadProposals]),
    any("PUT", "/v1/drafts/{id}", &[P::WriteDrafts]),
    any("GET", "/v1/drafts/{id}/history", &[P::ReadProposals]),
    any("GET", "/v1/drafts/{id}/versions/{version}", &[P::ReadProposals]),
    any("POST", "/v1/drafts/{id}/restore", &[P::WriteDrafts]),
    any("POST", "/v1/drafts/{id}/close", &[P::WriteDrafts]),
    any("GET", "/v1/drafts/{id}/package", &[P::ReadProposals]),
    any("GET", "/v1/drafts/{id}/changes", &[P::ReadProposals]),
    any("GET", "/v1/drafts/{id}/stored", &[P::ReadProposals]),
    any("GET", "/v1/drafts/{id}/check", &[P::ReadProposals]),
    any("POST", "/v1/drafts/{id}/check", &[P::ReadProposals]),
    any("GET", "/v1/drafts/{id}/cases", &[P::ReadProposals]),
    any("POST", "/v1/drafts/{id}/cases/accept", &[P::WriteDrafts]),
    any("POST", "/v1/drafts/{id}/try", &[P::ReadProposals]),
    any("POST", "/v1/drafts/{id}/take", &[P::WriteDrafts]),
    any("GET", "/v1/drafts/{id}/translations", &[P::ReadProposals]),
    any("PUT", "/v1/drafts/{id}/translations", &[P::WriteDrafts]),
    any("GET", "/v1/drafts/{id}/translations/{language}", &[P::ReadProposals]),
    any("GET", "/v1/drafts/{id}/workbook", &[P::ReadProposals]),
    any("PUT", "/v1/drafts/{id}/workbook", &[P::WriteDrafts]),
    any("GET", "/v1/drafts/{id}/rebase", &[P::ReadProposals]),
    any("POST", "/v1/drafts/{id}/rebase", &[P::WriteDrafts]),
    any("GET", "/v1/proposals", READ_PROPOSALS),
    any("POST", "/v1/proposals", &[P::WriteDrafts]),
    any("GET", "/v1/proposals/{id}", READ_PROPOSALS),
    any("PUT", "/v1/proposals/{id}", &[P::WriteDrafts]),
    any("GET", "/v1/proposals/{id}/package", READ_PROPOSALS),
    any("GET", "/v1/proposals/{id}/readiness", READ_PROPOSALS),
    any("GET", "/v1/proposals/{id}/stored", READ_PROPOSALS),
    any("POST", "/v1/proposals/{id}/replay", &[P::ReplayForms]),
    any("POST", "/v1/proposals/{id}/open", &[P::WriteDrafts]),
    any("POST", "/v1/proposals/{id}/withdraw", &[P::WriteDrafts]),
    any("GET", "/v1/proposals/{id}/comments", READ_PROPOSALS),
    any("POST", "/v1/proposals/{id}/comments", &[P::CommentOnProposals]),
    any("POST", "/v1/proposals/{id}/votes", &[P::VoteOnProposals]),
    any("POST", "/v1/proposals/{id}/consent", &[P::ConsentToProposals]),
    any("GET", "/v1/proposals/{id}/minutes", READ_PROPOSALS),
    any("GET", "/v1/proposals/{id}/minutes.html", READ_PROPOSALS),
    any("POST", "/v1/proposals/{id}/break-glass", &[P::AskBreakGlass]),
    any("GET", "/v1/break-glass", &[P::ReadProposals]),
    any("POST", "/v1/break-glass/{id}/agree", &[P::AgreeToBreakGlass]),
    any("POST", "/v1/break-glass/{id}/refuse", &[P::AgreeToBreakGlass]),
    any("GET", "/v1/committee", READ_PROPOSALS),
    any("POST", "/v1/committee/members", &[P::ManageCommittee]),
    any("POST", "/v1/committee/members/{id}/end", &[P::ManageCommittee]),
    any("GET", "/v1/committee/keys", READ_PROPOSALS),
    any("POST", "/v1/committee/keys", SIGN),
    any("POST", "/v1/committee/keys/{id}/confirm", &[P::VoteOnProposals]),
    any("POST", "/v1/committee/keys/{id}/revoke", SIGN),
    any("GET", "/v1/places/locate", &[P::ReadPlaces]),
    any("GET", "/v1/places/boundaries", &[P::ReadPlaces]),
    any("GET", "/v1/places/boundaries/{set}.geojson", &[P::ReadPlaces]),
    any("GET", "/v1/audit", &[P::ReadAudit, P::ReadOperationsLog]),
    logged_in("GET", "/v1/me/notifications"),
    logged_in("PUT", "/v1/me/notifications"),
    logged_in("POST", "/v1/me/notifications/confirmation"),
    logged_in("POST", "/v1/me/notifications/letter"),
    any("GET", "/v1/accounts/{id}/notifications", &[P::ManageAccounts]),
    any("PUT", "/v1/accounts/{id}/notifications", &[P::ManageAccounts]),
    any("GET", "/v1/webhooks", &[P::ManageNotifications]),
    any("POST", "/v1/webhooks", &[P::ManageNotifications]),
    any("GET", "/v1/webhooks/{id}", &[P::ManageNotifications]),
    any("PATCH", "/v1/webhooks/{id}", &[P::ManageNotifications]),
    any("DELETE", "/v1/webhooks/{id}", &[P::ManageNotifications]),
    any("POST", "/v1/webhooks/{id}/secret", &[P::ManageNotifications]),
    any("POST", "/v1/webhooks/{id}/replay", &[P::ManageNotifications]),
    any("GET", "/v1/deliveries", &[P::ManageNotifications]),
    any("POST", "/v1/deliveries/{id}/retry", &[P::ManageNotifications]),
    any("GET", "/v1/jobs", &[P::ManageJobs]),
    any("POST", "/v1/jobs/{id}/retry", &[P::ManageJobs]),
    anyone("GET", "/healthz"),
    anyone("GET", "/readyz"),
    anyone("GET", "/metrics"),
    anyone("GET", "/v1/openapi.json"),
];

impl Access {
    /// Whether the post may.
    pub fn is_for(self, post: Post) -> bool {
        match self {
            Access::Anyone | Access::LoggedIn => true,
            Access::Any(permissions) => permissions.iter().any(|permission| post.may(*permission)),
        }
    }
}

/// The operation with this method and path; none: nobody declared it.
pub fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.method == method && operation.path == path)
}

/// The text of `permissions.txt`.
pub fn permissions_txt() -> String {
    let mut text = String::from(
        "Who may do what. Written from server/src/accounts/operations.rs and permissions.rs;\n\
         UPDATE_SNAPSHOTS=1 make test (or make refresh) writes it anew.\n\n",
    );
    for post in Post::ALL {
        let _ = writeln!(text, "{:<4} {post}", head(*post));
    }
    section(
        &mut text,
        "Operations (x: may)",
        OPERATIONS.iter().map(|operation| {
            let name = format!("{:<6} {}", operation.method, operation.path);
            let note = match operation.access {
                Access::Anyone => "  without login".to_owned(),
                Access::LoggedIn => "  every login".to_owned(),
                Access::Any(permissions) => permissions
                    .iter()
                    .fold(String::from(" "), |note, permission| format!("{note} {permission}")),
            };
            (name, note, Box::new(move |post| mark(operation.access.is_for(post))) as Cell)
        }),
    );
    section(
        &mut text,
        "Permissions (x: has)",
        P::ALL.iter().map(|permission| {
            (
                permission.to_string(),
                String::new(),
                Box::new(move |post: Post| mark(post.may(*permission))) as Cell,
            )
        }),
    );
    section(
        &mut text,
        "Reading submissions (own, area, sum: only counts; °: without sensitive fields)",
        Kind::ALL.iter().map(|kind| {
            (kind.to_string(), String::new(), Box::new(move |post: Post| reach(post.reach(*kind))) as Cell)
        }),
    );
    text
}

type Cell = Box<dyn Fn(Post) -> &'static str>;

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = (String, String, Cell)>) {
    let heads: String = Post::ALL.iter().map(|post| format!("{:<6}", head(*post))).collect();
    let _ = writeln!(text, "\n{title}\n{:<44}{}", "", heads.trim_end());
    for (name, note, cell) in rows {
        let cells: String = Post::ALL.iter().map(|post| format!("{:<6}", cell(*post))).collect();
        let _ = writeln!(text, "{}", format!("{name:<44}{cells}{note}").trim_end());
    }
}

fn mark(may: bool) -> &'static str {
    if may { "x" } else { "." }
}

fn reach(reach: Reach) -> &'static str {
    match (reach.scope, reach.sensitive) {
        (Scope::Nothing, _) => ".",
        (Scope::Own, true) => "own",
        (Scope::Own, false) => "own°",
        (Scope::Areas, true) => "area",
        (Scope::Areas, false) => "area°",
        (Scope::Everything, _) => "all",
        (Scope::Aggregates, _) => "sum",
    }
}

/// The column heads of `domain/actors.md`.
fn head(post: Post) -> &'static str {
    match post {
        Post::Inspector => "INS",
        Post::Auditor => "AUD",
        Post::Enumerator => "ENU",
        Post::SupervisorLabour => "SUPL",
        Post::SupervisorSwd => "SUPS",
        Post::DeputyDirector => "DDD",
        Post::LabourHead => "LAB",
        Post::SwdHead => "SWD",
        Post::Committee => "SCM",
        Post::CommitteeChair => "SCC",
        Post::CaseWorker => "CPU",
        Post::Analyst => "ANA",
        Post::Admin => "ADM",
        Post::Oversight => "RO",
        Post::LogAuditor => "LOG",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_txt_is_fresh() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/permissions.txt");
        let written = permissions_txt();
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(file, &written).unwrap();
        }

        let committed = std::fs::read_to_string(file).unwrap_or_default();

        assert!(
            committed == written,
            "server/permissions.txt has drifted from the tables. Write it anew with UPDATE_SNAPSHOTS=1 make test (or \
             make refresh), and read the difference before you commit it",
        );
    }

    #[test]
    fn no_operation_stands_twice() {
        for (at, one) in OPERATIONS.iter().enumerate() {
            let twins = OPERATIONS[at + 1..]
                .iter()
                .filter(|other| (other.method, other.path) == (one.method, one.path));
            assert_eq!(twins.count(), 0, "{} {}", one.method, one.path);
        }
    }
}
