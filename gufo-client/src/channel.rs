//! Channel: connections to the nodes of a service, as one handler.

use std::sync::Arc;

use gufo_core::{
    Answer, Caller, Context, Deadline, Format, Handler, Messages, Payload, Replies, Reply, Result,
    Values,
};

use crate::{ChannelBuilder, pool::Pool};

/// Connections to the nodes of a service, used as one: each call goes over the less busy of two
/// connections chosen by chance.
///
/// A node that can be reached in several ways is reached in the best one, see
/// [`ChannelBuilder::prefer`]. Where that one cannot be connected within 250 ms the next best is
/// tried beside it, and what is connected first is used. The better ones are then tried again after
/// 1 s, and after waits that grow by 1.6 up to 1 min; once one is connected, new calls take it, and
/// those that run end where they are. However it is reached, a node has its one share of the calls.
///
/// Connections that end, or whose peer goes away, leave at once and are made again in the
/// background, with a back-off of 100 ms that grows by 1.6 up to 10 s, moved by chance by up to a
/// fifth. A call that finds no connection waits for one until its deadline, at most for the connect
/// timeout. A unary call that a connection refused before it was begun is sent once more over
/// another one.
///
/// Clones share everything. Connections close, after the calls they carry, with the last clone and
/// the last client made from it.
#[derive(Clone, Debug)]
pub struct Channel {
    pool: Pool,
    caller: Caller,
}

impl Channel {
    /// Starts to put a channel together.
    pub fn builder() -> ChannelBuilder {
        ChannelBuilder::new()
    }

    pub(crate) const fn new(pool: Pool, caller: Caller) -> Self {
        Self { pool, caller }
    }

    /// How many connections are ready now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.pool.endpoints().len()
    }

    /// The URLs of the endpoints that connections are ready to now, one for each connection: which
    /// nodes take calls, and over which transport.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Arc<str>> {
        self.pool.endpoints()
    }

    /// Waits until a connection is ready, at most for the connect timeout.
    ///
    /// # Errors
    /// `Unavailable` after the connect timeout and `DeadlineExceeded` after the deadline, naming
    /// the endpoint and its last error; at once what the transports answer when repeating cannot
    /// help.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn ready(&self, deadline: Deadline) -> Result<()> {
        self.pool.wait(deadline).await?;
        Ok(())
    }
}

impl Handler for Channel {
    fn unary(&self, ctx: Context, request: Payload) -> Answer<Reply> {
        self.caller.handler().unary(ctx, request)
    }

    fn stream(&self, ctx: Context, requests: Messages) -> Answer<Replies> {
        self.caller.handler().stream(ctx, requests)
    }

    fn values(&self) -> Values {
        self.caller.handler().values()
    }

    fn format(&self) -> Option<Format> {
        self.caller.handler().format()
    }
}

impl From<Channel> for Caller {
    fn from(channel: Channel) -> Self {
        channel.caller
    }
}

impl From<&Channel> for Caller {
    fn from(channel: &Channel) -> Self {
        channel.caller.clone()
    }
}

impl From<Channel> for Arc<dyn Handler> {
    fn from(channel: Channel) -> Self {
        Self::clone(channel.caller.handler())
    }
}
