//! Who may do what: one table, a row a permission, from `domain/actors.md` §4. A post is a role, told apart by line or
//! chair where that changes what it may do. `server/permissions.txt` is written from this table and from
//! `operations.rs`, and a test compares it.

use serde::{Deserialize, Serialize};

use super::model::{Line, Role};
use crate::db::text_enum;

text_enum! {
    /// Something one may be allowed to do.
    Permission {
        /// File and revise one's own child-labour inspections, with their photos.
        FileInspections = "inspections.file",
        /// File and revise one's own shelter audits, with their photos.
        FileAudits = "audits.file",
        /// File and revise one's own toolkit submissions, with their photos.
        FileToolkit = "toolkit.file",
        /// Read inspections within one's reach.
        ReadInspections = "inspections.read",
        /// Read shelter audits within one's reach.
        ReadAudits = "audits.read",
        /// Read toolkit submissions within one's reach.
        ReadToolkit = "toolkit.read",
        /// Read the bytes as they were received; they hold every field, so only whose reach is sensitive may.
        ReadRaw = "submissions.read_raw",
        /// Read children's sensitive fields within one's reach.
        ReadSensitive = "sensitive_fields.read",
        /// Accept, return or reject inspections.
        ReviewInspections = "inspections.review",
        /// Accept, return or reject shelter audits.
        ReviewAudits = "audits.review",
        /// Accept, return or reject toolkit submissions.
        ReviewToolkit = "toolkit.review",
        /// Look at the photos of submissions within one's reach. The grid grants the head of the Labour Department
        /// those from outside only; no question tells them apart yet, so it grants none.
        ReadPhotos = "photos.read",
        /// Read findings within one's reach.
        ReadFindings = "findings.read",
        /// Work findings: acknowledge, say that they are remedied or verified, have a deadline stand still, ask to
        /// dismiss one or to lower its severity.
        WorkFindings = "findings.work",
        /// Raise a finding's severity.
        RaiseFindings = "findings.raise_severity",
        /// Agree that a finding is dismissed or its severity lowered.
        DecideFindings = "findings.decide",
        /// Send findings to those who can help.
        CreateReferrals = "referrals.create",
        /// Read referrals: those of findings within one's reach, and those addressed to one.
        ReadReferrals = "referrals.read",
        /// Answer referrals addressed to one, or for a body that has no account here.
        AnswerReferrals = "referrals.answer",
        /// Decide about referrals without consent or legal basis.
        ApproveReferrals = "referrals.approve",
        /// Make the employer's or manager's copy.
        PrintEmployerCopy = "employer_copy.print",
        /// Read assignments: one's own and those of one's district's pool; in the office, those of one's line and areas.
        ReadAssignments = "assignments.read",
        /// Take a visit from the pool.
        TakeAssignments = "assignments.take",
        /// Make assignments, hand them to people, cancel them.
        MakeAssignments = "assignments.make",
        /// Have visits planned by risk.
        PlanVisits = "visits.plan",
        /// Read the register of facilities within one's line and areas.
        ReadFacilities = "facilities.read",
        /// Read whom to ask for at a facility, its operator's name, and workplaces that are somebody's home.
        ReadFacilityContacts = "facilities.read_contacts",
        /// Register facilities, and correct one's own until they are confirmed.
        RegisterFacilities = "facilities.register",
        /// Confirm, correct, close and reopen facilities; import and export them.
        UpdateFacilities = "facilities.update",
        /// Merge facilities that are one place, and undo it.
        MergeFacilities = "facilities.merge",
        /// Count facilities by district: known, licensed, visited, overdue.
        CountFacilities = "facilities.count",
        /// Read questionnaires.
        ReadForms = "forms.read",
        /// Publish a release of a questionnaire.
        PublishForms = "forms.publish",
        /// Read drafts, proposals, votes and minutes; never a case.
        ReadProposals = "proposals.read",
        /// Write drafts and propose them.
        WriteDrafts = "drafts.write",
        /// Comment on proposals.
        CommentOnProposals = "proposals.comment",
        /// Vote on proposals, as far as one's seat on the Committee carries a vote.
        VoteOnProposals = "proposals.vote",
        /// Appoint members of the Committee, as far as one's seat allows; an administrator only where there is no chair.
        ManageCommittee = "committee.manage",
        /// Read the proposals a department's head is asked to consent to, with their minutes, and consent to them or refuse.
        ConsentToProposals = "proposals.consent",
        /// Bring questionnaires to build on.
        BringBases = "bases.bring",
        /// Ask that a proposal be published without a vote.
        AskBreakGlass = "break_glass.ask",
        /// Agree to that, as chair or deputy.
        AgreeToBreakGlass = "break_glass.agree",
        /// Try proposed questionnaires on past submissions, and read the numbers that come of it.
        ReplayForms = "forms.replay",
        /// See how the releases of a questionnaire do, in numbers.
        WatchRollouts = "rollouts.watch",
        /// Locate a point; read boundaries.
        ReadPlaces = "places.read",
        /// Read accounts: an administrator all, a supervisor those of the district.
        ReadAccounts = "accounts.read",
        /// Create, change and disable accounts; reset passwords.
        ManageAccounts = "accounts.manage",
        /// Read devices: an administrator all, a supervisor those of the district.
        ReadDevices = "devices.read",
        /// Revoke devices.
        ManageDevices = "devices.manage",
        /// See what was kept in quarantine and why, never the answers; have it tried again.
        ManageQuarantine = "quarantine.manage",
        /// See the work that waits or failed, never what it carries; have it tried again.
        ManageJobs = "jobs.manage",
        /// Have programs told (webhooks), and see what was sent and what was not, never what it was about.
        ManageNotifications = "notifications.manage",
        /// Read the whole audit log.
        ReadAudit = "audit_log.read",
        /// Read the part of the audit log that is about operations, not about cases.
        ReadOperationsLog = "audit_log.read_operations",
    }
}

