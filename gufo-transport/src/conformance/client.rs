//! The client of the suite's service.

use std::sync::Arc;

use gufo_core::{
    Call, Caller, Connection, Defaults, Format, Handler, Many, Method, One, Streaming,
    codec::ProstSerde,
};

use super::message::{BIDI, CLIENT_STREAM, ECHO, Note, SERVER_STREAM, UNARY};

pub(super) type UnaryCall = Call<ProstSerde, One<Note>, One<Note>>;
pub(super) type ClientStreamCall = Call<ProstSerde, Many<Note>, One<Note>>;
pub(super) type ServerStreamCall = Call<ProstSerde, One<Note>, Many<Note>>;
pub(super) type BidiCall = Call<ProstSerde, Many<Note>, Many<Note>>;

/// A connection and the calls it carries.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) connection: Arc<dyn Connection>,
    pub(super) caller: Caller,
}

impl Client {
    pub(super) fn new(connection: Arc<dyn Connection>, format: Option<Format>) -> Self {
        let mut defaults = Defaults::default();
        defaults.format = format;
        let handler: Arc<dyn Handler> = Arc::new(Arc::clone(&connection));
        Self {
            connection,
            caller: Caller::new(handler).with_defaults(defaults),
        }
    }

    pub(super) fn echo(&self, note: Note) -> UnaryCall {
        self.call(&ECHO, note)
    }

    pub(super) fn unary(&self, note: Note) -> UnaryCall {
        self.call(&UNARY, note)
    }

    pub(super) fn call(&self, method: &'static Method, note: Note) -> UnaryCall {
        Call::new(&self.caller, method, One(note))
    }

    pub(super) fn server_stream(&self, note: Note) -> ServerStreamCall {
        Call::new(&self.caller, &SERVER_STREAM, One(note))
    }

    pub(super) fn client_stream(&self, notes: Streaming<Note>) -> ClientStreamCall {
        Call::new(&self.caller, &CLIENT_STREAM, Many(notes))
    }

    pub(super) fn bidi(&self, notes: Streaming<Note>) -> BidiCall {
        Call::new(&self.caller, &BIDI, Many(notes))
    }
}
