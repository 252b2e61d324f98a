//! The loop that drives one connection: read what has come, begin its calls, write what they gave.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use gufo_core::{
    BoxFuture, Cancel, Context, Dispatch, Format, Kind as MethodKind, ListenOptions, Metadata,
    Payload, Peer, Reply, Route, Status,
};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::Sleep,
};

use super::{LAST_WORD, call, part};
use crate::{
    encoding::Encoding,
    native::{
        end,
        frame::{
            self, DEFINE_METHOD, DEFINE_NAME, Frame, Kind, LONGEST_DEFINED, MAX_METHODS, MAX_NAMES,
            flag,
        },
        hello::Hello,
        intake::Intake,
        link::{Link, put_go_away},
        messages::decompressed,
        open::{Named, Open},
        out::Out,
        reply,
        room::Room,
        stream::Stream,
        wire::{self, Names, Violation},
    },
    socket::{Pulse, Socket, Verdict},
};

/// No more is read from a peer while so much waits for it to read.
const BACKLOG: usize = 4 << 20;

/// Serves a connection until it is over.
pub(super) async fn serve(
    socket: Socket,
    buffer: BytesMut,
    dispatch: Arc<dyn Dispatch>,
    options: Arc<ListenOptions>,
    peer: Peer,
    (ours, theirs): (Hello, Hello),
    drain: Cancel,
) {
    let formats = ours
        .formats
        .iter()
        .map(|name| dispatch.formats().find(name))
        .collect();
    let mut driver = Driver {
        socket,
        intake: Intake::new(buffer),
        out: Out::default(),
        link: Arc::new(Link::new()),
        room: Room::new(options.limits.receive),
        tables: Tables {
            methods: Vec::new(),
            names: Names::default(),
            formats,
        },
        calls: Vec::new(),
        tasks: JoinSet::new(),
        pulse: Pulse::new(&options),
        dispatch,
        options,
        peer: Arc::new(peer),
        theirs,
        drain: Some(Box::pin(async move { drain.cancelled().await })),
        last_word: None,
        // Its HELLO was something.
        heard: true,
        used: false,
        peer_left: false,
        broken: None,
        yielded: false,
    };
    std::future::poll_fn(|cx| driver.poll(cx)).await;
    if let Some(violation) = driver.broken.take() {
        driver.end_calls();
        put_go_away(&mut driver.out, 1, violation.0);
        // In a box: of what every connection takes, this is to be no part.
        Box::pin(part(&mut driver.socket, &mut driver.out)).await;
    }
}

/// What the peer has given numbers.
struct Tables {
    methods: Vec<Known>,
    names: Names,
    formats: Vec<Option<Format>>,
}

struct Known {
    path: Box<str>,
    route: Option<Arc<Route>>,
}

/// A call that takes more than a frame.
struct Entry {
    stream: Arc<Stream>,
    task: AbortHandle,
}

struct Driver {
    socket: Socket,
    intake: Intake,
    /// What goes out next: calls that are answered at once write here.
    out: Out,
    /// Where all others write.
    link: Arc<Link>,
    /// Memory for requests that come in parts.
    room: Arc<Room>,
    tables: Tables,
    /// By number; what is not there or finished is free.
    calls: Vec<Option<Entry>>,
    tasks: JoinSet<()>,
    pulse: Pulse,
    dispatch: Arc<dyn Dispatch>,
    options: Arc<ListenOptions>,
    peer: Arc<Peer>,
    theirs: Hello,
    /// `None` once draining.
    drain: Option<BoxFuture<'static, ()>>,
    /// How long a peer that was told to go away may take to say that it heard.
    last_word: Option<Pin<Box<Sleep>>>,
    /// Something came, or a call ran, since the pulse last looked.
    heard: bool,
    used: bool,
    /// The peer opens no more calls.
    peer_left: bool,
    /// What the peer did that ended the connection.
    broken: Option<Violation>,
    yielded: bool,
}

