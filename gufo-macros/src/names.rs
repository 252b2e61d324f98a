//! Names: from Rust's case to protobuf's, and what is legal.

/// `say_hello` as `SayHello`.
pub(crate) fn upper_camel(name: &str) -> String {
    name.split('_')
        .flat_map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(chars)
        })
        .collect()
}

/// `HttpGreeter` as `HTTP_GREETER`.
pub(crate) fn screaming(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, c) in chars.iter().enumerate() {
        let after_lower =
            at > 0 && (chars[at - 1].is_lowercase() || chars[at - 1].is_ascii_digit());
        let before_lower = chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        let starts_word = at > 0 && c.is_uppercase() && (after_lower || before_lower);
        if starts_word && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_uppercase());
    }
    out
}

/// A letter or underscore, then letters, digits and underscores.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Identifiers joined by dots.
pub(crate) fn is_full_name(name: &str) -> bool {
    name.split('.').all(is_identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_become_methods() {
        for (function, method) in [
            ("hello", "Hello"),
            ("say_hello", "SayHello"),
            ("get_v2_item", "GetV2Item"),
            ("a", "A"),
        ] {
            assert_eq!(upper_camel(function), method);
        }
    }

    #[test]
    fn traits_become_constants() {
        for (name, constant) in [
            ("Greeter", "GREETER"),
            ("HttpGreeter", "HTTP_GREETER"),
            ("HTTPGreeter", "HTTP_GREETER"),
            ("GreeterV2", "GREETER_V2"),
            ("Snake_Case", "SNAKE_CASE"),
        ] {
            assert_eq!(screaming(name), constant);
        }
    }

    #[test]
    fn names_with_other_characters_are_refused() {
        assert!(is_full_name("greeter.v1.Greeter"));
        assert!(is_full_name("Greeter"));
        for name in ["", ".", "a.", ".a", "a..b", "a b", "a/b", "1a", "ä"] {
            assert!(!is_full_name(name), "{name}");
        }
    }
}
