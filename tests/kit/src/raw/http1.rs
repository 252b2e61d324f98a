//! An HTTP/1.1 client that sends what it is given and reads answers the plain way.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};

use super::Socket;

/// An HTTP/1.1 client.
#[derive(Debug)]
pub struct Http1 {
    /// For bytes that are no requests.
    pub socket: Socket,
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, without the marks of chunks.
    pub body: Bytes,
    /// Whether the body came to its end.
    pub whole: bool,
}

impl Answer {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| &**value)
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Http1 {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Self {
        Self {
            socket: Socket::connect(address).await,
        }
    }

    /// A POST with a body of known length, as bytes.
    #[must_use]
    pub fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Bytes {
        let length = body.len().to_string();
        let mut all = vec![("host", "owl"), ("content-length", &*length)];
        all.extend_from_slice(headers);
        let mut out = Self::head("POST", path, &all);
        out.extend_from_slice(body);
        out.freeze()
    }

    /// A request's head with exactly these headers.
    #[must_use]
    pub fn head(verb: &str, path: &str, headers: &[(&str, &str)]) -> BytesMut {
        let mut head = format!("{verb} {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        BytesMut::from(head.as_bytes())
    }

    /// Sends a request and reads its answer; `None` when the server closes without one.
    pub async fn call(&mut self, request: &[u8]) -> Option<Answer> {
        // A server that has closed may have answered before.
        let _ = self.socket.write(request).await;
        self.answer().await
    }

    /// Reads an answer; `None` when the server closes without one.
    ///
    /// # Panics
    /// When the answer is not HTTP/1.1.
    pub async fn answer(&mut self) -> Option<Answer> {
        let mut answer = self.answer_head().await?;
        let chunked = answer.header("transfer-encoding") == Some("chunked");
        let length = answer
            .header("content-length")
            .map(|length| length.parse::<usize>().expect("a number"));
        if chunked {
            let mut body = BytesMut::new();
            while let Some(chunk) = self.chunk().await {
                if chunk.is_empty() {
                    answer.whole = true;
                    break;
                }
                body.extend_from_slice(&chunk);
            }
            answer.body = body.freeze();
        } else if let Some(length) = length {
            answer.body = self.socket.read_up_to(length).await;
            answer.whole = answer.body.len() == length;
        } else if answer.status >= 200 {
            answer.body = self.socket.read_to_end().await;
            answer.whole = true;
        }
        Some(answer)
    }

    /// Reads the head of an answer.
    ///
    /// # Panics
    /// When it is not HTTP/1.1.
    pub async fn answer_head(&mut self) -> Option<Answer> {
        let head = self.socket.read_until(b"\r\n\r\n").await?;
        let head = std::str::from_utf8(&head).expect("a head is text");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .and_then(|line| line.get(..3))
            .and_then(|status| status.parse().ok())
            .expect("a status line");
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Answer {
            status,
            headers,
            ..Answer::default()
        })
    }

    /// Reads a chunk of a body: empty at the end, `None` when the server closes before.
    ///
    /// # Panics
    /// When the length of the chunk is not a number.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        let line = self.socket.read_until(b"\r\n").await?;
        let line = std::str::from_utf8(&line).expect("a length is text");
        let length = usize::from_str_radix(line.trim(), 16).expect("a length");
        let chunk = self.socket.read_up_to(length + 2).await;
        (chunk.len() == length + 2).then(|| chunk.slice(..length))
    }
}
