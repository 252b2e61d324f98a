//! The client's end, with its faults.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use gufo_core::{
    Answer, BoxFuture, Cancel, Code, Connection, ConnectionState, Context, Deadline, Format,
    Handler, Messages, Metadata, Payload, Replies, Reply, Retry, Status, Values,
};
use parking_lot::Mutex;

use crate::{
    fault::Fault,
    messages::{Item, Replied, detached, lock_step, tampered},
};

#[derive(Debug)]
pub(crate) struct BrokenConnection {
    inner: Arc<dyn Connection>,
    fault: Fault,
    leaked: Arc<Mutex<Metadata>>,
    counted: AtomicUsize,
    failed: Cancel,
    closed: Cancel,
    held: Arc<Mutex<Option<Reply>>>,
}

impl BrokenConnection {
    pub(crate) fn new(inner: Arc<dyn Connection>, fault: Fault) -> Self {
        Self {
            inner,
            fault,
            leaked: Arc::default(),
            counted: AtomicUsize::new(0),
            failed: Cancel::new(),
            closed: Cancel::new(),
            held: Arc::default(),
        }
    }

    fn spoil(&self, ctx: &mut Context) -> Result<(), Status> {
        self.counted.fetch_add(1, Ordering::AcqRel);
        match self.fault {
            Fault::HeadersLeak => {
                let mut leaked = self.leaked.lock();
                let own = ctx.metadata().clone();
                ctx.metadata_mut()
                    .extend(std::mem::replace(&mut leaked, own));
            }
            Fault::RequestMetadataDropped => *ctx.metadata_mut() = Metadata::new(),
            Fault::DeadlineNotTold => ctx.set_deadline(Deadline::NONE),
            Fault::OneFormat if !matches!(ctx.format(), Format::Custom(_)) => {
                ctx.set_format(Format::Protobuf);
            }
            Fault::NoCustomCodecs if matches!(ctx.format(), Format::Custom(_)) => {
                return Err(Status::unimplemented("no such codec"));
            }
            Fault::Congested if self.inner.in_flight() > 100 => {
                return Err(Status::unavailable("too much traffic"));
            }
            Fault::CompressionCorrupts if ctx.compression().is_some() => {
                return Err(Status::internal("the message is damaged"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn spoiled(fault: Fault, status: Status) -> Status {
    match fault {
        Fault::UnknownIsInternal if status.code() == Code::Unimplemented => {
            Status::internal(status.message())
        }
        Fault::GarbageIsInternal if status.code() == Code::InvalidArgument => {
            Status::internal(status.message())
        }
        Fault::DetailsDropped => status.with_details(Vec::new()),
        Fault::RefusalUnclear => status.with_retry(Retry::Maybe),
        _ => status,
    }
}

fn without_binary(metadata: &Metadata) -> Metadata {
    let mut text = Metadata::new();
    for (key, value) in metadata.iter().filter(|(key, _)| !key.is_binary()) {
        text.push(key.clone(), value.clone())
            .expect("it was metadata before");
    }
    text
}

fn spoiled_reply(fault: Fault, mut reply: Reply) -> Reply {
    match fault {
        Fault::TrailersDropped => reply.trailers = Metadata::new(),
        Fault::BinaryDropped => {
            reply.metadata = without_binary(&reply.metadata);
            reply.trailers = without_binary(&reply.trailers);
        }
        Fault::LargeCut => {
            if let Payload::Encoded(bytes) = &mut reply.message {
                // A message of nothing but one long text is cut to none.
                if bytes.len() > 64 << 10 {
                    bytes.clear();
                }
            }
        }
        _ => {}
    }
    reply
}

impl Handler for BrokenConnection {
    fn unary(&self, mut ctx: Context, request: Payload) -> Answer<Reply> {
        if let Err(status) = self.spoil(&mut ctx) {
            return status.into();
        }
        let fault = self.fault;
        let mut answer = self.inner.unary(ctx, request);
        if fault == Fault::UnaryRunsOn {
            // At once: a call may be dropped before it is polled.
            let running = tokio::spawn(answer);
            answer = Answer::later(async move { running.await.expect("not panicked") });
        }
        let (closed, held) = (self.closed.clone(), Arc::clone(&self.held));
        Answer::later(async move {
            let answer = match fault {
                Fault::PanicHangs => match tokio::spawn(answer).await {
                    Ok(answer) => answer,
                    Err(_) => pending().await,
                },
                Fault::CloseKills => tokio::select! {
                    answer = answer => answer,
                    () = closed.cancelled() => Err(Status::unavailable("closed")),
                },
                _ => answer.await,
            };
            let reply = match answer {
                Ok(reply) => spoiled_reply(fault, reply),
                Err(_) if fault == Fault::ErrorsSwallowed => {
                    Reply::new(Payload::Encoded(gufo_core::Bytes::new()))
                }
                Err(status) => return Err(spoiled(fault, status)),
            };
            if fault != Fault::RepliesMixedUp {
                return Ok(reply);
            }
            // The second of two calls gets the reply of the first.
            let before = held.lock().replace(reply);
            tokio::task::yield_now().await;
            let now = held.lock().take();
            Ok(before
                .or(now)
                .unwrap_or_else(|| Reply::new(Payload::Encoded(gufo_core::Bytes::new()))))
        })
    }

    fn stream(&self, mut ctx: Context, requests: Messages) -> Answer<Replies> {
        if let Err(status) = self.spoil(&mut ctx) {
            return status.into();
        }
        if self.fault == Fault::DeadlineOfTheHead {
            ctx.set_deadline(Deadline::NONE);
        }
        let fault = self.fault;
        let requests = spoiled_requests(fault, requests);
        let (inner, failed) = (Arc::clone(&self.inner), self.failed.clone());
        Answer::later(async move {
            let replied = Arc::new(Replied::default());
            let requests = match fault {
                Fault::HalfDuplex => all_of(requests).await,
                Fault::LockStep => lock_step(requests, &replied),
                _ => requests,
            };
            let opening = inner.stream(ctx, requests);
            let opened = if fault == Fault::OpeningRunsOn {
                tokio::spawn(opening).await.expect("not panicked")
            } else {
                opening.await
            };
            let replies = opened.map_err(|status| spoiled(fault, status))?;
            let messages = spoiled_replies(fault, replies.messages, failed);
            let messages = tampered(messages, move |item, ready| {
                replied.count();
                ready.push_back(item);
            });
            Ok(Replies {
                metadata: replies.metadata,
                messages,
            })
        })
    }

    fn values(&self) -> Values {
        self.inner.values()
    }
}

async fn all_of(mut requests: Messages) -> Messages {
    let mut all = Vec::new();
    while let Some(item) = requests.next().await {
        all.push(item);
    }
    let mut all = Some(all);
    tampered(Messages::empty(), move |_, ready| {
        ready.extend(all.take().into_iter().flatten().map(Some));
        ready.push_back(None);
    })
}

fn spoiled_requests(fault: Fault, requests: Messages) -> Messages {
    match fault {
        Fault::RequestsReadOn | Fault::EagerRequests => detached(requests),
        Fault::FirstRequestLost => {
            let mut first = true;
            tampered(requests, move |item, ready| {
                let lost = std::mem::take(&mut first) && item.is_some();
                if !lost {
                    ready.push_back(item);
                }
            })
        }
        Fault::EndNotTold => tampered(requests, |item, ready| {
            if item.is_some() {
                ready.push_back(item);
            }
        }),
        _ => requests,
    }
}

fn spoiled_replies(fault: Fault, replies: Messages, failed: Cancel) -> Messages {
    match fault {
        Fault::RepliesReadOn | Fault::EagerReplies => detached(replies),
        Fault::TrailersDropped => tampered_without_trailers(replies),
        Fault::ReplyAbortIsAnEnd => tampered(replies, |item, ready| {
            ready.push_back(item.filter(Result::is_ok));
        }),
        Fault::PanicTruncates => tampered(replies, |item, ready| {
            let panicked = |item: &Result<_, Status>| matches!(item, Err(status) if status.code() == Code::Internal);
            ready.push_back(item.filter(|item| !panicked(item)));
        }),
        Fault::EmptyIsAnError => {
            let mut any = false;
            tampered(replies, move |item, ready| {
                any |= item.is_some();
                ready.push_back(
                    item.or_else(|| (!any).then(|| Err(Status::internal("no message at all")))),
                );
            })
        }
        Fault::LastReplyLost => {
            let mut last: Option<Item> = None;
            tampered(replies, move |item, ready| {
                if matches!(item, Some(Ok(_))) {
                    ready.extend(last.replace(item));
                } else {
                    ready.push_back(item);
                }
            })
        }
        Fault::Reorders => {
            let (mut count, mut kept) = (0, None);
            tampered(replies, move |item, ready| {
                count += 1;
                if count == 2000 && item.is_some() {
                    kept = item;
                } else {
                    ready.push_back(item);
                    ready.extend(kept.take().map(Some));
                }
            })
        }
        Fault::OneFailsAll => tampered(replies, move |item, ready| {
            if matches!(item, Some(Err(_))) {
                failed.cancel();
            }
            ready.push_back(if failed.is_cancelled() {
                Some(Err(Status::unavailable("the connection failed")))
            } else {
                item
            });
        }),
        _ => replies,
    }
}

fn tampered_without_trailers(replies: Messages) -> Messages {
    detached(replies)
}

impl Connection for BrokenConnection {
    fn state(&self) -> ConnectionState {
        match self.fault {
            Fault::StateLies => ConnectionState::Ready,
            _ => self.inner.state(),
        }
    }

    fn in_flight(&self) -> usize {
        match self.fault {
            Fault::CountLeaks => self.counted.load(Ordering::Acquire),
            _ => self.inner.in_flight(),
        }
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        self.inner.closed()
    }

    fn close(&self) {
        if self.fault != Fault::CloseIgnored {
            self.closed.cancel();
            self.inner.close();
        }
    }
}

impl Drop for BrokenConnection {
    fn drop(&mut self) {
        static KEPT: Mutex<Vec<Arc<dyn Connection>>> = Mutex::new(Vec::new());
        if self.fault == Fault::KeptForEver {
            KEPT.lock().push(Arc::clone(&self.inner));
        }
    }
}
