//! Encoding and decoding in every format.

use bytes::Bytes;
use gufo_core::codec::{ProstSerde, Raw};
use gufo_core::{Format, Wire};
use serde::{Deserialize, Serialize};

use super::Group;
use crate::Result;

/// A message of the usual kind: a few strings, numbers and a nested list.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
struct Order {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    customer: String,
    #[prost(uint64, tag = "3")]
    created_at: u64,
    #[prost(bool, tag = "4")]
    paid: bool,
    #[prost(message, repeated, tag = "5")]
    items: Vec<Item>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
struct Item {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint32, tag = "2")]
    count: u32,
    #[prost(double, tag = "3")]
    price: f64,
}

fn order() -> Order {
    let item = |name: &str, count, price| Item {
        name: name.to_owned(),
        count,
        price,
    };
    Order {
        id: "0190a6f4-7a1c-7d3e-9c55-2f1b8f2f7a10".to_owned(),
        customer: "Tawny Owl".to_owned(),
        created_at: 1_760_000_000_000,
        paid: true,
        items: vec![
            item("mouse", 3, 1.5),
            item("vole", 2, 2.25),
            item("beetle", 40, 0.125),
        ],
    }
}

pub(super) fn group() -> Result<Group> {
    let mut group = Group::new("Codec: an order with three items");
    for format in [Format::Protobuf, Format::Json, Format::MessagePack] {
        let encoded = ProstSerde::encode(&order(), &format)?;
        let (encode, size) = (format.clone(), encoded.len());
        let message = order();
        group = group
            .step(format!("{format} encode ({size} B)"), move || {
                ProstSerde::encode(&message, &encode)
            })
            .step(format!("{format} decode"), move || -> Result<Order, _> {
                ProstSerde::decode(encoded.clone(), &format)
            });
    }
    let bytes = Bytes::from(vec![0x5a; 1024]);
    Ok(group.step("raw encode and decode (1 KiB)", move || {
        Raw::decode(Raw::encode(&bytes, &Format::Raw)?, &Format::Raw)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_survives_every_format() {
        for format in [Format::Protobuf, Format::Json, Format::MessagePack] {
            let encoded = ProstSerde::encode(&order(), &format).unwrap();
            let decoded: Order = ProstSerde::decode(encoded, &format).unwrap();

            assert_eq!(decoded, order(), "{format}");
        }
    }
}
