//! The task that drives a client's connection.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use bytes::{Buf, BytesMut};
use gufo_core::{Metadata, Status};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{Shared, slots::After};
use crate::{
    native::{
        end,
        frame::{self, DEFINE_NAME, Frame, Kind, LONGEST_DEFINED, MAX_NAMES, flag},
        intake::Intake,
        link::put_go_away,
        out::Out,
        reply,
        wire::{self, Names, Violation},
    },
    socket::Socket,
};

/// No more is taken from calls while so much waits for the server to read.
const BACKLOG: usize = 4 << 20;

pub(super) async fn drive(socket: Socket, buffer: BytesMut, shared: Arc<Shared>) {
    let look = Instant::now() + shared.options.keep_alive_interval;
    let mut driver = Driver {
        socket,
        intake: Intake::new(buffer),
        out: Out::default(),
        names: Names::default(),
        after: After::default(),
        look: Box::pin(sleep_until(look)),
        asked: false,
        heard: false,
        yielded: false,
        shared: Arc::clone(&shared),
    };
    let _close = CloseOnDrop(shared);
    std::future::poll_fn(|cx| driver.poll(cx)).await;
}

/// However the driver ends, no call waits for it any longer.
struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.closed.cancel();
        self.0.link.close();
        let lost = Status::unavailable("the connection was lost");
        self.0.slots.fail_all(&lost);
    }
}

struct Driver {
    socket: Socket,
    intake: Intake,
    out: Out,
    names: Names,
    after: After,
    /// When to look whether the server is alive.
    look: Pin<Box<Sleep>>,
    asked: bool,
    heard: bool,
    yielded: bool,
    shared: Arc<Shared>,
}

