//! The service: ordinary serde types, sent as JSON or MessagePack.

use gufo_server::core::{Context, Status, Streaming};
use serde::{Deserialize, Serialize};

/// What is looked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Query {
    /// A part of the title.
    pub title: String,
}

/// A book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// Its title.
    pub title: String,
    /// The year it was printed in.
    pub year: u16,
}

/// Finds books.
#[gufo_server::service(name = "consumer.Library")]
pub trait Library {
    /// The first book that fits.
    #[method(no_side_effects)]
    async fn find(&self, ctx: &Context, query: Query) -> Result<Book, Status>;

    /// Every book that fits.
    async fn list(&self, ctx: &Context, query: Query) -> Result<Streaming<Book>, Status>;
}

/// Books on a shelf.
#[derive(Clone, Debug, Default)]
pub struct Shelf(pub Vec<Book>);

impl Shelf {
    fn fitting<'a>(&'a self, query: &'a Query) -> impl Iterator<Item = &'a Book> {
        let fits = |book: &&Book| book.title.contains(&query.title);
        self.0.iter().filter(fits)
    }
}

impl Library for Shelf {
    async fn find(&self, _: &Context, query: Query) -> Result<Book, Status> {
        let found = self.fitting(&query).next().cloned();
        found.ok_or_else(|| Status::not_found(format!("no book is called {:?}", query.title)))
    }

    async fn list(&self, _: &Context, query: Query) -> Result<Streaming<Book>, Status> {
        let found: Vec<_> = self.fitting(&query).cloned().collect();
        Ok(Streaming::iter(found))
    }
}