text_enum! {
    /// A column of the table.
    Post {
        /// Labour inspector.
        Inspector = "inspector",
        /// Social Welfare auditor.
        Auditor = "auditor",
        /// Toolkit interviewer.
        Enumerator = "enumerator",
        /// District officer, Labour line.
        SupervisorLabour = "supervisor (labour)",
        /// District officer, Social Welfare line.
        SupervisorSwd = "supervisor (swd)",
        /// Divisional Deputy Director.
        DeputyDirector = "deputy_director",
        /// Head of the Labour Department.
        LabourHead = "labour_head",
        /// Head of the Social Welfare Department.
        SwdHead = "swd_head",
        /// Steering Committee member.
        Committee = "committee",
        /// Chair of the Steering Committee.
        CommitteeChair = "committee (chair)",
        /// Child Protection Unit officer.
        CaseWorker = "case_worker",
        /// CPMIS analyst.
        Analyst = "analyst",
        /// System administrator.
        Admin = "admin",
        /// Read-only oversight.
        Oversight = "oversight",
        /// Data-protection auditor.
        LogAuditor = "log_auditor",
    }
}

use Permission as P;
use Post::*;

const FIELD_AND_OFFICE: &[Post] = &[
    Inspector,
    Auditor,
    Enumerator,
    SupervisorLabour,
    SupervisorSwd,
    DeputyDirector,
    LabourHead,
    SwdHead,
    Committee,
    CommitteeChair,
    CaseWorker,
    Analyst,
    Admin,
];

/// Who reads the register; the lines apart, see `facilities/sight.rs`.
const REGISTER: &[Post] =
    &[Inspector, Auditor, SupervisorLabour, SupervisorSwd, DeputyDirector, LabourHead, CaseWorker, Analyst];

