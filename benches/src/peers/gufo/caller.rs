//! A channel under load.

use std::time::Duration;

use bytes::Bytes;
use gufo_benches::Caller;
use gufo_core::codec::Prost;
use gufo_core::{Call, Many, One, Status, Streaming};

use super::Dress;
use super::service::{Echo, STREAM, UNARY};
use crate::Result;

#[derive(Clone)]
pub(crate) struct GufoCaller {
    channel: gufo_core::Caller,
    dress: Dress,
}

impl GufoCaller {
    pub(super) const fn new(channel: gufo_core::Caller, dress: Dress) -> Self {
        Self { channel, dress }
    }

    fn open(&self, requests: Streaming<Echo>) -> Call<Prost, Many<Echo>, Many<Echo>> {
        let call = Call::new(&self.channel, &STREAM, Many(requests));
        match self.dress {
            Dress::Plain => call,
            Dress::Full => call.metadata("x-tenant", "owls"),
        }
    }
}

impl Caller for GufoCaller {
    async fn unary(&mut self, body: Bytes) -> Result<Bytes> {
        let call: Call<Prost, One<Echo>, One<Echo>> =
            Call::new(&self.channel, &UNARY, One(Echo { body }));
        let reply = match self.dress {
            Dress::Plain => call.await?,
            Dress::Full => call.metadata("x-tenant", "owls").await?,
        };
        Ok(reply.body)
    }

    async fn stream(&mut self, body: Bytes, count: u64) -> Result<u64> {
        let sent = (0..count).map(move |_| Echo { body: body.clone() });
        let mut replies = self.open(Streaming::iter(sent)).await?;
        let mut echoed = 0;
        while replies.next().await?.is_some() {
            echoed += 1;
        }
        Ok(echoed)
    }

    async fn hold_stream(&mut self, body: Bytes) -> Result<Box<dyn Send>> {
        let (requests, sent) = Streaming::<Echo, Status>::channel(1);
        requests.send(Echo { body }).await?;
        let mut replies = self.open(sent).timeout(Duration::from_secs(600)).await?;
        replies
            .next()
            .await?
            .ok_or("the stream ended before its first echo")?;
        Ok(Box::new((requests, replies)))
    }
}
