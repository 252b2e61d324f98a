//! Streams: in each direction, with back-pressure, with an error in the middle, left early.
//!
//! `cargo run -p gufo-examples --bin streaming`

#![allow(clippy::print_stdout, reason = "an example that talks to its reader")]

use std::{process::ExitCode, sync::Arc};

use gufo::{Code, Streaming, prelude::*};
use gufo_examples::{BoxError, args, ensure};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A reading of a thermometer, in hundredths of a degree.
#[derive(Debug, Serialize, Deserialize)]
pub struct Reading {
    /// The temperature.
    pub value: i32,
}

/// How many readings, and the highest.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// How many.
    pub count: u32,
    /// The highest.
    pub highest: Option<i32>,
}

/// What to watch.
#[derive(Debug, Serialize, Deserialize)]
pub struct WatchRequest {
    /// Where to begin.
    pub from: i32,
}

/// A service that only streams.
#[gufo::service(name = "weather.Thermometer")]
pub trait Thermometer {
    /// Takes readings until the client has sent its last one.
    async fn record(&self, ctx: &Context, readings: Streaming<Reading>) -> Result<Report, Status>;

    /// Gives readings for as long as somebody reads them.
    async fn watch(
        &self,
        ctx: &Context,
        request: WatchRequest,
    ) -> Result<Streaming<Reading>, Status>;

    /// Gives each reading back in degrees Fahrenheit; refuses what is below absolute zero.
    async fn convert(
        &self,
        ctx: &Context,
        celsius: Streaming<Reading>,
    ) -> Result<Streaming<Reading>, Status>;
}

#[derive(Default)]
struct Window {
    /// Told when nobody reads the readings any more.
    left: Arc<Notify>,
}

impl Thermometer for Window {
    async fn record(
        &self,
        _: &Context,
        mut readings: Streaming<Reading>,
    ) -> Result<Report, Status> {
        let mut report = Report {
            count: 0,
            highest: None,
        };
        while let Some(reading) = readings.next().await? {
            report.count += 1;
            report.highest = report.highest.max(Some(reading.value));
        }
        Ok(report)
    }

    async fn watch(
        &self,
        _: &Context,
        request: WatchRequest,
    ) -> Result<Streaming<Reading>, Status> {
        // Room for one reading: the sender waits until the client takes what was sent.
        let (sender, readings) = Streaming::channel(1);
        let left = Arc::clone(&self.left);
        tokio::spawn(async move {
            for value in request.from.. {
                // An error says that nobody reads any more, so that the task ends with the call.
                if sender.send(Reading { value }).await.is_err() {
                    break;
                }
            }
            left.notify_one();
        });
        Ok(readings)
    }

    async fn convert(
        &self,
        _: &Context,
        mut celsius: Streaming<Reading>,
    ) -> Result<Streaming<Reading>, Status> {
        let (sender, fahrenheit) = Streaming::channel(1);
        tokio::spawn(async move {
            loop {
                let value = match celsius.next().await {
                    Ok(Some(reading)) if reading.value < -27_315 => {
                        return sender
                            .fail(Status::out_of_range("below absolute zero"))
                            .await;
                    }
                    Ok(Some(reading)) => reading.value * 9 / 5 + 3_200,
                    // The stream ended, or its client went away: dropping the sender ends ours.
                    Ok(None) | Err(_) => return,
                };
                if sender.send(Reading { value }).await.is_err() {
                    return;
                }
            }
        });
        Ok(fahrenheit)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    args::exit(run().await)
}

async fn run() -> Result<(), BoxError> {
    let window = Window::default();
    let left = Arc::clone(&window.left);
    let server = Server::builder()
        .listen("grpc://127.0.0.1:0")
        .service(ThermometerServer::new(window))
        .start()
        .await?;
    let url = server.urls().first().ok_or("the server listens nowhere")?;
    let thermometer = ThermometerClient::connect(url).await?;

    let readings = [1_850, 2_110, 1_990].map(|value| Reading { value });
    let report = thermometer.record(Streaming::iter(readings)).await?;
    println!(
        "client stream: {} readings, the highest {:?}",
        report.count, report.highest
    );
    ensure(
        report.count == 3 && report.highest == Some(2_110),
        "all readings count",
    )?;

    let mut watched = thermometer.watch(WatchRequest { from: 7 }).await?;
    for expected in 7..10 {
        let value = watched.next().await?.map(|reading| reading.value);
        println!("server stream: {value:?}");
        ensure(value == Some(expected), "readings come in order")?;
    }
    // The stream has no end of its own; dropping it tells the server to stop.
    drop(watched);
    left.notified().await;
    println!("server stream: left, and the server has noticed");

    let (celsius, requests) = Streaming::channel(1);
    let mut fahrenheit = thermometer.convert(requests).await?;
    celsius.send(Reading { value: 2_000 }).await?;
    let value = fahrenheit.next().await?.map(|reading| reading.value);
    println!("both ways: 20.00 degrees Celsius are {value:?} hundredths Fahrenheit");
    ensure(value == Some(6_800), "each reading is answered as it comes")?;
    celsius.send(Reading { value: -30_000 }).await?;
    let Err(error) = fahrenheit.next().await else {
        return Err("not as promised: a reading below absolute zero was taken".into());
    };
    println!("both ways: ended in the middle by {error}");
    ensure(
        error.code() == Code::OutOfRange,
        "the status ends the stream",
    )?;

    server.stop().await;
    Ok(())
}
