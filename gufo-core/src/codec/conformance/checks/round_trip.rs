//! Checks that what is written is read.

use super::{
    super::{
        bed::Bed,
        messages::{Empty, Floats, Nested, Rich, Shapes, filled, sample, shapes},
    },
    messages_only,
};
use crate::{
    Code, Format, Wire,
    codec::Serde,
    conformance::{Failure, Outcome, Verdict, ensure, ensure_eq},
    random::Random,
};

pub(in super::super) fn rich_message(bed: &Bed) -> Verdict {
    messages_only!(bed);
    for message in [Rich::default(), sample(), filled()] {
        bed.comes_back(&message)?;
    }
    Ok(Outcome::Passed)
}

pub(in super::super) fn empty_message(bed: &Bed) -> Verdict {
    messages_only!(bed);
    bed.comes_back(&Empty {})?;
    Ok(Outcome::Passed)
}

pub(in super::super) fn recursive_message(bed: &Bed) -> Verdict {
    messages_only!(bed);
    bed.comes_back(&Nested::deep(30))?;
    let wide = Nested {
        children: (1..30).map(Nested::deep).collect(),
    };
    bed.comes_back(&wide)?;
    Ok(Outcome::Passed)
}

pub(in super::super) fn floats(bed: &Bed) -> Verdict {
    messages_only!(bed);
    let random = bed.random();
    let by_chance = std::iter::repeat_with(|| f64::from_bits(random.next_u64()));
    let mut doubles = vec![
        0.0,
        -0.0,
        0.1,
        -1.0 / 3.0,
        std::f64::consts::PI,
        1e15 + 0.3,
        f64::EPSILON,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        f64::MAX,
        f64::MIN,
        2f64.powi(53),
    ];
    doubles.extend(by_chance.filter(|real| real.is_finite()).take(500));
    let singles = vec![0.0, -0.0, 0.1, f32::MIN_POSITIVE, f32::MAX, f32::MIN];
    let message = Floats { doubles, singles };

    let read: Floats = bed.accepted(&bed.encode(&message)?)?;

    // As bits, since 0.0 equals -0.0.
    let bits = |message: &Floats| -> Vec<(String, u64)> {
        let doubles = message.doubles.iter();
        let singles = message.singles.iter();
        doubles
            .map(|real| (format!("{real:?}"), real.to_bits()))
            .chain(singles.map(|real| (format!("{real:?}"), real.to_bits().into())))
            .collect()
    };
    let (wrote, read) = (bits(&message), bits(&read));
    ensure_eq!(wrote.len(), read.len(), "the number of numbers");
    for (wrote, read) in wrote.iter().zip(&read) {
        ensure_eq!(read, wrote, "a number that came back");
    }
    Ok(Outcome::Passed)
}

pub(in super::super) fn serde_shapes(bed: &Bed) -> Verdict {
    let message = shapes();
    let encoded = <Serde as Wire<Shapes>>::encode(&message, bed.format());
    if matches!(bed.format(), Format::Protobuf | Format::Raw) {
        let code = encoded.err().map(|status| status.code());
        ensure_eq!(code, Some(Code::Unimplemented), "the code for a serde type");
        return Ok(Outcome::NotDeclared);
    }
    let bytes = match encoded {
        Ok(bytes) => bytes,
        Err(status) => return Err(Failure::new(format!("cannot encode: {status:?}"))),
    };
    match <Serde as Wire<Shapes>>::decode(bytes, bed.format()) {
        Ok(read) => ensure_eq!(read, message, "what came back"),
        Err(status) => return Err(Failure::new(format!("cannot decode: {status:?}"))),
    }
    Ok(Outcome::Passed)
}

pub(in super::super) fn encoding_appends(bed: &Bed) -> Verdict {
    let Format::Custom(codec) = bed.format() else {
        // Built-in formats are given no buffer: each encoding has one of its own.
        messages_only!(bed);
        let (first, second) = (bed.encode(&sample())?, bed.encode(&Empty {})?);
        ensure_eq!(bed.encode(&sample())?, first, "a second encoding");
        ensure_eq!(bed.encode(&Empty {})?, second, "a second encoding");
        return Ok(Outcome::NotDeclared);
    };
    let mut out = b"before".to_vec();
    if let Err(status) = codec.encode(&sample(), &mut out) {
        return Err(Failure::new(format!("cannot encode: {status:?}")));
    }
    let alone = bed.encode(&sample())?;
    ensure!(out.starts_with(b"before"), "what was there is gone");
    ensure_eq!(out[6..], alone[..], "what follows what was there");
    Ok(Outcome::Passed)
}
