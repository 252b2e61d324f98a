//! Arguments of `#[gufo::service]`.

use gufo_macros::service;

#[service]
trait NoName {}

#[service(codecs(json))]
trait NoNameEither {}

#[service(name = "greeter/Greeter")]
trait WrongName {}

#[service(name = "")]
trait EmptyName {}

#[service(name = greeter)]
trait NotText {}

#[service(name = "a.B", name = "a.C")]
trait TwoNames {}

#[service(name = "a.B", codec(json))]
trait UnknownArgument {}

#[service(name = "a.B", codecs(protobuff))]
trait UnknownCodec {}

#[service(name = "a.B", codecs())]
trait NoCodec {}

#[service(name = "a.B", codecs(json, json))]
trait CodecTwice {}

#[service(name = "a.B", codecs(raw, json))]
trait RawAndMore {}

#[service(name = "a.B", codecs(msgpack))]
trait MessagePackAlone {}

#[service(name = "a.B", crate = "gufo_core")]
trait CrateAsText {}

fn main() {}