impl Driver {
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        // Callers in other tasks wake this one for each call. Letting them all run first turns
        // their requests into one write.
        if !self.yielded && !self.shared.link.is_empty() {
            self.yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.yielded = false;

        loop {
            let read = match self.poll_read(cx) {
                Ok(Some(read)) => read,
                Ok(None) => return Poll::Ready(()),
                Err(violation) => {
                    tracing::debug!(violation = violation.0, "connection closed");
                    put_go_away(&mut self.out, 1, violation.0);
                    let _ = self.out.poll_write(&mut self.socket, cx);
                    return Poll::Ready(());
                }
            };
            self.after.wake();
            // What was left alone because of it, when it has gone, is taken up again.
            let full = self.is_full();
            if !full {
                self.shared.link.take(&mut self.out, cx);
            }
            match self.out.poll_write(&mut self.socket, cx) {
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(())) if self.is_done() => return Poll::Ready(()),
                Poll::Ready(Ok(())) | Poll::Pending if read || (full && !self.is_full()) => {}
                Poll::Ready(Ok(())) | Poll::Pending => break,
            }
        }
        self.poll_alive(cx)
    }

    /// Whether so much waits for the server to read that calls wait with what they send.
    fn is_full(&self) -> bool {
        self.out.len() >= BACKLOG
    }

    /// This side wants to leave, has said so, and its calls are done.
    fn is_done(&self) -> bool {
        self.shared.link.has_left() && self.shared.link.is_empty() && self.shared.slots.are_free()
    }

    /// Reads once; `None` when the server is gone, false when there is nothing now.
    fn poll_read(&mut self, cx: &mut TaskContext<'_>) -> Result<Option<bool>, Violation> {
        self.handle_all()?;
        match self.intake.poll_read(&mut self.socket, cx) {
            Poll::Pending => Ok(Some(false)),
            Poll::Ready(Ok(0) | Err(_)) => Ok(None),
            Poll::Ready(Ok(_)) => {
                self.heard = true;
                self.handle_all()?;
                Ok(Some(true))
            }
        }
    }

    /// Handles all frames that have come, under one lock.
    fn handle_all(&mut self) -> Result<(), Violation> {
        let shared = Arc::clone(&self.shared);
        if !self.intake.is_ready() {
            return Ok(());
        }
        {
            let mut table = shared.slots.lock();
            while let Some(frame) = self.intake.next()? {
                self.handle(&shared, &mut table, frame)?;
            }
        }
        for (id, credit) in self.after.credit.drain(..) {
            frame::put_small(&mut self.out, Kind::Credit, id, |out| {
                wire::put_varint(out, credit.unsigned_abs());
            });
        }
        Ok(())
    }

    fn handle(
        &mut self,
        shared: &Shared,
        table: &mut super::slots::Table,
        frame: Frame,
    ) -> Result<(), Violation> {
        let Frame {
            kind,
            call,
            mut body,
        } = frame;
        let limits = &shared.options.limits;
        match kind {
            Kind::Reply => {
                let reply = reply::read(body, &self.names, limits.metadata)?;
                let reply = reply.and_then(|reply| {
                    let size = reply.message.len();
                    if size <= limits.receive {
                        return Ok(reply);
                    }
                    Err(Status::resource_exhausted(format!(
                        "message of {size} bytes is over the limit of {}",
                        limits.receive
                    )))
                });
                shared.slots.replied(table, call, reply, &mut self.after)?;
            }
            Kind::End => {
                let end = end::read(body, &self.names, limits.metadata)?;
                shared.slots.ended(table, call, end, &mut self.after);
            }
            Kind::Head => {
                let flags = flags(&mut body)?;
                let metadata = if flags & flag::METADATA == 0 {
                    Ok(Metadata::new())
                } else {
                    wire::metadata(wire::bytes(&mut body)?, &self.names, limits.metadata)?
                };
                table.head(call, metadata, &mut self.after);
            }
            Kind::Data => {
                let flags = flags(&mut body)?;
                if flags & flag::MESSAGE != 0 {
                    table.data(call, flags, body, limits.receive, &mut self.after)?;
                }
            }
            Kind::Credit => {
                let credit = wire::varint(&mut body)?;
                if let Some(stream) = table.stream(call) {
                    stream.add_credit(credit)?;
                }
            }
            Kind::Define => match body.split_first() {
                Some((_, text)) if text.len() > LONGEST_DEFINED => {
                    return Err(Violation("a DEFINE is longer than allowed"));
                }
                Some((&DEFINE_NAME, name)) => self.names.define(name, MAX_NAMES)?,
                Some(_) => {}
                None => return Err(Violation("a DEFINE is empty")),
            },
            // A server that reads nothing hears nothing.
            Kind::Ping if self.is_full() => {}
            Kind::Ping => frame::put(&mut self.out, Kind::Pong, 0, |_| {}, body),
            Kind::Pong => self.asked = false,
            Kind::GoAway => {
                // Said back, so that the server knows that no further call is on its way.
                shared.draining.cancel();
                shared.leave();
            }
            Kind::Hello => return Err(Violation("a second HELLO")),
            Kind::Open | Kind::Cancel => {
                return Err(Violation("a server sent what only clients send"));
            }
        }
        Ok(())
    }

    /// Ready when the server does not answer.
    fn poll_alive(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        while self.look.as_mut().poll(cx).is_ready() {
            let heard = std::mem::take(&mut self.heard);
            if self.asked && !heard {
                tracing::debug!("closed: the server does not answer");
                return Poll::Ready(());
            }
            let calls = self.shared.slots.in_flight() > 0;
            if !heard && !calls {
                self.give_back();
            }
            // An idle connection without calls is not worth a ping.
            self.asked = !heard && calls;
            let options = &self.shared.options;
            let wait = if self.asked {
                self.shared.link.write(|writer| {
                    frame::put_small(&mut writer.out, Kind::Ping, 0, |out| {
                        out.extend_from_slice(&[0; 8]);
                    });
                });
                options.keep_alive_timeout
            } else {
                options.keep_alive_interval
            };
            self.look.as_mut().reset(Instant::now() + wait);
        }
        Poll::Pending
    }

    /// Gives back memory that an idle connection does not need.
    fn give_back(&mut self) {
        self.intake.give_back();
        self.out.shrink();
    }
}

fn flags(body: &mut bytes::Bytes) -> Result<u8, Violation> {
    body.try_get_u8()
        .map_err(|_| Violation("a frame of a call is empty"))
}
