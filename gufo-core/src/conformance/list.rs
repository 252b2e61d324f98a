//! What is made of the list of a suite; see the [module](super).

/// `CHECKS`, and `run_of` to find what the macro `run!` beside it says of a check: a `Run`.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_table {
    ($($module:ident { $($id:literal $name:ident $promise:literal;)* })*) => {
        /// Every check of the suite.
        pub const CHECKS: &[$crate::conformance::Check] = &[$($(
            $crate::conformance::Check::new(
                $id,
                concat!(stringify!($module), "::", stringify!($name)),
                $promise,
            ),
        )*)*];

        /// How the check of this name is run; the failure is that there is none.
        pub(super) fn run_of(name: &str) -> Result<Run, $crate::conformance::Failure> {
            const RUNS: &[Run] = &[$($(run!($module::$name),)*)*];
            let place = CHECKS.iter().position(|check| check.name == name);
            match place.and_then(|place| RUNS.get(place)) {
                Some(run) => Ok(*run),
                None => Err($crate::conformance::Failure::new(format!(
                    "there is no check `{name}`"
                ))),
            }
        }
    };
}

/// A `#[test]` for each check, in modules, which asks `__check(name)` beside it for the verdict.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($($module:ident { $($id:literal $name:ident $promise:literal;)* })*) => {$(
        mod $module {$(
            #[doc = $promise]
            #[test]
            fn $name() {
                let name = concat!(stringify!($module), "::", stringify!($name));
                if let Err(failure) = super::__check(name) {
                    panic!("{} {}: {failure}", $id, $promise);
                }
            }
        )*}
    )*};
}
