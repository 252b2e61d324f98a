use super::*;
use crate::name::{NodeId, ServiceName};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::time::advance;

const TTL: Duration = Duration::from_secs(30);

/// A backend whose keep-alive answers what the test says, and counts.
#[derive(Debug, Clone, Default)]
struct Fake(Arc<FakeState>);

#[derive(Debug, Default)]
struct FakeState {
    answer: Mutex<Option<Code>>,
    hangs: Mutex<bool>,
    release: Notify,
    calls: Mutex<Vec<&'static str>>,
    kept_alive: AtomicUsize,
}

impl Fake {
    fn answer(&self, code: impl Into<Option<Code>>) {
        *self.0.answer.lock() = code.into();
    }

    fn kept_alive(&self) -> usize {
        self.0.kept_alive.load(Ordering::Relaxed)
    }

    fn result(&self) -> Result<()> {
        match *self.0.answer.lock() {
            None => Ok(()),
            Some(code) => Err(Error::new(code, "as told")),
        }
    }
}

#[async_trait]
impl LeaseControl for Fake {
    async fn keep_alive(&self, _: &Node) -> Result<()> {
        self.0.kept_alive.fetch_add(1, Ordering::Relaxed);
        if *self.0.hangs.lock() {
            self.0.release.notified().await;
        }
        self.0.calls.lock().push("keep_alive");
        self.result()
    }

    async fn revoke(&self) -> Result<()> {
        self.0.calls.lock().push("revoke");
        self.result()
    }
}

fn node(id: &str) -> Node {
    Node::new(
        ServiceName::parse("greeter").unwrap(),
        NodeId::parse(id).unwrap(),
    )
}

fn lease(keep_alive: KeepAlive) -> (Fake, Lease) {
    let fake = Fake::default();
    (
        fake.clone(),
        Lease::new(node("n1"), Some(TTL), keep_alive, fake),
    )
}

/// Lets `duration` pass in steps small enough for timers behind timers.
async fn pass(duration: Duration) {
    let step = Duration::from_millis(500);
    for _ in 0..duration.as_millis() / step.as_millis() {
        advance(step).await;
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_renews_at_a_third_of_the_ttl() {
    let (fake, lease) = lease(KeepAlive::Auto);

    pass(TTL * 3).await;

    assert!(
        (8..=9).contains(&fake.kept_alive()),
        "{}",
        fake.kept_alive()
    );
    assert_eq!(lease.state(), LeaseState::Held);
}

#[tokio::test(start_paused = true)]
async fn failing_keep_alives_are_told_before_the_lease_is_lost() {
    let (fake, lease) = lease(KeepAlive::Auto);
    fake.answer(Code::Unavailable);

    pass(TTL / 2).await;
    assert_eq!(lease.state(), LeaseState::Unconfirmed);
    let lost = lease.lost().await;

    assert_eq!(lost, LeaseState::Lost);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_is_taken_again() {
    let (fake, lease) = lease(KeepAlive::Auto);
    fake.answer(Code::Unavailable);
    lease.lost().await;

    fake.answer(None);
    pass(TTL / 3).await;

    assert_eq!(lease.state(), LeaseState::Held);
}

#[tokio::test(start_paused = true)]
async fn a_keep_alive_that_hangs_counts_as_failed() {
    let (fake, lease) = lease(KeepAlive::Auto);
    *fake.0.hangs.lock() = true;

    assert_eq!(lease.lost().await, LeaseState::Lost);
    assert!(fake.kept_alive() >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_superseded_lease_stops() {
    let (fake, lease) = lease(KeepAlive::Auto);
    fake.answer(Code::FailedPrecondition);

    assert_eq!(lease.lost().await, LeaseState::Superseded);
    pass(TTL).await;

    assert_eq!(fake.kept_alive(), 1);
    assert_eq!(
        lease.keep_alive().await.unwrap_err().code(),
        Code::FailedPrecondition
    );
}

#[tokio::test(start_paused = true)]
async fn dropping_it_stops_the_keep_alive() {
    let (fake, lease) = lease(KeepAlive::Auto);

    drop(lease);
    pass(TTL).await;

    assert_eq!(fake.kept_alive(), 0);
    assert_eq!(
        Arc::strong_count(&fake.0),
        1,
        "the task still owns the control"
    );
}

#[tokio::test(start_paused = true)]
async fn manual_means_that_nobody_renews() {
    let (fake, lease) = lease(KeepAlive::Manual);

    pass(TTL / 2).await;
    lease.keep_alive().await.unwrap();
    pass(TTL * 3 / 4).await;
    assert_eq!(lease.state(), LeaseState::Held);
    pass(TTL / 2).await;

    assert_eq!(lease.state(), LeaseState::Lost);
    assert_eq!(fake.kept_alive(), 1);
}

#[tokio::test(start_paused = true)]
async fn revoke_waits_for_the_keep_alive_in_flight_and_comes_last() {
    let (fake, lease) = lease(KeepAlive::Auto);
    *fake.0.hangs.lock() = true;
    pass(TTL / 3 + Duration::from_secs(1)).await;
    assert_eq!(fake.kept_alive(), 1);

    let (revoked, ()) = tokio::join!(lease.revoke(), async { fake.0.release.notify_one() });
    revoked.unwrap();
    pass(TTL).await;

    assert_eq!(*fake.0.calls.lock(), ["keep_alive", "revoke"]);
    assert_eq!(lease.state(), LeaseState::Revoked);
}

#[tokio::test(start_paused = true)]
async fn revoke_may_be_repeated_until_it_succeeds_and_after() {
    let (fake, lease) = lease(KeepAlive::Auto);
    fake.answer(Code::Unavailable);
    assert_eq!(lease.revoke().await.unwrap_err().code(), Code::Unavailable);

    fake.answer(None);
    lease.revoke().await.unwrap();
    lease.revoke().await.unwrap();

    assert_eq!(*fake.0.calls.lock(), ["revoke", "revoke"]);
    assert_eq!(
        lease.keep_alive().await.unwrap_err().code(),
        Code::FailedPrecondition
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_keeps_service_and_id() {
    let (_fake, lease) = lease(KeepAlive::Manual);

    let other = lease.update(node("n2")).await.unwrap_err();
    let same = lease.update(node("n1")).await.unwrap_err();

    assert_eq!(other.code(), Code::InvalidArgument);
    assert_eq!(same.code(), Code::Unimplemented);
}
