//! The list of checks: the one place that names them all.

use super::{
    Check,
    checks::{calls, streams},
};

/// Hands the list to the macro `$then`: `number name "promise";`, by module.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_checks {
    ($then:ident) => {
        $crate::$then! {
            calls {
                "T1" echo_with_headers "Body and headers come back unchanged.";
                "T2" handler_error_surfaces "A failing handler is an error with its code and message at the caller, never an empty success.";
                "T9" no_header_leak "Calls sharing a connection never see headers, ids or user metadata of another call.";
                "T10" unary "A unary call returns message, headers and trailers.";
                "T38" unknown_method "An unknown service or method gives `Unimplemented`.";
            }
            streams {
                "T11" stream_shapes "Client, server and bidirectional streams each deliver every message in order and end with status and trailers.";
                "T13" half_close "After the client half-closes, the server sees the end and can still send.";
            }
        }
    };
}

/// Tests for each check; the harness is `super::__harness()`.
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_tests {
    ($($module:ident { $($id:literal $name:ident $promise:literal;)* })*) => {$(
        mod $module {$(
            #[doc = $promise]
            #[test]
            fn $name() {
                let name = concat!(stringify!($module), "::", stringify!($name));
                $crate::conformance::test(name, super::__harness());
            }
        )*}
    )*};
}

/// One `#[test]` per check; see the [module](crate::conformance).
#[doc(hidden)]
#[macro_export]
macro_rules! __transport_suite {
    ($harness:expr) => {
        fn __harness() -> impl $crate::conformance::Harness {
            $harness
        }

        $crate::__transport_checks!(__transport_tests);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __transport_table {
    ($($module:ident { $($id:literal $name:ident $promise:literal;)* })*) => {
        /// Every check of the suite.
        pub const CHECKS: &[Check] = &[$($(
            Check {
                id: $id,
                name: concat!(stringify!($module), "::", stringify!($name)),
                promise: $promise,
                run: |bed| Box::pin($module::$name(bed)),
            },
        )*)*];
    };
}

crate::__transport_checks!(__transport_table);