/// The table.
const TABLE: &[(Permission, &[Post])] = &[
    (P::FileInspections, &[Inspector]),
    (P::FileAudits, &[Auditor]),
    (P::FileToolkit, &[Enumerator]),
    (P::ReadInspections, &[Inspector, SupervisorLabour, LabourHead, Analyst]),
    (P::ReadAudits, &[Auditor, SupervisorSwd, DeputyDirector, Analyst]),
    (P::ReadToolkit, &[Enumerator, SupervisorLabour, SupervisorSwd, DeputyDirector, Analyst]),
    (P::ReadRaw, &[Inspector, Auditor, SupervisorLabour, SupervisorSwd, DeputyDirector]),
    (P::ReadSensitive, &[Inspector, Auditor, SupervisorLabour, SupervisorSwd, DeputyDirector]),
    (P::ReviewInspections, &[SupervisorLabour]),
    (P::ReviewAudits, &[SupervisorSwd, DeputyDirector]),
    (P::ReviewToolkit, &[SupervisorLabour, SupervisorSwd]),
    (P::ReadPhotos, &[Inspector, Auditor, Enumerator, SupervisorLabour, SupervisorSwd, DeputyDirector]),
    (
        P::ReadFindings,
        &[
            Inspector,
            Auditor,
            SupervisorLabour,
            SupervisorSwd,
            DeputyDirector,
            LabourHead,
            CaseWorker,
            Analyst,
        ],
    ),
    (P::WorkFindings, &[SupervisorLabour, SupervisorSwd]),
    (P::RaiseFindings, &[Inspector, Auditor, SupervisorLabour, SupervisorSwd]),
    (P::DecideFindings, &[DeputyDirector, LabourHead]),
    (P::CreateReferrals, &[Inspector, Auditor, SupervisorLabour, SupervisorSwd]),
    (
        P::ReadReferrals,
        &[
            Inspector,
            Auditor,
            SupervisorLabour,
            SupervisorSwd,
            DeputyDirector,
            LabourHead,
            CaseWorker,
            Analyst,
        ],
    ),
    (P::AnswerReferrals, &[SupervisorLabour, SupervisorSwd, DeputyDirector, CaseWorker]),
    (P::ApproveReferrals, &[SupervisorLabour, SupervisorSwd]),
    (P::PrintEmployerCopy, &[Inspector, Auditor, SupervisorLabour, SupervisorSwd, LabourHead]),
    (
        P::ReadAssignments,
        &[Inspector, Auditor, Enumerator, SupervisorLabour, SupervisorSwd, DeputyDirector, LabourHead],
    ),
    (P::TakeAssignments, &[Inspector, Auditor, Enumerator]),
    (P::MakeAssignments, &[SupervisorLabour, SupervisorSwd, DeputyDirector]),
    (P::PlanVisits, &[SupervisorLabour, SupervisorSwd, DeputyDirector, LabourHead]),
    (P::ReadFacilities, REGISTER),
    (
        P::ReadFacilityContacts,
        &[Inspector, Auditor, SupervisorLabour, SupervisorSwd, DeputyDirector, LabourHead, CaseWorker],
    ),
    (P::RegisterFacilities, &[Inspector, Auditor]),
    (P::UpdateFacilities, &[SupervisorLabour, SupervisorSwd, LabourHead]),
    (P::MergeFacilities, &[SupervisorLabour, SupervisorSwd]),
    (
        P::CountFacilities,
        &[
            Inspector,
            Auditor,
            SupervisorLabour,
            SupervisorSwd,
            DeputyDirector,
            LabourHead,
            CaseWorker,
            Analyst,
            Oversight,
        ],
    ),
    (P::ReadForms, FIELD_AND_OFFICE),
    (P::PublishForms, &[CommitteeChair]),
    (P::ReadProposals, &[Committee, CommitteeChair, Admin]),
    (P::WriteDrafts, &[Committee, CommitteeChair, Admin]),
    (P::CommentOnProposals, &[Committee, CommitteeChair]),
    (P::VoteOnProposals, &[Committee, CommitteeChair]),
    (P::ManageCommittee, &[Committee, CommitteeChair, Admin]),
    (P::ConsentToProposals, &[LabourHead, SwdHead]),
    (P::BringBases, &[CommitteeChair, Admin]),
    (P::AskBreakGlass, &[Admin]),
    (P::AgreeToBreakGlass, &[Committee, CommitteeChair]),
    (P::ReplayForms, &[Committee, CommitteeChair, Analyst]),
    (P::WatchRollouts, &[Committee, CommitteeChair, Analyst, Admin]),
    (P::ReadPlaces, FIELD_AND_OFFICE),
    (P::ReadAccounts, &[SupervisorLabour, SupervisorSwd, Admin]),
    (P::ManageAccounts, &[Admin]),
    (P::ReadDevices, &[SupervisorLabour, SupervisorSwd, Admin]),
    (P::ManageDevices, &[Admin]),
    (P::ManageQuarantine, &[Admin]),
    (P::ManageJobs, &[Admin]),
    (P::ManageNotifications, &[Admin]),
    (P::ReadAudit, &[LogAuditor]),
    (P::ReadOperationsLog, &[Admin]),
];

