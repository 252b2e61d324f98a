//! SPDX licence expressions: is there a way to comply with an allowed licence alone?

use std::iter::Peekable;

use crate::Result;

/// True when the expression can be met with licences of the list. A licence with an exception is
/// listed as it stands, `Apache-2.0 WITH LLVM-exception`.
pub(super) fn allowed(expression: &str, list: &[String]) -> Result<bool> {
    // Crates of old wrote `MIT/Apache-2.0` for either.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let met = either(&mut words, list)?;
    match words.next() {
        None => Ok(met),
        Some(word) => Err(format!("unexpected `{word}`").into()),
    }
}

fn either<'a>(
    words: &mut Peekable<impl Iterator<Item = &'a str>>,
    list: &[String],
) -> Result<bool> {
    let mut met = both(words, list)?;
    while words.next_if_eq(&"OR").is_some() {
        met |= both(words, list)?;
    }
    Ok(met)
}

fn both<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>, list: &[String]) -> Result<bool> {
    let mut met = single(words, list)?;
    while words.next_if_eq(&"AND").is_some() {
        met &= single(words, list)?;
    }
    Ok(met)
}

fn single<'a>(
    words: &mut Peekable<impl Iterator<Item = &'a str>>,
    list: &[String],
) -> Result<bool> {
    let word = words.next().ok_or("a licence is missing at the end")?;
    if word == "(" {
        let met = either(words, list)?;
        return if words.next() == Some(")") {
            Ok(met)
        } else {
            Err("a `)` is missing".into())
        };
    }
    if ["OR", "AND", "WITH", ")"].contains(&word) {
        return Err(format!("unexpected `{word}`").into());
    }
    let mut name = word.to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        name = format!(
            "{word} WITH {}",
            words.next().ok_or("an exception is missing at the end")?
        );
    }
    Ok(list.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> bool {
        let list = ["MIT", "Apache-2.0", "Unicode-3.0"].map(String::from);
        allowed(expression, &list).unwrap()
    }

    #[test]
    fn one_allowed_licence_of_a_choice_is_enough() {
        assert!(met("MIT"));
        assert!(met("GPL-3.0-only OR MIT"));
        assert!(met("GPL-3.0-only/MIT"));
        assert!(met("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT"));
    }

    #[test]
    fn all_parts_of_a_conjunction_are_needed() {
        assert!(met("(MIT OR GPL-3.0-only) AND Unicode-3.0"));
        assert!(!met("MIT AND GPL-3.0-only"));
        assert!(!met("MIT AND (GPL-3.0-only OR LGPL-3.0-only)"));
    }

    #[test]
    fn a_licence_off_the_list_is_not_allowed() {
        assert!(!met("GPL-3.0-only"));
        assert!(!met("Apache-2.0 WITH LLVM-exception"));
    }

    #[test]
    fn a_broken_expression_is_an_error() {
        for broken in [
            "",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "OR MIT",
            "MIT WITH",
        ] {
            assert!(
                allowed(broken, &["MIT".into()]).is_err(),
                "accepted `{broken}`"
            );
        }
    }
}
