use super::*;

fn own(address: &str) -> impl FnOnce(IpAddr) -> io::Result<IpAddr> {
    let address = address.parse().expect("an address");
    move |_| Ok(address)
}

#[test]
fn an_address_of_every_interface_is_replaced_by_the_hosts_own() {
    let cases = [
        ("grpc://0.0.0.0:50051", "10.0.0.7", "grpc://10.0.0.7:50051"),
        ("grpc+tls://[::]:443", "fd00::7", "grpc+tls://[fd00::7]:443"),
        (
            "grpc://[::]:443/x?y=z",
            "10.0.0.7",
            "grpc://10.0.0.7:443/x?y=z",
        ),
        ("grpc://[::ffff:0.0.0.0]:1", "10.0.0.7", "grpc://10.0.0.7:1"),
    ];
    for (listening, address, expected) in cases {
        let endpoint = reachable(listening, own(address)).expect(listening);
        assert_eq!(endpoint.as_str(), expected);
    }
}

#[test]
fn any_other_address_stays_as_it_is() {
    for url in [
        "grpc://127.0.0.1:50051",
        "grpc://owl.example:50051",
        "grpc+unix:///run/owl.sock",
        "memory://greeter",
    ] {
        let endpoint = reachable(url, |_| panic!("nothing to look up")).expect(url);
        assert_eq!(endpoint.as_str(), url);
    }
}

#[test]
fn a_host_without_a_way_out_asks_for_an_explicit_address() {
    let nowhere = |_| Err(io::ErrorKind::NetworkUnreachable.into());

    let error = reachable("grpc://0.0.0.0:1", nowhere).expect_err("nowhere");

    assert!(error.message().contains("advertise(url)"), "{error}");
}

#[test]
fn a_way_out_that_is_no_address_is_not_advertised() {
    assert!(reachable("grpc://0.0.0.0:1", own("0.0.0.0")).is_err());
    assert!(reachable("grpc://0.0.0.0:0", own("10.0.0.7")).is_err());
}
