//! Submissions by the million, past the service: rows like those a filing leaves, made by the database itself out of one real
//! filing. Content and receipt are copies of that one's; ids, people, places, times and standings vary.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};

/// Makes `count` submissions, the latest a day before the real ones, one every 20 s before that.
///
/// # Errors
/// What the database says.
pub(super) fn make(url: &str, count: u32) -> Result<(), String> {
    match url.strip_prefix("sqlite:") {
        Some(path) => {
            let mut conn = SqliteConnection::establish(path).map_err(|cause| cause.to_string())?;
            let id = "lower(hex(randomblob(4))||'-'||hex(randomblob(2))||'-4'||substr(hex(randomblob(2)),2)||'-a'||substr(hex(randomblob(2)),2)||'-'||hex(randomblob(6)))";
            let series = format!(
                "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) SELECT n, {id} AS id FROM s"
            );
            let quick =
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN;";
            let queue = "DROP TRIGGER audit_events_queue;";
            let after = "CREATE TRIGGER audit_events_queue AFTER INSERT ON audit_events \
                BEGIN INSERT INTO audit_unsealed (seq) VALUES (NEW.seq); END; COMMIT; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);";
            run(&mut conn, &[quick, queue, &statements(&series, "CREATE TEMP TABLE"), after])
        }
        None => {
            let mut conn = PgConnection::establish(url).map_err(|cause| cause.to_string())?;
            let series =
                format!("SELECT n, gen_random_uuid()::text AS id FROM generate_series(1, {count}) AS n");
            let before = "BEGIN; SET LOCAL synchronous_commit = off; ALTER TABLE audit_events DISABLE TRIGGER audit_events_queue;";
            let after = "ALTER TABLE audit_events ENABLE TRIGGER audit_events_queue; COMMIT;";
            run(&mut conn, &[before, &statements(&series, "CREATE TEMP TABLE"), after])?;
            // Not inside a transaction, and one a call.
            run(&mut conn, &["VACUUM (ANALYZE)", "CHECKPOINT"])
        }
    }
}

fn run(conn: &mut impl SimpleConnection, statements: &[&str]) -> Result<(), String> {
    statements
        .iter()
        .try_for_each(|statement| conn.batch_execute(statement).map_err(|cause| cause.to_string()))
}

/// The rows of each table. `%` is the remainder on both; districts are PK201 to PK234, inspectors are 400 others and the real one.
fn statements(series: &str, create: &str) -> String {
    let day = 86_400_000_000_i64;
    format!(
        "{create} made AS {series};
        {create} model AS SELECT * FROM submissions ORDER BY received_at LIMIT 1;
        {create} whole AS SELECT r.* FROM revisions r JOIN model ON r.submission_id = model.id AND r.revision = 1;
        INSERT INTO accounts (id, username, name, code, role, line, chair, unit, password_hash, status, created_at, changed_at)
        SELECT 'account-' || n, 'of-the-million-' || n, a.name, 'MILLION-' || n, a.role, a.line, a.chair, a.unit,
            a.password_hash, a.status, a.created_at, a.changed_at
        FROM made, accounts a JOIN model ON a.id = model.account_id WHERE n < 400;
        INSERT INTO submissions (id, form, version, kind, revision, content_hash, account_id, device_id, facility, verdict,
            media, review, received_at, changed_at, finished_at, province, division, district, tehsil, lat, lon, edition,
            findings, summary, queue_rank)
        SELECT made.id, m.form, m.version, m.kind, 1, m.content_hash,
            CASE WHEN n % 400 = 0 THEN m.account_id ELSE 'account-' || (n % 400) END, m.device_id, NULL,
            CASE WHEN n % 1000 = 0 THEN 'invalid' WHEN n % 10 = 0 THEN 'warnings' ELSE 'valid' END, 'complete',
            CASE WHEN n % 3 = 0 THEN 'received' WHEN n % 200 = 0 THEN 'returned' WHEN n % 333 = 0 THEN 'rejected' ELSE 'accepted' END,
            m.received_at - {day} - 20000000 * CAST(n AS BIGINT), m.received_at - {day} - 20000000 * CAST(n AS BIGINT),
            m.finished_at - {day} - 20000000 * CAST(n AS BIGINT),
            'PK2', 'PK2-DIV-' || (n % 7), 'PK' || (201 + n % 34), NULL, 27.0 + (n % 400) / 100.0, 62.0 + (n % 700) / 100.0,
            m.edition, CASE WHEN n % 4 = 0 THEN 2 ELSE 0 END, m.summary, -(100000 * (n % 7) + n * 13 % 31)
        FROM made, model m;
        INSERT INTO revisions (submission_id, revision, content_hash, release_hash, account_id, device_id, received_at, content, receipt)
        SELECT made.id, 1, w.content_hash, w.release_hash, CASE WHEN n % 400 = 0 THEN w.account_id ELSE 'account-' || (n % 400) END,
            w.device_id, w.received_at - {day} - 20000000 * CAST(n AS BIGINT), w.content, w.receipt
        FROM made, whole w;
        INSERT INTO findings (submission_id, revision, position, code, severity, row_key, provisional, disclose, due_at, refer_to)
        SELECT made.id, 1, p.position, 'AGE-0' || (n % 5), 'major', NULL, 1 = 0, 1 = 1, NULL, NULL
        FROM made, (SELECT 0 AS position UNION ALL SELECT 1) p WHERE n % 4 = 0;
        INSERT INTO audit_events (at, account_id, device_id, action, subject, details)
        SELECT m.received_at - {day} - 20000000 * CAST(n AS BIGINT), 'account-' || (n % 400), m.device_id, 'submission.filed',
            'submission:' || made.id, (SELECT details FROM audit_events WHERE action = 'submission.filed' LIMIT 1)
        FROM made, model m;
        INSERT INTO changes (at, what, subject, audience)
        SELECT m.received_at - {day} - 20000000 * CAST(n AS BIGINT), 'submission', made.id, 'account:account-' || (n % 400)
        FROM made, model m WHERE n < 260000;"
    )
}
