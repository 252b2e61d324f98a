//! Whole connections of the native transport: bytes from the other side, behind a handshake.
//!
//! However they go on, nobody panics, everything ends, no handler is left behind, and what comes
//! back stands in a proportion to what was sent.

use std::{
    cell::RefCell,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread::LocalKey,
    time::Duration,
};

use gufo_core::{
    BackendUrl, Bytes, Call, Caller, Cancel, ConnectOptions, Connection, Dispatch, Formats,
    ListenOptions, Listener, Many, Method, One, Route, Service, Status, Streaming, Transport,
    codec::Raw, handler,
};
use gufo_transport::native::NativeTransport;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    runtime::Runtime,
};

/// Nothing lasts so long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most memory a process may add while it runs these, in bytes.
const MEMORY: usize = 512 << 20;

/// Preface and HELLO of a peer with the least limits there may be.
const BEGINNING: &[u8] =
    b"GUFO\r\n\x01\x01\0\0\x09\x01\0\0\0\0\x06\x03\x80\x80\x08\x07\x02\x80\x20";

static ECHO: Method = Method::new(gufo_core::Kind::Unary, "/f.F/E");
static FOREVER: Method = Method::new(gufo_core::Kind::Unary, "/f.F/W");
static SUM: Method = Method::new(gufo_core::Kind::ClientStream, "/f.F/S");
static COUNT: Method = Method::new(gufo_core::Kind::ServerStream, "/f.F/C");
static CHAT: Method = Method::new(gufo_core::Kind::Bidi, "/f.F/B");

/// Handlers that are there.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

struct Running;

impl Running {
    fn begin() -> Self {
        RUNNING.fetch_add(1, SeqCst);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, SeqCst);
    }
}

/// A server of five methods.
struct Server {
    routes: Vec<Arc<Route>>,
    formats: Formats,
}

impl Dispatch for Server {
    fn route(&self, path: &str) -> Option<Arc<Route>> {
        let mut routes = self.routes.iter();
        routes.find(|route| route.method.path() == path).cloned()
    }

    fn formats(&self) -> &Formats {
        &self.formats
    }
}

fn server() -> Arc<dyn Dispatch> {
    let service = Service::new("f.F")
        .route(
            &ECHO,
            handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, request| async move {
                Ok::<_, Status>(request)
            }),
        )
        .route(
            &FOREVER,
            handler::unary::<Raw, Bytes, Bytes, Bytes, _, _>(|_, _| {
                let running = Running::begin();
                async move {
                    let _running = running;
                    std::future::pending::<Result<Bytes, Status>>().await
                }
            }),
        )
        .route(
            &SUM,
            handler::client_stream::<Raw, Bytes, Bytes, Bytes, _, _>(
                |_, mut requests: Streaming<Bytes>| {
                    let running = Running::begin();
                    async move {
                        let _running = running;
                        let mut bytes = 0;
                        while let Some(request) = requests.next().await? {
                            bytes += request.len();
                        }
                        Ok::<_, Status>(Bytes::from(bytes.to_string()))
                    }
                },
            ),
        )
        .route(
            &COUNT,
            handler::server_stream::<Raw, Bytes, Bytes, Streaming<Bytes>, _, _>(|_, _| async {
                let messages = (0..3).map(|_| Bytes::from_static(b"owl"));
                Ok::<_, Status>(Streaming::iter(messages))
            }),
        )
        .route(
            &CHAT,
            handler::bidi::<Raw, Bytes, Bytes, Streaming<Bytes>, _, _>(|_, requests| async move {
                Ok::<_, Status>(requests)
            }),
        );
    let routes = service.routes().iter().cloned().map(Arc::new).collect();
    let formats = Formats::builtin();
    Arc::new(Server { routes, formats })
}

/// What one thread runs its connections with.
struct Bed {
    runtime: Runtime,
    path: PathBuf,
    server: Arc<dyn Dispatch>,
    listener: Option<Box<dyn Listener>>,
    accepting: Option<UnixListener>,
}

impl Bed {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, SeqCst);
        let name = format!("gufo-fuzz-{}-{next}.sock", std::process::id());
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
            path: std::env::temp_dir().join(name),
            server: server(),
            listener: None,
            accepting: None,
        }
    }

    fn url(&self) -> BackendUrl {
        let url = format!("unix://{}", self.path.display());
        BackendUrl::parse(&url).expect("a url")
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // A listener of the transport removes it itself.
        let _ = std::fs::remove_file(&self.path);
    }
}

thread_local! {
    static SERVERS: RefCell<Option<Bed>> = const { RefCell::new(None) };
    static CLIENTS: RefCell<Option<Bed>> = const { RefCell::new(None) };
}

