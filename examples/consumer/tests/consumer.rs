//! The library, served over gRPC and found in the registry of this crate.

use std::sync::Arc;

use consumer::{Book, LibraryClient, Phonebook, Query, Shelf, open_library};
use gufo_server::core::{
    Caller, Code, ConnectOptions, Error, Format, Handler, Registry, Result, ServiceName,
};

fn shelf() -> Shelf {
    let book = |title: &str, year| Book {
        title: title.into(),
        year,
    };
    Shelf(vec![
        book("Owls of the north", 1911),
        book("The lynx", 1954),
        book("Owls at night", 1987),
    ])
}

fn query(title: &str) -> Query {
    Query {
        title: title.into(),
    }
}

fn service() -> ServiceName {
    ServiceName::parse("consumer.Library").expect("legal")
}

/// A client of the first node of the registry, over a connection of the transport: a connection is
/// a handler, and clients are made of handlers.
async fn connect(phonebook: &Phonebook) -> Result<LibraryClient> {
    let snapshot = phonebook.lookup(&service()).await?;
    let endpoint = snapshot
        .nodes()
        .iter()
        .find_map(|node| node.endpoint("grpc"));
    let endpoint = endpoint.ok_or_else(|| Error::unavailable("nobody is registered"))?;
    let transports = gufo_transport::builtin();
    let transport = transports.find(endpoint.scheme())?;
    let connection = transport
        .connect(endpoint.url(), ConnectOptions::default())
        .await?;
    let handler: Arc<dyn Handler> = connection;
    Ok(LibraryClient::from(Caller::new(handler)))
}

#[tokio::test]
async fn a_service_without_the_facade_answers_over_grpc() -> Result<()> {
    let phonebook = Phonebook::default();
    let server = open_library(shelf(), &phonebook).await?;
    let library = connect(&phonebook).await?;

    let lynx = library.find(query("lynx")).await?;
    let owls = library.list(query("Owls")).await?.collect().await?;
    let unknown = library.find(query("bear")).await;

    assert_eq!(lynx.year, 1954);
    assert_eq!(
        owls.iter().map(|book| book.year).collect::<Vec<_>>(),
        [1911, 1987]
    );
    assert_eq!(unknown.expect_err("no bear").code(), Code::NotFound);
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn formats_are_those_of_the_features_turned_on() -> Result<()> {
    let phonebook = Phonebook::default();
    let server = open_library(shelf(), &phonebook).await?;
    let library = connect(&phonebook).await?;

    let json = library.find(query("lynx")).format(Format::Json).await;
    let protobuf = library.find(query("lynx")).format(Format::Protobuf).await;

    assert!(json.is_ok());
    assert_eq!(
        protobuf.expect_err("serde types").code(),
        Code::Unimplemented
    );
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_watch_sees_the_server_come_and_go() -> Result<()> {
    let phonebook = Phonebook::default();
    let mut watch = phonebook.watch(&service()).await?;
    assert!(watch.current().is_empty());

    let server = open_library(shelf(), &phonebook).await?;
    let up = watch.changed().await.expect("the watch goes on");
    let urls: Vec<_> = up
        .nodes()
        .iter()
        .map(|node| node.endpoints[0].to_string())
        .collect();
    assert_eq!(urls, server.urls());

    server.stop().await;
    let down = watch.changed().await.expect("the watch goes on");
    assert!(down.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_node_registered_again_ends_the_earlier_lease() -> Result<()> {
    let phonebook = Phonebook::default();
    let server = open_library(shelf(), &phonebook).await?;
    let node = server.nodes().remove(0);

    let later = phonebook
        .register((*node).clone(), Default::default())
        .await?;
    server.stop().await;

    assert_eq!(phonebook.lookup(&service()).await?.len(), 1);
    later.revoke().await?;
    assert!(phonebook.lookup(&service()).await?.is_empty());
    Ok(())
}
