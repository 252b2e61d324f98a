//! Every fault of the proxy, with raw sockets at both ends; and proxies that are each wrong in one
//! way, which those tests have to catch.
//!
//! Nothing here says that something happens soon enough: times are only ever too short or not.

mod bed;
mod broken;
mod carrying;
mod doors;
mod endings;
mod flows;
mod life;
mod scripts;
mod shapes;
mod times;

/// Tests out of checks: each runs on a proxy that is right.
macro_rules! checks {
    ($($check:ident),* $(,)?) => {
        mod checked {
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(crate::bed::Bed::right()).await;
                }
            )*
        }
    };
}
use checks;
