use super::*;
use crate::Code;
use crate::random::{Random, SplitMix};
use std::time::Duration;

fn url(text: &str) -> BackendUrl {
    BackendUrl::parse(text).unwrap()
}

#[track_caller]
fn refused(text: &str, wanted: &str) {
    let error = BackendUrl::parse(text).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{text}");
    assert!(
        error.message().contains(wanted),
        "{text}: {:?} lacks {wanted:?}",
        error.message()
    );
}

#[test]
fn every_part_is_read() {
    let url = url("etcd+tls://ann@a.example:2379,[::1]:80,b/prod/eu?ttl=10s&durable");

    assert_eq!(
        (url.scheme(), url.is_tls(), url.is_unix()),
        ("etcd", true, false)
    );
    assert_eq!(url.user(), Some("ann"));
    let hosts: Vec<_> = url
        .hosts()
        .iter()
        .map(|host| (host.name(), host.port()))
        .collect();
    assert_eq!(
        hosts,
        [("a.example", Some(2379)), ("::1", Some(80)), ("b", None)]
    );
    assert_eq!(url.hosts()[1].with_port(1), "[::1]:80");
    assert_eq!(url.hosts()[2].with_port(1), "b:1");
    assert_eq!(url.namespace().unwrap().unwrap().as_str(), "prod/eu");
    let mut reader = url.reader();
    assert_eq!(
        reader.take::<Duration>("ttl").unwrap(),
        Some(Duration::from_secs(10))
    );
    assert_eq!(reader.take_flag("durable").unwrap(), Some(true));
}

#[test]
fn memory_urls_may_be_bare_or_named() {
    assert!(url("memory://").hosts().is_empty());
    assert_eq!(url("memory://demo").hosts()[0].name(), "demo");
    assert_eq!(url("MEMORY://Demo").to_string(), "memory://Demo");
}

#[test]
fn a_unix_url_names_a_socket() {
    let url = url("grpc+tls+unix:///run/my%20app.sock");

    assert!(url.is_tls() && url.is_unix());
    assert_eq!(url.path(), "/run/my app.sock");
    assert_eq!(url.to_string(), "grpc+tls+unix:///run/my%20app.sock");
    for wrong in [
        "grpc+unix://",
        "grpc+unix://host/path",
        "grpc+unix://ann@host/path",
    ] {
        refused(wrong, "names a socket and no host");
    }
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    for (text, wanted) in [
        ("", "no `://`"),
        ("etcd:host", "no `://`"),
        ("://host", "scheme"),
        ("3tcd://host", "scheme"),
        ("et_cd://host", "scheme"),
        ("etcd+ssl://host", "modifier"),
        ("etcd+tls+tls://host", "modifier"),
        ("etcd+unix+tls:///path", "modifier"),
        ("etcd://a,,b", "host is empty"),
        ("etcd://:80", "host is empty"),
        ("etcd://a b", "' ' at position 8"),
        ("etcd://grüß", "'ü'"),
        ("etcd://host#part", "'#'"),
        ("etcd://ho%73t", "'%' at position 2"),
        ("etcd://host:", "port"),
        ("etcd://host:65536", "port"),
        ("etcd://host:+80", "port"),
        ("etcd://::1:80", "host is empty"),
        ("etcd://fe80::1", "brackets"),
        ("etcd://[::1", "']'"),
        ("etcd://[::1]80", "']'"),
        ("etcd://[host]", "IPv6"),
        ("etcd://@host", "'@'"),
        ("etcd://ann@", "'@'"),
        ("etcd://a@b@host", "%40"),
        ("etcd://host/a@b", "%40"),
        ("etcd://host/%zz", "path"),
        ("etcd://host/%f", "path"),
        ("etcd://host/%ff", "path"),
        ("etcd://host/%0a", "path"),
        ("etcd://host?", "empty key"),
        ("etcd://host?=1", "empty key"),
        ("etcd://host?a=1&a=2", "`a` stands twice"),
        ("etcd://host?Ttl=1s", "'T' at position 0"),
    ] {
        refused(text, wanted);
    }
    refused(&format!("etcd://{}", "a".repeat(MAX_LEN)), "limit");
}