fn with_bed(beds: &'static LocalKey<RefCell<Option<Bed>>>, run: impl FnOnce(&mut Bed)) {
    static BEFORE: OnceLock<usize> = OnceLock::new();
    let before = *BEFORE.get_or_init(memory);
    beds.with_borrow_mut(|bed| run(bed.get_or_insert_with(Bed::new)));
    let more = memory().saturating_sub(before);
    assert!(more <= MEMORY, "{} MiB more", more >> 20);
}

/// The most memory of this process so far, in bytes; 0 where no kernel says so.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kib.unwrap_or_default() * 1024
}

/// Bytes of a client, to a server.
pub(crate) fn server_side(input: &[u8]) {
    with_bed(&SERVERS, |bed| {
        let url = bed.url();
        let Bed {
            runtime,
            path,
            server,
            listener,
            ..
        } = bed;
        runtime.block_on(async {
            let ended = tokio::time::timeout(PATIENCE, async {
                if listener.is_none() {
                    let mut options = ListenOptions::default();
                    options.limits.receive = 4096;
                    options.limits.metadata = 512;
                    options.limits.calls = 16;
                    let listening = NativeTransport::new().listen(url, options).await;
                    *listener = Some(listening.expect("a path of its own"));
                }
                let listener = listener.as_mut().expect("it was made");
                let client = UnixStream::connect(&*path).await.expect("it listens");
                let peer = listener.accept().await.expect("somebody is there");
                let serving = peer.serve(Arc::clone(server), Cancel::new());
                let (_, answered) = tokio::join!(serving, talk(client, input));
                answered
            })
            .await;
            let answered = ended.expect("everything ends");
            let most = 4096 + 64 * input.len();
            assert!(answered <= most, "{answered} bytes came back");
            settle().await;
        });
    });
}

/// Says the beginning and the input, then ends; how much came back.
async fn talk(socket: UnixStream, input: &[u8]) -> usize {
    let (mut from, mut to) = socket.into_split();
    let saying = async {
        // The other side may have closed already.
        let _ = to.write_all(BEGINNING).await;
        let _ = to.write_all(input).await;
        let _ = to.shutdown().await;
    };
    let hearing = async {
        let mut all = Vec::new();
        let _ = from.read_to_end(&mut all).await;
        all.len()
    };
    tokio::join!(saying, hearing).1
}

/// Waits until no handler is left.
async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        if RUNNING.load(SeqCst) == 0 {
            return;
        }
    }
    // Those of another thread may run at this moment.
    let gone = async {
        while RUNNING.load(SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let gone = tokio::time::timeout(PATIENCE, gone).await;
    gone.expect("no handler is left");
}

/// Bytes of a server, to a client with a call of every kind.
pub(crate) fn client_side(input: &[u8]) {
    with_bed(&CLIENTS, |bed| {
        let url = bed.url();
        let Bed {
            runtime,
            path,
            accepting,
            ..
        } = bed;
        runtime.block_on(async {
            let ended = tokio::time::timeout(PATIENCE, async {
                let listener = accepting
                    .get_or_insert_with(|| UnixListener::bind(&*path).expect("a free path"));
                let mut options = ConnectOptions::default();
                options.limits.receive = 4096;
                options.limits.metadata = 512;
                let connecting = NativeTransport::new().connect(url, options);
                let serving = async {
                    let (socket, _) = listener.accept().await.expect("somebody is there");
                    talk(socket, input).await
                };
                let calling = async {
                    if let Ok(connection) = connecting.await {
                        call(connection).await;
                    }
                };
                tokio::join!(serving, calling)
            })
            .await;
            ended.expect("everything ends");
        });
    });
}

/// A call of every kind, to its end.
async fn call(connection: Arc<dyn Connection>) {
    let caller = Caller::new(Arc::<dyn Connection>::clone(&connection));
    let owl = Bytes::from_static(b"owl");
    let one = Call::<Raw, One<Bytes>, One<Bytes>>::new(&caller, &ECHO, One(owl.clone()));
    let large = Bytes::from(vec![7; 200_000]);
    let large = Call::<Raw, One<Bytes>, One<Bytes>>::new(&caller, &ECHO, One(large));
    let count = Call::<Raw, One<Bytes>, Many<Bytes>>::new(&caller, &COUNT, One(owl));
    let counting = async {
        if let Ok(mut replies) = count.await {
            while let Ok(Some(_)) = replies.next().await {}
        }
    };
    // Whether they end well is up to the input.
    let _ = tokio::join!(one.into_future(), large.into_future(), counting);
    assert_eq!(connection.in_flight(), 0, "a call is left");
}
