//! Percent-encoding of what goes into a URL.

/// Appends a text, encoded but for the unreserved characters of RFC 3986.
#[cfg(feature = "http")]
pub(crate) fn escape(out: &mut String, text: &str) {
    escape_but(out, text, b"");
}

/// Appends a path, encoded but for what RFC 3986 lets stand in one; `@` may not in URLs of gufo.
pub(crate) fn escape_path(out: &mut String, path: &str) {
    escape_but(out, path, b"/:!$&'()*+,;=");
}

fn escape_but(out: &mut String, text: &str, also: &[u8]) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(
                    char::from_digit(u32::from(digit), 16)
                        .unwrap_or('0')
                        .to_ascii_uppercase(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_what_a_path_may_have() {
        let (mut text, mut path) = (String::new(), String::new());

        escape(&mut text, "/a b:c?%ü~");
        escape_path(&mut path, "/a b:c?%ü~");

        assert_eq!(text, "%2Fa%20b%3Ac%3F%25%C3%BC~");
        assert_eq!(path, "/a%20b:c%3F%25%C3%BC~");
    }
}
