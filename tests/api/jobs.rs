//! The queue: work left behind by a deed is done once, whatever dies meanwhile, and what cannot be done is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use harness::{TestApp, on_both_databases};
use serde_json::json;
use server::audit::{self, Event};
use server::clock::Ids;
use server::db::{By, Db};
use server::error::Error;
use server::queue::{self, Figures, Job, Kind};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

on_both_databases!(
    a_job_that_keeps_failing_is_parked_shown_and_tried_again,
    a_job_whose_process_dies_is_taken_over_and_done_once,
    a_process_that_was_too_slow_leaves_no_trace,
    a_job_that_kills_its_process_each_time_is_parked,
    a_handler_that_panics_is_an_attempt_that_failed,
    two_processes_share_the_queue_and_do_each_job_once,
    one_job_with_a_key_is_enough,
    what_is_asked_for_while_it_runs_is_run_once_more,
    a_deed_that_is_taken_back_leaves_no_work,
    a_job_waits_for_its_time,
    work_of_a_kind_nobody_here_knows_is_left_to_others,
    recurring_work_recurs,
);

/// What the handlers of these stories are given.
#[derive(Clone)]
struct Bench {
    db: Db,
    /// Handlers that wait have begun.
    begun: Arc<Notify>,
    /// Lets them go on.
    go_on: Arc<Notify>,
    done: Arc<AtomicUsize>,
}

impl Bench {
    fn of(app: &TestApp) -> Bench {
        Bench::on(app.services().db)
    }

    fn on(db: Db) -> Bench {
        Bench { db, begun: Arc::default(), go_on: Arc::default(), done: Arc::default() }
    }

    async fn leave(&self, job: Job) {
        self.db.write(By::system(), move |tx| queue::enqueue(tx, job.clone())).await.unwrap();
    }

    async fn run(&self) -> usize {
        queue::run_due(&self.db, self, KINDS).await.unwrap()
    }

    async fn figures(&self) -> Figures {
        let now = self.db.now();
        self.db.read(move |conn| queue::figures(conn, now)).await.unwrap()
    }
}

/// Writes down that it was done, and ends, in one unit of work.
async fn do_it(bench: Bench, task: queue::Task) -> server::error::Result<queue::Done> {
    let done = bench
        .db
        .write(By::system(), move |tx| {
            audit::record(tx, Event::new("test.done", "job", &task.subject, json!(null)))?;
            queue::finish(tx, &task)
        })
        .await?;
    bench.done.fetch_add(1, Ordering::SeqCst);
    Ok(done)
}

const KINDS: &[Kind<Bench>] = &[
    Kind {
        name: "test.do",
        attempts: 3,
        patience: Duration::from_secs(60),
        run: |bench, task| Box::pin(do_it(bench, task)),
    },
    Kind {
        name: "test.wait",
        attempts: 3,
        patience: Duration::from_secs(60),
        run: |bench, task| {
            Box::pin(async move {
                if task.attempt == 1 {
                    bench.begun.notify_one();
                    bench.go_on.notified().await;
                }
                do_it(bench, task).await
            })
        },
    },
    Kind {
        name: "test.fail",
        attempts: 3,
        patience: Duration::from_secs(60),
        run: |bench, task| {
            Box::pin(async move {
                match bench.done.load(Ordering::SeqCst) {
                    0 => Err(Error::unavailable("test_unlucky", "it does not work yet")),
                    _ => do_it(bench, task).await,
                }
            })
        },
    },
    Kind {
        name: "test.panic",
        attempts: 1,
        patience: Duration::from_secs(60),
        run: |_, _| Box::pin(async { panic!("a handler's mistake") }),
    },
    Kind {
        name: "test.panic_early",
        attempts: 1,
        patience: Duration::from_secs(60),
        run: |_, _| panic!("before there is anything to wait for"),
    },
];