impl Post {
    /// The post of someone with this role, line and chair; none: there is no such post, and it may nothing.
    pub fn of(role: Role, line: Option<Line>, chair: bool) -> Option<Post> {
        Some(match (role, line) {
            (Role::Inspector, _) => Inspector,
            (Role::Auditor, _) => Auditor,
            (Role::Enumerator, _) => Enumerator,
            (Role::Supervisor, Some(Line::Labour)) => SupervisorLabour,
            (Role::Supervisor, Some(Line::Swd)) => SupervisorSwd,
            (Role::Supervisor, None) => return None,
            (Role::DeputyDirector, _) => DeputyDirector,
            (Role::LabourHead, _) => LabourHead,
            (Role::SwdHead, _) => SwdHead,
            (Role::Committee, _) if chair => CommitteeChair,
            (Role::Committee, _) => Committee,
            (Role::CaseWorker, _) => CaseWorker,
            (Role::Analyst, _) => Analyst,
            (Role::Admin, _) => Admin,
            (Role::Oversight, _) => Oversight,
            (Role::LogAuditor, _) => LogAuditor,
        })
    }

    /// Whether the post may.
    pub fn may(self, permission: Permission) -> bool {
        TABLE.iter().any(|(row, posts)| *row == permission && posts.contains(&self))
    }

    /// All it may.
    pub fn permissions(self) -> Vec<Permission> {
        Permission::ALL.iter().copied().filter(|permission| self.may(*permission)).collect()
    }

    /// Which submissions of a kind it may read.
    pub fn reach(self, kind: Kind) -> Reach {
        let (scope, sensitive) = match (self, kind) {
            (Inspector, Kind::Inspection) | (Auditor, Kind::Audit) => (Scope::Own, true),
            // The grid lets an interviewer write sensitive fields, not read them back.
            (Enumerator, Kind::Toolkit) => (Scope::Own, false),
            (SupervisorLabour, Kind::Inspection) | (SupervisorSwd | DeputyDirector, Kind::Audit) => {
                (Scope::Areas, true)
            }
            (SupervisorLabour | SupervisorSwd | DeputyDirector, Kind::Toolkit) => (Scope::Areas, true),
            (LabourHead, Kind::Inspection) | (Analyst, _) => (Scope::Areas, false),
            (Committee | CommitteeChair, Kind::Toolkit) | (Oversight, _) => (Scope::Aggregates, false),
            // A case worker reads the cases referred to the unit; there are no referrals yet.
            _ => (Scope::Nothing, false),
        };
        Reach { scope, sensitive }
    }
}

text_enum! {
    /// What sort of questionnaire a submission answers; `kind` in a form's definition.
    Kind {
        /// Child-labour inspection.
        Inspection = "inspection",
        /// Shelter audit.
        Audit = "audit",
        /// Child Protection Mapping & Assessment Toolkit.
        Toolkit = "toolkit",
    }
}

impl Kind {
    /// What one needs to file a submission of this kind.
    pub fn filing(self) -> Permission {
        match self {
            Kind::Inspection => P::FileInspections,
            Kind::Audit => P::FileAudits,
            Kind::Toolkit => P::FileToolkit,
        }
    }
}

impl Kind {
    /// The line whose people fill it; none: both may.
    pub fn line(self) -> Option<Line> {
        match self {
            Kind::Inspection => Some(Line::Labour),
            Kind::Audit => Some(Line::Swd),
            Kind::Toolkit => None,
        }
    }
}

