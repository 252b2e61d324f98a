//! From a path to what answers it.

use gufo_core::{Code, Dispatch as _, Kind, Method, Service};
use gufo_server::Server;

use crate::fixture::{UNARY, call, caller, echo, router, unary, unary_service};

#[test]
fn every_method_is_found_by_its_own_path_only() {
    let paths: Vec<_> = (0..200).map(|n| format!("/test.Test/Method{n}")).collect();
    let service = paths.iter().fold(Service::new("test.Test"), |all, path| {
        let method = Method::parse(Kind::Unary, path).expect("legal");
        all.route(method, echo())
    });
    let router = router(Server::builder().service(service));

    for path in &paths {
        let route = router.route(path).expect("registered");
        assert_eq!(route.method.path(), path);
    }
    for path in [
        "",
        "/",
        "/test.Test/",
        "/test.Test/Method",
        "/test.Test/Method200",
    ] {
        assert!(router.route(path).is_none(), "{path}");
    }
}

#[test]
fn an_unknown_method_is_told_from_an_unknown_service() {
    let router = router(Server::builder().service(unary_service(echo())));

    let method = router.unknown("/test.Test/Hoot");
    let service = router.unknown("/no.Such/Hoot");

    assert_eq!(method.code(), Code::Unimplemented);
    assert_eq!(method.message(), "service test.Test has no method Hoot");
    assert_eq!(service.code(), Code::Unimplemented);
    assert_eq!(service.message(), "there is no service no.Such here");
}

#[test]
fn a_long_unknown_path_does_not_come_back_whole() {
    let router = router(Server::builder());

    let status = router.unknown(&format!("/{}/x", "s".repeat(100_000)));

    assert!(status.message().len() < 200);
}

#[tokio::test]
async fn a_call_in_process_of_an_unknown_method_is_unimplemented() {
    let caller = caller(Service::new("test.Test"));

    let failed = call(&caller).await.expect_err("unknown");

    assert_eq!(failed.code(), Code::Unimplemented);
}

#[test]
fn what_is_added_twice_is_refused() {
    let same_service = Server::builder()
        .service(unary_service(echo()))
        .service(unary_service(echo()));
    let same_method = Server::builder()
        .service(unary_service(echo()))
        .service(Service::new("other.Name").route(&UNARY, echo()));

    for builder in [same_service, same_method] {
        let error = builder.into_router().expect_err("twice");
        assert_eq!(error.code(), Code::AlreadyExists);
    }
}

#[test]
fn a_mistake_in_the_builder_is_told_at_the_end() {
    for builder in [
        Server::builder().name("no good name"),
        Server::builder().version("1 beta"),
        Server::builder().advertise("no-url"),
    ] {
        let error = builder.into_router().expect_err("a mistake");
        assert_eq!(error.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn two_servers_in_one_process_share_nothing() {
    let one = caller(unary_service(unary(|_, _| async { Ok("one".into()) })));
    let two = caller(unary_service(unary(|_, _| async { Ok("two".into()) })));

    assert_eq!(call(&one).await.expect("served"), "one");
    assert_eq!(call(&two).await.expect("served"), "two");
}
