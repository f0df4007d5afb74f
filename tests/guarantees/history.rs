//! What was published, filed or recorded is never changed and never goes: both databases refuse it by themselves.

use harness::{TestApp, on_both_databases, samples};

on_both_databases!(history_cannot_be_rewritten);

async fn history_cannot_be_rewritten(app: TestApp) {
    let phone = app.inspector().await;
    phone.file(&samples::b1()).await.created();
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;

    for (table, column) in [
        ("releases", "title"),
        ("revisions", "content_hash"),
        ("audit_events", "action"),
        ("audit_seals", "hash"),
    ] {
        assert!(app.count(table, "true") > 0, "there is nothing in {table}");
        for statement in
            [format!("UPDATE {table} SET {column} = 'rewritten'"), format!("DELETE FROM {table}")]
        {
            let refused = app.sql(&statement).unwrap_err();
            assert!(refused.contains("are never"), "{statement}: {refused}");
        }
        assert_eq!(app.count(table, &format!("{column} = 'rewritten'")), 0);
    }
}