impl Kind {
    /// What one needs to decide about a submission of this kind.
    pub fn reviewing(self) -> Permission {
        match self {
            Kind::Inspection => P::ReviewInspections,
            Kind::Audit => P::ReviewAudits,
            Kind::Toolkit => P::ReviewToolkit,
        }
    }
}

/// Which rows someone may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// None.
    Nothing,
    /// Those one filed oneself.
    Own,
    /// Those in one's areas: districts, a division, the province.
    Areas,
    /// All: for the system itself. No post has it.
    Everything,
    /// No row, only counts.
    Aggregates,
}

/// How long those who filed a submission may read its sensitive fields.
pub const OWN_SENSITIVE_DAYS: i64 = 14;

/// How far reading goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Reach {
    /// Which rows.
    pub scope: Scope,
    /// With children's sensitive fields. One's own: for [`OWN_SENSITIVE_DAYS`], see [`Reach::sensitive_after`].
    pub sensitive: bool,
}

impl Reach {
    /// What the system itself reaches: jobs and the command line.
    pub const SYSTEM: Reach = Reach { scope: Scope::Everything, sensitive: true };

    /// Whether single submissions can be read at all.
    pub fn has_rows(self) -> bool {
        matches!(self.scope, Scope::Own | Scope::Areas | Scope::Everything)
    }

    /// Whether sensitive fields may be read in a submission that was filed `age` ago.
    pub fn sensitive_after(self, age: chrono::Duration) -> bool {
        self.sensitive && (self.scope != Scope::Own || age <= chrono::Duration::days(OWN_SENSITIVE_DAYS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_one_row() {
        for permission in Permission::ALL {
            assert_eq!(TABLE.iter().filter(|(row, _)| row == permission).count(), 1, "{permission}");
        }
    }

    #[test]
    fn the_lines_do_not_read_each_other() {
        assert_eq!(SupervisorLabour.reach(Kind::Audit).scope, Scope::Nothing);
        assert_eq!(SupervisorSwd.reach(Kind::Inspection).scope, Scope::Nothing);
        assert_eq!(DeputyDirector.reach(Kind::Inspection).scope, Scope::Nothing);
        assert_eq!(LabourHead.reach(Kind::Audit).scope, Scope::Nothing);
        assert!(
            SupervisorLabour.reach(Kind::Toolkit).has_rows() && SupervisorSwd.reach(Kind::Toolkit).has_rows()
        );
    }

    #[test]
    fn permission_and_reach_agree() {
        let read = [
            (Kind::Inspection, P::ReadInspections),
            (Kind::Audit, P::ReadAudits),
            (Kind::Toolkit, P::ReadToolkit),
        ];
        for post in Post::ALL {
            for (kind, permission) in read {
                assert_eq!(post.reach(kind).has_rows(), post.may(permission), "{post} {kind}");
            }
            let sensitive = Kind::ALL.iter().any(|kind| post.reach(*kind).sensitive);
            assert_eq!(sensitive, post.may(P::ReadSensitive), "{post}");
        }
    }

    #[test]
    fn administrators_and_log_auditors_see_no_case() {
        for post in [Admin, LogAuditor, Committee, CommitteeChair, Oversight, CaseWorker, SwdHead] {
            assert!(Kind::ALL.iter().all(|kind| !post.reach(*kind).has_rows()), "{post}");
            assert!(!post.may(P::ReadPhotos), "{post}");
        }
    }

    #[test]
    fn a_supervisor_without_a_line_has_no_post() {
        assert_eq!(Post::of(Role::Supervisor, None, false), None);
    }

    #[test]
    fn ones_own_sensitive_fields_close_after_a_fortnight() {
        let own = Inspector.reach(Kind::Inspection);
        let district = SupervisorLabour.reach(Kind::Inspection);

        assert!(own.sensitive_after(chrono::Duration::days(14)));
        assert!(!own.sensitive_after(chrono::Duration::days(15)));
        assert!(district.sensitive_after(chrono::Duration::days(15)));
    }
}
