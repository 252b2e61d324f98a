//! What cannot be described.

use gufo_macros::Describe;

#[derive(Describe)]
struct Generic<T> {
    value: T,
}

#[derive(Describe)]
struct Tuple(u8);

#[derive(Describe)]
union Either {
    one: u8,
    other: i8,
}

#[derive(Describe)]
enum WithData {
    Name(String),
}

#[derive(Describe)]
#[describe(package = "a")]
struct Argument {}

#[derive(prost::Oneof, Clone, PartialEq)]
enum Choice {
    #[prost(string, tag = "1")]
    Name(String),
}

#[derive(prost::Message, Clone, PartialEq, Describe)]
struct Choosing {
    #[prost(oneof = "Choice", tags = "1")]
    choice: Option<Choice>,
}

fn main() {}
