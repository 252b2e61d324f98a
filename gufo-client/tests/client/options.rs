//! Interceptors and defaults of a channel.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use gufo_core::{
    Caller, Compression, Context, Deadline, Format, Handler, Interceptor, Next, Payload, Reply,
    Status,
};
use parking_lot::Mutex;

use crate::fake::{Answer, ECHO, Net, echo, settle};

const A: &str = "fake://a";
const B: &str = "fake://b";

/// Notes when it was passed.
#[derive(Debug)]
struct Gate(&'static str, Arc<Mutex<Vec<&'static str>>>);

#[async_trait]
impl Interceptor for Gate {
    async fn unary(&self, ctx: Context, request: Payload, next: Next<'_>) -> Result<Reply, Status> {
        self.1.lock().push(self.0);
        next.unary(ctx, request).await
    }
}

#[tokio::test(start_paused = true)]
async fn interceptors_run_once_per_call_in_the_order_they_were_added() {
    let (net, passed) = (Net::default(), Arc::default());
    let builder = net.channel().addresses([A, B]);
    let builder = builder.interceptor(Gate("outer", Arc::clone(&passed)));
    let builder = builder.interceptor(Gate("inner", Arc::clone(&passed)));
    let channel = builder.connect().await.unwrap();
    settle().await;
    for line in net.lines(A) {
        line.answer(Answer::Refuse);
    }
    net.lines(B)[0].pretend(9);

    echo(&Caller::from(&channel), "owl").await.unwrap();
    assert_eq!(*passed.lock(), ["outer", "inner"]);
    let ctx = Context::new(&ECHO, Format::Raw);
    let owl = Payload::from(gufo_core::Bytes::from_static(b"owl"));
    channel.unary(ctx, owl).await.unwrap();

    assert_eq!(*passed.lock(), ["outer", "inner", "outer", "inner"]);
}

#[tokio::test(start_paused = true)]
async fn calls_use_the_defaults_unless_they_say_otherwise() {
    let net = Net::default();
    let builder = net.channel().address(A).timeout(Duration::from_secs(9));
    let builder = builder.format(Format::Json).compression(Compression::Zstd);
    let caller = Caller::from(builder.connect().await.unwrap());

    echo(&caller, "owl").await.unwrap();
    let usual = net.lines(A)[0].last();
    let call = echo(&caller, "owl")
        .format(Format::Raw)
        .timeout(Duration::from_secs(1));
    call.compress(Compression::Gzip).await.unwrap();
    let special = net.lines(A)[0].last();

    assert_eq!(usual.deadline(), Deadline::after(Duration::from_secs(9)));
    assert_eq!(usual.format(), &Format::Json);
    assert_eq!(usual.compression(), Some(Compression::Zstd));
    assert_eq!(special.deadline(), Deadline::after(Duration::from_secs(1)));
    assert_eq!(special.format(), &Format::Raw);
    assert_eq!(special.compression(), Some(Compression::Gzip));
}