async fn a_job_that_keeps_failing_is_parked_shown_and_tried_again(app: TestApp) {
    let (bench, admin) = (Bench::of(&app), app.admin().await);
    bench.leave(Job::new("test.fail", "photo-1").with(json!({ "secret": "not shown" }))).await;

    for waited in [5, 10, 20] {
        assert_eq!(bench.run().await, 1);
        assert_eq!(bench.run().await, 0, "it is tried again at once");
        app.clock.advance(TimeDelta::seconds(waited * 5 / 4 + 1));
    }
    assert_eq!(bench.run().await, 0, "it is tried a fourth time");
    let parked = admin.get("/v1/jobs?state=parked").await.ok();
    let (id, shown) = (parked["items"][0]["id"].as_str().unwrap(), parked["items"][0].to_string());
    let retry = format!("/v1/jobs/{id}/retry");

    assert_eq!(parked["items"].as_array().unwrap().len(), 1);
    assert_eq!(parked["items"][0]["kind"], "test.fail");
    assert_eq!(parked["items"][0]["subject"], "photo-1");
    assert_eq!(parked["items"][0]["attempts"], 3);
    assert_eq!(parked["items"][0]["last_error"], "test_unlucky: it does not work yet");
    assert!(!shown.contains("not shown"), "{shown}");
    let inspector = app.inspector().await;
    inspector.get("/v1/jobs").await.refused(403, "not_permitted");
    inspector.post(&retry, &json!({})).await.refused(403, "not_permitted");

    bench.done.store(1, Ordering::SeqCst);
    let again = admin.post(&retry, &json!({})).await.ok();
    assert_eq!((again["state"].as_str(), again["attempts"].as_i64()), (Some("waiting"), Some(0)));
    assert_eq!(bench.run().await, 1);
    assert_eq!(app.count("audit_events", "action = 'test.done'"), 1);
    assert_eq!(app.count("audit_events", "action = 'job.retried'"), 1);
    assert_eq!(app.count("jobs", "kind = 'test.fail'"), 0);
    admin.post(&retry, &json!({})).await.refused(404, "job_unknown");
    admin.get("/v1/jobs?state=lost").await.expect(400);
}

/// Starts the waiting job and lets its process "die" in the midst of it: it never runs on, and ends nothing.
async fn begin_and_die(bench: &Bench) {
    let runner = bench.clone();
    let doomed = tokio::spawn(async move { runner.run().await });
    bench.begun.notified().await;
    doomed.abort();
    assert!(doomed.await.unwrap_err().is_cancelled());
}

async fn a_job_whose_process_dies_is_taken_over_and_done_once(app: TestApp) {
    let bench = Bench::of(&app);
    bench.leave(Job::new("test.wait", "a")).await;
    begin_and_die(&bench).await;

    let at_once = bench.run().await;
    app.clock.advance(TimeDelta::seconds(31));
    let after_the_lease = bench.run().await;

    assert_eq!((at_once, after_the_lease), (0, 1));
    assert_eq!(app.count("audit_events", "action = 'test.done'"), 1);
    assert_eq!(app.count("jobs", "kind = 'test.wait'"), 0);
}

async fn a_process_that_was_too_slow_leaves_no_trace(app: TestApp) {
    let bench = Bench::of(&app);
    bench.leave(Job::new("test.wait", "a")).await;
    let slow = bench.clone();
    let slow = tokio::spawn(async move { slow.run().await });
    bench.begun.notified().await;

    app.clock.advance(TimeDelta::seconds(31));
    let other = Bench::on(Db::open(&app.config.database_url(), app.clock.clone(), Ids::Random).unwrap());
    assert_eq!(other.run().await, 1);
    bench.go_on.notify_one();
    slow.await.unwrap();

    assert_eq!(app.count("audit_events", "action = 'test.done'"), 1);
    assert_eq!(app.count("jobs", "kind = 'test.wait'"), 0);
}

async fn a_job_that_kills_its_process_each_time_is_parked(app: TestApp) {
    let bench = Bench::of(&app);
    bench.leave(Job::new("test.wait", "a")).await;
    begin_and_die(&bench).await;
    // As if it had been the process's end twice more.
    app.sql("UPDATE jobs SET attempts = 3 WHERE kind = 'test.wait'").unwrap();

    app.clock.advance(TimeDelta::seconds(31));
    bench.run().await;

    assert_eq!(app.count("jobs", "state = 'parked' AND last_error LIKE 'job_deadly%'"), 1);
    assert_eq!(app.count("audit_events", "action = 'test.done'"), 0);
}

async fn a_handler_that_panics_is_an_attempt_that_failed(app: TestApp) {
    let bench = Bench::of(&app);
    bench.leave(Job::new("test.panic", "a")).await;
    bench.leave(Job::new("test.panic_early", "a")).await;
    bench.leave(Job::new("test.do", "b")).await;

    assert_eq!(bench.run().await, 3);

    for kind in ["test.panic", "test.panic_early"] {
        let failed = format!("kind = '{kind}' AND last_error LIKE 'job_panicked%'");
        assert_eq!(app.count("jobs", &failed), 1, "{kind}");
    }
    assert_eq!(app.count("audit_events", "action = 'test.done'"), 1);
}

