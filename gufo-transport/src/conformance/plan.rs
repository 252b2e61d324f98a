//! What a check's server serves, and within which limits.

use std::sync::Arc;

use gufo_core::{
    Codec, ConnectOptions, Context, Dispatch, Formats, Handler, ListenOptions, Method, Response,
    Route, Status, Streaming, codec::ProstSerde, handler,
};

use super::{
    guard::Guarded,
    message::{BIDI, CLIENT_STREAM, ECHO, Note, SERVER_STREAM, UNARY},
};

/// What a check's server serves, and the options of both sides.
pub(super) struct Plan {
    routes: Vec<Arc<Route>>,
    formats: Formats,
    pub(super) listen: ListenOptions,
    pub(super) connect: ConnectOptions,
}

/// Writes the method that adds a handler of one kind.
macro_rules! adds {
    ($name:ident, $constructor:ident, $method:ident, $request:ty, $reply:ty) => {
        pub(super) fn $name<F, Fut, R>(self, function: F) -> Self
        where
            F: Fn(Context, $request) -> Fut + Send + Sync + 'static,
            Fut: Future<Output = Result<R, Status>> + Send + 'static,
            R: Into<Response<$reply>> + 'static,
        {
            self.route(
                &$method,
                handler::$constructor::<ProstSerde, Note, Note, R, F, Fut>(function),
            )
        }
    };
}

impl Plan {
    /// Serves [`ECHO`] alone, with the default options.
    pub(super) fn new() -> Self {
        let plan = Self {
            routes: Vec::new(),
            formats: Formats::builtin(),
            listen: ListenOptions::default(),
            connect: ConnectOptions::default(),
        };
        let echo = |_: Context, note: Note| async move { Ok::<Note, Status>(note) };
        plan.route(
            &ECHO,
            handler::unary::<ProstSerde, Note, Note, _, _, _>(echo),
        )
    }

    /// Adds a method, or replaces it.
    pub(super) fn route(self, method: &'static Method, handler: Arc<dyn Handler>) -> Self {
        self.unguarded(method, Arc::new(Guarded(handler)))
    }

    /// Adds a method whose panics nobody catches.
    pub(super) fn unguarded(mut self, method: &'static Method, handler: Arc<dyn Handler>) -> Self {
        self.routes.retain(|known| *known.method != *method);
        let method = method.into();
        self.routes.push(Arc::new(Route { method, handler }));
        self
    }

    adds!(unary, unary, UNARY, Note, Note);
    adds!(
        client_stream,
        client_stream,
        CLIENT_STREAM,
        Streaming<Note>,
        Note
    );
    adds!(
        server_stream,
        server_stream,
        SERVER_STREAM,
        Note,
        Streaming<Note>
    );
    adds!(bidi, bidi, BIDI, Streaming<Note>, Streaming<Note>);

    /// Serves each kind by sending back what it is sent.
    pub(super) fn mirrors() -> Self {
        Self::new()
            .unary(|_, note| async move { Ok(note) })
            .server_stream(|_, note| async move {
                Ok(Streaming::iter(super::message::numbered(note.number)))
            })
            .client_stream(|_, mut notes| async move {
                let mut sum = Note::default();
                while let Some(note) = notes.next().await? {
                    sum.number += note.number;
                    sum.text.push_str(&note.text);
                }
                Ok(sum)
            })
            .bidi(|_, notes| async move { Ok(notes) })
    }

    /// Lets the server know a codec.
    pub(super) fn codec(mut self, codec: impl Codec) -> Self {
        self.formats = self.formats.with(codec);
        self
    }

    /// Changes how the server listens.
    pub(super) fn listen(mut self, change: impl FnOnce(&mut ListenOptions)) -> Self {
        change(&mut self.listen);
        self
    }

    /// Changes how clients connect.
    pub(super) fn connect(mut self, change: impl FnOnce(&mut ConnectOptions)) -> Self {
        change(&mut self.connect);
        self
    }
}

impl Dispatch for Plan {
    fn route(&self, path: &str) -> Option<Arc<Route>> {
        let mut routes = self.routes.iter();
        routes.find(|route| route.method.path() == path).cloned()
    }

    fn formats(&self) -> &Formats {
        &self.formats
    }
}
