//! Checks of messages whose writer knows other fields than their reader.

use super::{
    super::{
        Fields,
        bed::Bed,
        messages::{Collections, Empty, Inner, Longer, Newer, Nulls, Older, Rich, Short, filled},
    },
    messages_only,
};
use crate::conformance::{Outcome, Verdict, ensure_eq};

fn older() -> Older {
    Older {
        text: "owl".into(),
        number: u64::MAX,
        list: vec![Inner::default(), Inner::default()],
    }
}

pub(in super::super) fn unknown_fields(bed: &Bed) -> Verdict {
    messages_only!(bed);
    let Older { text, number, list } = older();
    if bed.capabilities().fields == Fields::Positional {
        let longer = Longer {
            text,
            number,
            list,
            more: "more".into(),
        };
        bed.refused::<Older>(&bed.encode(&longer)?)?;
        return Ok(Outcome::NotDeclared);
    }
    let newer = Newer {
        unknown_message: Some(filled()),
        text,
        unknown_nothing: None,
        unknown_list: vec![Rich::default(), filled()],
        unknown_real: -0.5,
        number,
        unknown_flag: true,
        unknown_map: filled().by_number,
        list,
        unknown_number: i64::MIN,
    };
    let read: Older = bed.accepted(&bed.encode(&newer)?)?;
    ensure_eq!(read, older(), "what is known");
    Ok(Outcome::Passed)
}

pub(in super::super) fn missing_fields(bed: &Bed) -> Verdict {
    messages_only!(bed);
    let text = String::from("owl");
    let nothing = bed.encode(&Empty {})?;
    let short = bed.encode(&Short { text: text.clone() })?;
    let expected = Rich {
        text,
        ..Rich::default()
    };
    if bed.capabilities().fields == Fields::Positional {
        // The defaults of what is missing are read, or its absence is noticed: nothing else.
        for (bytes, expected) in [(nothing, Rich::default()), (short, expected)] {
            if let Some(read) = bed.decode::<Rich>(&bytes)? {
                ensure_eq!(read, expected, "what has fields missing");
            }
        }
        return Ok(Outcome::NotDeclared);
    }
    ensure_eq!(bed.accepted::<Rich>(&nothing)?, Rich::default(), "nothing");
    ensure_eq!(bed.accepted::<Rich>(&short)?, expected, "one field");
    Ok(Outcome::Passed)
}

pub(in super::super) fn null_fields(bed: &Bed) -> Verdict {
    messages_only!(bed);
    let nulls = bed.encode(&Nulls::default())?;
    let read: Collections = bed.accepted(&nulls)?;
    ensure_eq!(read, Collections::default(), "what is null");
    Ok(Outcome::Passed)
}