async fn two_processes_share_the_queue_and_do_each_job_once(app: TestApp) {
    const JOBS: usize = 200;
    let mine = Bench::of(&app);
    let db = Db::open(&app.config.database_url(), app.clock.clone(), Ids::Random).unwrap();
    let theirs = Bench { db, ..mine.clone() };
    let stop = CancellationToken::new();
    let workers = [&mine, &theirs]
        .map(|bench| tokio::spawn(queue::work(bench.db.clone(), bench.clone(), KINDS, 4, stop.clone())));

    for n in 0..JOBS {
        mine.leave(Job::new("test.do", n.to_string())).await;
    }
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while app.count("jobs", "kind = 'test.do'") > 0 && std::time::Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }

    assert_eq!(mine.done.load(Ordering::SeqCst), JOBS);
    assert_eq!(
        app.count("(SELECT DISTINCT subject FROM audit_events WHERE action = 'test.done') AS s", "true"),
        JOBS as i64
    );
    assert_eq!(app.count("audit_events", "action = 'test.done'"), JOBS as i64);
    theirs.db.close();
}

async fn one_job_with_a_key_is_enough(app: TestApp) {
    let bench = Bench::of(&app);
    for _ in 0..3 {
        bench.leave(Job::new("test.do", "a").once("key")).await;
    }
    bench.leave(Job::new("test.do", "b").once("other")).await;
    bench.leave(Job::new("test.do", "c")).await;
    bench.leave(Job::new("test.do", "c")).await;

    assert_eq!(bench.run().await, 4);
    bench.leave(Job::new("test.do", "a").once("key")).await;
    assert_eq!(bench.run().await, 1, "once it is done, it may be asked for again");
}

async fn what_is_asked_for_while_it_runs_is_run_once_more(app: TestApp) {
    let bench = Bench::of(&app);
    bench.leave(Job::new("test.wait", "a").once("key")).await;
    let runner = bench.clone();
    let running = tokio::spawn(async move { runner.run().await });
    bench.begun.notified().await;

    bench.leave(Job::new("test.wait", "a").once("key")).await;
    bench.go_on.notify_one();
    // The second run is a first attempt again, and waits again.
    bench.begun.notified().await;
    bench.go_on.notify_one();

    assert_eq!(running.await.unwrap(), 2);
    assert_eq!(app.count("audit_events", "action = 'test.done'"), 2);
    assert_eq!(app.count("jobs", "kind = 'test.wait'"), 0);
}

async fn a_deed_that_is_taken_back_leaves_no_work(app: TestApp) {
    let bench = Bench::of(&app);

    let refused = bench
        .db
        .write(By::system(), |tx| {
            queue::enqueue(tx, Job::new("test.do", "a"))?;
            Err::<(), _>(Error::invalid("test", "the deed is refused after all"))
        })
        .await;

    assert!(refused.is_err());
    assert_eq!(bench.run().await, 0);
}

async fn a_job_waits_for_its_time(app: TestApp) {
    let bench = Bench::of(&app);
    bench.leave(Job::new("test.do", "a").at(app.clock.now() + TimeDelta::hours(1))).await;

    assert_eq!(bench.run().await, 0);
    assert_eq!(bench.figures().await.oldest, Duration::ZERO);
    app.clock.advance(TimeDelta::minutes(90));
    assert!(bench.figures().await.oldest >= Duration::from_secs(1800));
    assert_eq!(bench.run().await, 1);
}

async fn work_of_a_kind_nobody_here_knows_is_left_to_others(app: TestApp) {
    let bench = Bench::of(&app);
    bench.leave(Job::new("test.of-a-newer-server", "a")).await;

    assert_eq!(bench.run().await, 0);

    assert_eq!(
        app.count("jobs", "kind = 'test.of-a-newer-server' AND state = 'waiting' AND attempts = 0"),
        1
    );
}

async fn recurring_work_recurs(app: TestApp) {
    let phone = app.inspector().await;
    app.run_jobs().await;
    assert_eq!(app.count("sessions", "closed_because = 'expired'"), 0);

    app.clock.advance(TimeDelta::days(400));
    assert!(app.run_jobs().await >= 1);

    assert!(app.count("sessions", "closed_because = 'expired'") >= 1);
    assert_eq!(app.count("jobs", "kind = 'sessions.sweep' AND state = 'waiting'"), 1);
    assert_eq!(app.run_jobs().await, 0, "it is not due before an hour has passed");
    drop(phone);
}
