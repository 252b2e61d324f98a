//! A client of the greeter as a program: calls, checks every reply, and sums up.
//!
//! `cargo run -p gufo-examples --bin greeter-client -- --address tcp://127.0.0.1:50052 --name owl`

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use gufo::{Caller, ChannelBuilder, Registry, ServiceName};
use gufo_examples::{
    BoxError, GreeterClient, HelloRequest,
    args::{self, Args},
};
use tokio::{task::JoinSet, time::Instant};

const USAGE: &str = "\
greeter-client (--address URL... | --registry URL) --name X [--count N] [--concurrency C]
               [--prefer SCHEME...]

  --address      where a greeter listens, such as tcp://127.0.0.1:50052; of several the best
                 that works is taken
  --registry     where greeters are found, such as fixed://127.0.0.1:50051
  --name         whom to greet
  --service      what to look up in the registry; by default the service called --name if the
                 registry knows one, else greeter
  --count        how many calls, 1 by default
  --concurrency  how many at a time, 1 by default
  --prefer       transports to take before others, such as grpc";

#[tokio::main]
async fn main() -> ExitCode {
    args::exit(run().await)
}

async fn run() -> Result<(), BoxError> {
    let Some(mut args) = Args::read(USAGE)? else {
        return Ok(());
    };
    let addresses = args.all("address")?;
    let registry: Option<String> = args.one("registry")?;
    let name: String = args.required("name")?;
    let service: Option<String> = args.one("service")?;
    let count: usize = args.one("count")?.unwrap_or(1);
    let concurrency: usize = args.one("concurrency")?.unwrap_or(1);
    let prefer = args.all("prefer")?;
    args.finish()?;

    let builder = gufo::channel().prefer(prefer);
    let builder = match (addresses.is_empty(), registry) {
        (false, None) => builder.node(addresses),
        (true, Some(url)) => discover(builder, &url, service, &name).await?,
        _ => return Err(format!("one of --address and --registry is needed\n{USAGE}").into()),
    };
    let channel = builder.connect().await?;
    let summary = call(
        GreeterClient::from(Caller::from(&channel)),
        &name,
        count,
        concurrency,
    )
    .await?;
    println!("{}", summary.text());
    for endpoint in channel.endpoints() {
        println!("connected to {endpoint}");
    }
    match summary.failures.first() {
        None => Ok(()),
        Some(first) => Err(format!(
            "{} calls failed, the first: {first}",
            summary.failures.len()
        )
        .into()),
    }
}

async fn discover(
    builder: ChannelBuilder,
    url: &str,
    service: Option<String>,
    name: &str,
) -> Result<ChannelBuilder, BoxError> {
    let registry = gufo::open::registry(url).await?;
    let service = match service {
        Some(service) => ServiceName::parse(&service)?,
        None => known_or_greeter(&*registry, name).await?,
    };
    Ok(builder.registry(registry, service))
}

async fn known_or_greeter(registry: &dyn Registry, name: &str) -> Result<ServiceName, BoxError> {
    if let Ok(service) = ServiceName::parse(name)
        && !registry.lookup(&service).await?.is_empty()
    {
        return Ok(service);
    }
    Ok(ServiceName::parse("greeter")?)
}

/// What became of the calls.
#[derive(Default)]
struct Summary {
    /// How long each call took that succeeded, sorted.
    took: Vec<Duration>,
    failures: Vec<String>,
    elapsed: Duration,
}

impl Summary {
    fn text(&self) -> String {
        let calls = self.took.len() + self.failures.len();
        let rate = calls as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        let percentile = |percent: usize| {
            let at = (self.took.len() * percent / 100).min(self.took.len().saturating_sub(1));
            let took = self.took.get(at).copied().unwrap_or_default();
            format!("{:.3} ms", took.as_secs_f64() * 1000.0)
        };
        format!(
            "ok {}, failed {}, {rate:.0} requests/s, p50 {}, p99 {}",
            self.took.len(),
            self.failures.len(),
            percentile(50),
            percentile(99)
        )
    }
}

/// Calls `count` times, `concurrency` at a time.
async fn call(
    greeter: GreeterClient,
    name: &str,
    count: usize,
    concurrency: usize,
) -> Result<Summary, BoxError> {
    let left = Arc::new(AtomicUsize::new(count));
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..concurrency.clamp(1, count.max(1)) {
        callers.spawn(keep_calling(
            greeter.clone(),
            name.to_owned(),
            Arc::clone(&left),
        ));
    }
    let mut sum = Summary::default();
    while let Some(caller) = callers.join_next().await {
        let part = caller?;
        sum.took.extend(part.took);
        sum.failures.extend(part.failures);
    }
    sum.elapsed = started.elapsed();
    sum.took.sort_unstable();
    Ok(sum)
}

async fn keep_calling(greeter: GreeterClient, name: String, left: Arc<AtomicUsize>) -> Summary {
    let mut sum = Summary::default();
    let expected = format!("hello {name}");
    while left
        .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
        .is_ok()
    {
        let started = Instant::now();
        let request = HelloRequest { name: name.clone() };
        match greeter.hello(request).await {
            Ok(reply) if reply.message == expected => sum.took.push(started.elapsed()),
            Ok(reply) => sum
                .failures
                .push(format!("unexpected reply {:?}", reply.message)),
            Err(error) => sum.failures.push(error.to_string()),
        }
    }
    sum
}