#[test]
fn a_password_needs_permission_and_is_never_shown() {
    for text in [
        "nats://ann:hoot@host",
        "nats://host?password=hoot",
        "nats://host?token=hoot",
        "nats://ann:12/hoot@host?allow_inline_password=true",
        "nats://ann:hoot@ho@st?allow_inline_password=true",
        "nats://ann:hoot,x@host?allow_inline_password=true",
        "nats://ann:hoot@host:port?allow_inline_password=true",
    ] {
        let error = BackendUrl::parse(text).unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("hoot"),
            "{text}: {error:?}"
        );
    }

    let url = url("nats://ann:h%6Fot@host?token=hoot&allow_inline_password=true");

    assert_eq!(url.password().unwrap().expose(), "hoot");
    assert_eq!(url.to_string(), "nats://ann:***@host?token=***");
    assert!(!format!("{url:?}").contains("hoot"));
    refused("nats://host?allow_inline_password=true", "no password");
    refused(
        "nats://ann:x@host?allow_inline_password=maybe",
        "true or false",
    );
}

#[test]
fn what_nobody_took_is_refused_by_name() {
    for (text, wanted) in [
        ("memory+tls://", "`+tls`"),
        ("memory+unix:///path", "`+unix`"),
        ("memory://name", "a host"),
        ("memory:///path", "a path"),
        ("memory://ann@host", "a user"),
        ("memory://?ttl=10s", "takes no keys"),
    ] {
        let error = url(text).reader().finish().unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(
            error.message().contains(wanted),
            "{text}: {:?}",
            error.message()
        );
    }
}

#[test]
fn an_unknown_key_names_the_known_ones_and_the_nearest() {
    let url = url("etcd://host?dail_timeout=1s");
    let mut reader = url.reader();
    reader.take_hosts();
    reader.take::<Duration>("ttl").unwrap();
    reader.take::<Duration>("dial_timeout").unwrap();

    let error = reader.finish().unwrap_err();

    assert_eq!(
        error.message(),
        "`etcd` urls do not take the key `dail_timeout`; did you mean `dial_timeout`? (known keys: ttl, dial_timeout)"
    );
}

#[test]
fn a_wrong_value_names_its_key() {
    let url = url("etcd://host?ttl=10&flag=yes&size");
    let mut reader = url.reader();

    let ttl = reader.take::<Duration>("ttl").unwrap_err();
    let flag = reader.take_flag("flag").unwrap_err();
    let size = reader.take::<u64>("size").unwrap_err();

    assert!(ttl.message().starts_with("key `ttl`: expected a duration"));
    assert!(
        flag.message()
            .starts_with("key `flag`: expected true or false")
    );
    assert!(size.message().contains("key `size` has no value"));
}

#[test]
fn printing_and_parsing_agree_on_random_input() {
    let seed = 20_260_801;
    let random = SplitMix::new(seed);
    let pieces = [
        "etcd",
        "memory",
        "+tls",
        "+unix",
        "://",
        "/",
        "?",
        "&",
        "=",
        ",",
        ":",
        "@",
        "[::1]",
        "host",
        "2379",
        "%20",
        "%E2%82%AC",
        "%",
        "a",
        "key",
        "ttl=10s",
        "..",
        "é",
        "#",
        " ",
        "[",
        "]",
        "user:pass@",
        "allow_inline_password=true",
    ];
    let mut parsed = 0;
    for round in 0..20_000 {
        let mut text = String::from(if round % 2 == 0 { "etcd://host" } else { "" });
        for _ in 0..random.below(9) {
            text.push_str(pieces[random.below(pieces.len() as u64) as usize]);
        }
        let Ok(url) = BackendUrl::parse(&text) else {
            continue;
        };
        if url.to_string().contains("***") {
            continue;
        }
        parsed += 1;
        let again = BackendUrl::parse(&url.to_string())
            .unwrap_or_else(|error| panic!("seed {seed}: {text:?} printed as {url}: {error}"));
        assert_eq!(again.to_string(), url.to_string(), "seed {seed}: {text:?}");
    }
    assert!(
        parsed > 1_000,
        "only {parsed} inputs were legal: the property was not tested"
    );
}

#[test]
fn a_url_of_several_hosts_splits_into_one_each() {
    let split = |text| {
        let url = BackendUrl::parse(text).unwrap();
        url.per_host()
            .map(|each| each.to_string())
            .collect::<Vec<_>>()
    };

    assert_eq!(
        split("grpc+tls://a:1,b:2?x=y"),
        ["grpc+tls://a:1?x=y", "grpc+tls://b:2?x=y"]
    );
    assert_eq!(split("grpc+unix:///run/x"), ["grpc+unix:///run/x"]);
}
