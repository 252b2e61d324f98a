//! What goes wrong with values.

use serde_json::{Map, Number, Value};

use super::Fault;

/// Changes a value on its way out.
pub(super) fn spoil_written(value: &mut Value, fault: Fault) {
    each(value, &mut |value| match (fault, &mut *value) {
        (Fault::NumbersThroughFloats, Value::Number(number)) => {
            *value = number
                .as_f64()
                .and_then(Number::from_f64)
                .map_or(Value::Null, Value::Number);
        }
        (Fault::SinglePrecision, Value::Number(number)) if number.is_f64() => {
            let single = number.as_f64().map(|real| f64::from(real as f32));
            *value = single
                .and_then(Number::from_f64)
                .map_or(0.into(), Value::Number);
        }
        (Fault::LosesTheSignOfZero, Value::Number(number)) if number.as_f64() == Some(0.0) => {
            *value = if number.is_f64() {
                0.0.into()
            } else {
                0.into()
            };
        }
        (Fault::DropsEmptyStrings, Value::Array(items)) => items.retain(|item| item != ""),
        (Fault::ManglesUnicode, Value::String(text)) => {
            *text = text.replace(|letter: char| !letter.is_ascii(), "?");
        }
        (Fault::DropsZeroBytes, Value::Array(items)) => items.retain(|item| *item != 0),
        _ => {}
    });
    let dropped = matches!(value, Value::Object(fields) if fields.is_empty());
    if fault == Fault::DropsEmptyMessages && dropped {
        *value = Value::Null;
    }
}

/// Changes a value on its way in.
pub(super) fn spoil_read(value: &mut Value, fault: Fault) {
    each(value, &mut |value| match (fault, &mut *value) {
        (Fault::NumbersThroughFloats, Value::Number(number)) => {
            let real = number.as_f64().unwrap_or_default();
            if real.fract() == 0.0 {
                *value = if real < 0.0 {
                    (real as i64).into()
                } else {
                    (real as u64).into()
                };
            }
        }
        (Fault::CutsNumbers, Value::Number(number)) => {
            if let Some(large) = number.as_u64() {
                *value = (large as i64).into();
            }
        }
        (Fault::EmptyIsNull, Value::Object(fields)) if fields.is_empty() => *value = Value::Null,
        (Fault::NullIsText, Value::Null) => *value = "null".into(),
        _ => {}
    });
}

/// Visits every value, those inside first.
fn each(value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, visit)),
        Value::Object(fields) => Map::values_mut(fields).for_each(|field| each(field, visit)),
        _ => {}
    }
    visit(value);
}

/// How many arrays and objects are inside of each other.
pub(super) fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or_default()
}
