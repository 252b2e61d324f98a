//! The suite on `unix://`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use gufo_core::Transport;
use gufo_transport::{
    conformance::{Address, Capabilities, Harness},
    native::NativeTransport,
};

struct Unix;

impl Harness for Unix {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(NativeTransport::new())
    }

    fn listen_url(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "gufo-conformance-native-{}-{}.sock",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        format!("unix://{}", std::env::temp_dir().join(name).display())
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::over(Address::Path)
    }
}

gufo_transport::conformance::suite!(Unix);