/// How a connection ends.
enum Ended {
    /// The peer is gone.
    Gone,
    /// The peer broke the protocol.
    Broken(Violation),
}

impl From<Violation> for Ended {
    fn from(violation: Violation) -> Self {
        Self::Broken(violation)
    }
}

impl Driver {
    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        // Calls in other tasks wake this one for each reply. Letting them all run first turns
        // their replies into one write.
        if !self.yielded && !self.link.is_empty() {
            self.yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.yielded = false;

        self.poll_drain(cx);
        while let Poll::Ready(Some(_)) = self.tasks.poll_join_next(cx) {}
        if self.poll_pulse(cx).is_ready() {
            return Poll::Ready(());
        }
        loop {
            let read = match self.poll_read(cx) {
                Ok(read) => read,
                Err(Ended::Gone) => return Poll::Ready(()),
                Err(Ended::Broken(violation)) => {
                    tracing::debug!(peer = ?self.peer.address, violation = violation.0, "closed");
                    self.broken = Some(violation);
                    return Poll::Ready(());
                }
            };
            // What was left alone because of it, when it has gone, is taken up again.
            let full = self.is_full();
            if !full {
                self.link.take(&mut self.out, cx);
            }
            match self.out.poll_write(&mut self.socket, cx) {
                Poll::Ready(Ok(())) if self.is_done() => return Poll::Ready(()),
                Poll::Ready(Ok(())) if read || full => {}
                Poll::Ready(Ok(())) => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                // There is room for more to be begun, and more of it may have come.
                Poll::Pending if (read || full) && !self.is_full() => {}
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Whether so much waits for the peer to read that no more is done for it.
    fn is_full(&self) -> bool {
        self.out.len() >= BACKLOG
    }

    /// Whether more calls were given up than may run: each is there until its task has heard of
    /// it.
    fn is_crowded(&self) -> bool {
        self.tasks.len() > 2 * self.options.limits.calls as usize
    }

    /// Whether the peer may be left: it or this side is going away, and no call runs.
    fn is_done(&self) -> bool {
        (self.peer_left || (self.last_word_is_over() && self.drain.is_none()))
            && self.out.is_empty()
            && self.link.is_empty()
            && !self.runs()
    }

    fn last_word_is_over(&self) -> bool {
        self.last_word
            .as_ref()
            .is_some_and(|last_word| last_word.is_elapsed())
    }

    fn runs(&self) -> bool {
        self.calls
            .iter()
            .flatten()
            .any(|entry| !entry.stream.is_finished())
    }

    fn poll_drain(&mut self, cx: &mut TaskContext<'_>) {
        if let Some(drain) = &mut self.drain
            && drain.as_mut().poll(cx).is_ready()
        {
            self.drain = None;
            self.go_away();
        }
        if let Some(last_word) = &mut self.last_word {
            let _ = last_word.as_mut().poll(cx);
        }
    }

    fn go_away(&mut self) {
        if self.last_word.is_none() {
            self.link.leave("the server is going away");
            self.last_word = Some(Box::pin(tokio::time::sleep(LAST_WORD)));
        }
    }

    /// Ready when the peer is to be given up.
    fn poll_pulse(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        if self.pulse.poll_tick(cx).is_pending() {
            return Poll::Pending;
        }
        let runs = self.runs();
        let used = std::mem::take(&mut self.used) || runs;
        let heard = std::mem::take(&mut self.heard);
        if !heard {
            self.give_back();
        }
        match self.pulse.look(heard, self.out.len(), used) {
            Verdict::Alive => {}
            Verdict::Ask => {
                self.pulse.asked();
                frame::put_small(&mut self.out, Kind::Ping, 0, |out| {
                    out.extend_from_slice(&[0; 8]);
                });
            }
            Verdict::Idle => {
                self.drain = None;
                self.go_away();
                let _ = self.last_word.as_mut().map(|wait| wait.as_mut().poll(cx));
            }
            Verdict::Dead => return Poll::Ready(()),
        }
        Poll::Pending
    }

    /// Gives back memory that an idle connection does not need.
    fn give_back(&mut self) {
        self.intake.give_back();
        self.out.shrink();
        while self.calls.last().is_some_and(|entry| {
            entry
                .as_ref()
                .is_none_or(|entry| entry.stream.is_finished())
        }) {
            self.calls.pop();
        }
        self.calls.shrink_to_fit();
    }

    /// Reads once and handles what came; false when there is nothing now.
    fn poll_read(&mut self, cx: &mut TaskContext<'_>) -> Result<bool, Ended> {
        // What came with the handshake is handled before anything is waited for.
        loop {
            self.handle_all()?;
            if self.is_full() {
                return Ok(false);
            }
            if !self.is_crowded() {
                break;
            }
            if self.tasks.poll_join_next(cx).is_pending() {
                return Ok(false);
            }
        }
        match self.intake.poll_read(&mut self.socket, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0) | Err(_)) => Err(Ended::Gone),
            Poll::Ready(Ok(_)) => {
                self.heard = true;
                self.handle_all()?;
                Ok(true)
            }
        }
    }

    fn handle_all(&mut self) -> Result<(), Violation> {
        while !self.is_full() && !self.is_crowded() {
            let Some(frame) = self.intake.next()? else {
                break;
            };
            self.handle(frame)?;
        }
        Ok(())
    }

    fn handle(&mut self, frame: Frame) -> Result<(), Violation> {
        let Frame {
            kind,
            call,
            mut body,
        } = frame;
        match kind {
            Kind::Open => self.open(call, body)?,
            Kind::Data => {
                let flags = body
                    .try_get_u8()
                    .map_err(|_| Violation("a DATA is empty"))?;
                // A call that is over may have been sent more before its caller heard.
                if let Some(stream) = self.running(call) {
                    if flags & flag::MESSAGE != 0 {
                        stream.receive(flags, body)?;
                    }
                    if flags & flag::LAST != 0 {
                        stream.receive_end(Ok(Metadata::new()));
                    }
                }
            }
            Kind::Cancel => self.cancel(call),
            Kind::Credit => {
                let credit = wire::varint(&mut body)?;
                if let Some(stream) = self.running(call) {
                    stream.add_credit(credit)?;
                }
            }
            Kind::Define => self.define(&body)?,
            Kind::Ping => frame::put(&mut self.out, Kind::Pong, 0, |_| {}, body),
            Kind::Pong => self.pulse.answered(),
            Kind::GoAway => self.peer_left = true,
            Kind::Hello => return Err(Violation("a second HELLO")),
            Kind::Head | Kind::Reply | Kind::End => {
                return Err(Violation("a client sent what only servers send"));
            }
        }
        Ok(())
    }

    fn running(&self, call: u32) -> Option<&Arc<Stream>> {
        let entry = self.calls.get(call as usize)?.as_ref()?;
        Some(&entry.stream).filter(|stream| !stream.is_finished())
    }

    fn define(&mut self, body: &[u8]) -> Result<(), Violation> {
        match body.split_first() {
            Some((_, text)) if text.len() > LONGEST_DEFINED => {
                Err(Violation("a DEFINE is longer than allowed"))
            }
            Some((&DEFINE_METHOD, path)) => {
                if self.tables.methods.len() >= MAX_METHODS {
                    return Err(Violation("more methods are defined than allowed"));
                }
                let path = std::str::from_utf8(path)
                    .map_err(|_| Violation("the path of a method is not UTF-8"))?;
                self.tables.methods.push(Known {
                    path: path.into(),
                    route: self.dispatch.route(path),
                });
                Ok(())
            }
            Some((&DEFINE_NAME, name)) => self.tables.names.define(name, MAX_NAMES),
            // Something a later version numbers.
            Some(_) => Ok(()),
            None => Err(Violation("a DEFINE is empty")),
        }
    }

    fn cancel(&mut self, call: u32) {
        let Some(entry) = self.calls.get_mut(call as usize).and_then(Option::take) else {
            return;
        };
        let end = Err(Status::cancelled("the caller gave the call up"));
        entry.stream.finish(|writer| end::put(writer, call, &end));
        entry.stream.receive_end(end);
        entry.task.abort();
    }

    fn open(&mut self, id: u32, mut body: Bytes) -> Result<(), Violation> {
        if self.peer_left {
            return Err(Violation("a call was opened after GOAWAY"));
        }
        if id >= self.options.limits.calls {
            return Err(Violation("the number of a call is over the limit of calls"));
        }
        if self.running(id).is_some() {
            return Err(Violation("the number of a call that runs was used again"));
        }
        self.used = true;
        let open = Open::read(&mut body)?;
        match self.begin(&open)? {
            Err(status) => self.end(id, &Err(status)),
            Ok(begun) => {
                let whole = flag::LAST | flag::MESSAGE;
                let unary = begun.route.method.kind() == MethodKind::Unary;
                let at_once = unary && open.flags & (whole | flag::MORE) == whole;
                if at_once && !self.link.backlog.is_full() {
                    self.unary(id, begun, body, open.flags & flag::COMPRESSED != 0);
                } else {
                    self.stream(id, begun, &open, body)?;
                }
            }
        }
        Ok(())
    }

    /// Outside: the connection is broken; inside: the call is refused.
    fn begin(&self, open: &Open) -> Result<Result<Begun, Status>, Violation> {
        let metadata = if open.metadata.is_empty() {
            Ok(Metadata::new())
        } else {
            let limit = self.options.limits.metadata;
            wire::metadata(open.metadata.clone(), &self.tables.names, limit)?
        };
        let unknown_number = Violation("a number is used that was not defined");
        let route = match &open.method {
            Named::Number(number) => {
                let known = self.tables.methods.get(number - 1).ok_or(unknown_number)?;
                let route = known.route.clone();
                route.ok_or_else(|| self.dispatch.unknown(&known.path))
            }
            Named::Text(path) => {
                let route = self.dispatch.route(path);
                route.ok_or_else(|| self.dispatch.unknown(path))
            }
        };
        let format = match &open.format {
            Named::Number(number) => {
                let known = self.tables.formats.get(number - 1).ok_or(unknown_number)?;
                known.clone().ok_or("?")
            }
            Named::Text(name) => {
                let found = self.dispatch.formats().find(name);
                found.ok_or(name.as_str())
            }
        };
        Ok((|| {
            let (route, metadata) = (route?, metadata?);
            let format = format.map_err(|name| {
                let known = self.dispatch.formats().names();
                Status::unimplemented(format!(
                    "format {name:?} is not known here; known are {known}"
                ))
            })?;
            let compression = open.compression()?;
            let peer = Some(Arc::clone(&self.peer));
            let method = route.method.clone();
            let encoding = Encoding {
                format: format.clone(),
                compression,
                limit: self.options.limits.send,
            };
            let mut ctx = Context::incoming(method, format, metadata, open.deadline, peer);
            ctx.set_eager(true);
            Ok(Begun {
                route,
                ctx,
                encoding,
            })
        })())
    }

    /// Ends a call that runs in no task.
    fn end(&mut self, id: u32, end: &Result<Metadata, Status>) {
        self.link.write(|writer| end::put(writer, id, end));
    }

    /// Answers a call that came in one frame: at once when its handler does not have to wait.
    fn unary(&mut self, id: u32, begun: Begun, message: Bytes, compressed: bool) {
        let Begun {
            route,
            ctx,
            encoding,
        } = begun;
        let limit = self.options.limits.receive;
        let message = if message.len() > limit {
            Err(Status::resource_exhausted(format!(
                "message of {} bytes is over the limit of {limit}",
                message.len()
            )))
        } else {
            decompressed(message, compressed, encoding.compression, limit)
        };
        let request = match message {
            Ok(request) => request,
            Err(status) => return self.end(id, &Err(status)),
        };
        let answer = route.handler.unary(ctx, Payload::Encoded(request));
        match answer.now() {
            Ok(Ok(reply)) => self.reply(id, reply, &encoding),
            Ok(Err(status)) => self.end(id, &Err(status)),
            Err(answer) => {
                let stream = self.new_stream(id);
                stream.deafen();
                let metadata_limit = self.options.limits.metadata;
                self.spawn(
                    Arc::clone(&stream),
                    call::unary(stream, answer, encoding, metadata_limit),
                );
            }
        }
    }

    /// Answers a unary call.
    fn reply(&mut self, id: u32, reply: Reply, encoding: &Encoding) {
        let Reply {
            metadata,
            message,
            trailers,
        } = reply;
        let limit = self.options.limits.metadata;
        let bytes = metadata
            .check_size(limit)
            .and_then(|()| trailers.check_size(limit))
            .map_err(Status::from)
            .and_then(|()| encoding.body(message));
        let compressed = encoding.compression.is_some();
        match bytes {
            Err(status) => self.end(id, &Err(status)),
            Ok(bytes) if !reply::fits(&bytes, &metadata, &trailers) => {
                let stream = self.new_stream(id);
                stream.deafen();
                let sending =
                    call::large_reply(Arc::clone(&stream), bytes, compressed, metadata, trailers);
                self.spawn(stream, sending);
            }
            // Nothing of it needs a number of the link's.
            Ok(bytes) if metadata.is_empty() && trailers.is_empty() => {
                reply::put_bare(&mut self.out, id, bytes, compressed);
            }
            Ok(bytes) => self.link.write(|writer| {
                reply::put(writer, id, bytes, compressed, &metadata, &trailers);
            }),
        }
    }

    fn new_stream(&self, id: u32) -> Arc<Stream> {
        let link = Arc::clone(&self.link);
        Stream::new(id, link, self.options.limits.receive, self.theirs.credit)
    }

    fn spawn(&mut self, stream: Arc<Stream>, task: impl Future<Output = ()> + Send + 'static) {
        let index = stream.id as usize;
        let task = self.tasks.spawn(call::ended(Arc::clone(&stream), task));
        if self.calls.len() <= index {
            self.calls.resize_with(index + 1, || None);
        }
        if let Some(place) = self.calls.get_mut(index) {
            *place = Some(Entry { stream, task });
        }
    }

    /// Begins a call whose messages come as they come.
    fn stream(
        &mut self,
        id: u32,
        begun: Begun,
        open: &Open,
        message: Bytes,
    ) -> Result<(), Violation> {
        let stream = self.new_stream(id);
        if open.flags & flag::MESSAGE != 0 {
            stream.receive(open.flags, message)?;
        }
        if open.flags & flag::LAST != 0 {
            stream.receive_end(Ok(Metadata::new()));
        }
        let task = call::streaming(
            Arc::clone(&stream),
            begun.route,
            begun.ctx,
            begun.encoding,
            Arc::clone(&self.options),
            Arc::clone(&self.room),
        );
        self.spawn(stream, task);
        Ok(())
    }
}

/// A call whose OPEN is understood.
struct Begun {
    route: Arc<Route>,
    ctx: Context,
    encoding: Encoding,
}

impl Driver {
    /// Gives up everything that runs.
    fn end_calls(&mut self) {
        self.tasks.abort_all();
        self.link.close();
        for entry in self.calls.iter_mut().filter_map(Option::take) {
            entry.stream.finish(|_| {});
            let gone = Status::cancelled("the caller gave the call up");
            entry.stream.receive_end(Err(gone));
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.end_calls();
    }
}
