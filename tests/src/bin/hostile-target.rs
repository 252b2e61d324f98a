//! The service the suite `hostile` attacks, in a process of its own.

#[tokio::main]
async fn main() -> std::io::Result<()> {
    gufo_testkit::announce().await
}
