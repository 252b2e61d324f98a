//! Mutations of a corpus: the same ones for the same seed.

/// The longest input that is made.
const MAX_LEN: usize = 8 * 1024;

/// Numbers that stand at the edges of lengths, signs and codes.
const INTERESTING: [u64; 14] = [
    0,
    1,
    5,
    16,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

/// Bytes that mean something to one of the parsers.
const WORDS: [&[u8]; 28] = [
    b"://",
    b"+tls",
    b"+unix",
    b"%",
    b"%00",
    b"%2F",
    b"@",
    b"[::1]",
    b":",
    b",",
    b"?",
    b"&",
    b"=",
    b".",
    b"*",
    b">",
    b"-bin",
    b"grpc-",
    b"\n",
    b"\r\n\r\n",
    b"data:",
    b"\"",
    b"{}",
    b"[",
    b"null",
    b"1e999",
    b"\xff\xfe",
    b"\xc3\xbc",
];

/// Makes inputs out of a corpus.
#[derive(Debug)]
pub struct Mutator<'a> {
    corpus: &'a [Vec<u8>],
    state: u64,
}

impl<'a> Mutator<'a> {
    /// A mutator of a corpus.
    ///
    /// # Panics
    /// When the corpus is empty.
    #[must_use]
    pub fn new(corpus: &'a [Vec<u8>], seed: u64) -> Self {
        assert!(!corpus.is_empty(), "there is nothing to mutate");
        Self {
            corpus,
            state: seed,
        }
    }

    /// The next input: one of the corpus, changed one to four times.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.seed_input().to_vec();
        for _ in 0..=self.below(4) {
            self.change(&mut input);
        }
        input.truncate(MAX_LEN);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        match self.below(10) {
            0 if !input.is_empty() => {
                let at = self.below(input.len());
                input[at] ^= 1 << self.below(8);
            }
            1 if !input.is_empty() => {
                let at = self.below(input.len());
                input[at] = self.byte();
            }
            2 => input.truncate(self.below(input.len() + 1)),
            3 => {
                let (start, end) = self.range(input.len());
                input.drain(start..end);
            }
            4 => {
                let (start, end) = self.range(input.len());
                let copy = input[start..end].to_vec();
                self.insert(input, &copy);
            }
            5 => self.splice(input),
            6 => {
                let word = WORDS[self.below(WORDS.len())];
                self.insert(input, word);
            }
            7 | 8 => self.integer(input),
            _ => {
                let some: Vec<u8> = (0..=self.below(16)).map(|_| self.byte()).collect();
                self.insert(input, &some);
            }
        }
    }

    /// The head of the input and the tail of another.
    fn splice(&mut self, input: &mut Vec<u8>) {
        let other = self.seed_input();
        let from = self.below(other.len() + 1);
        input.truncate(self.below(input.len() + 1));
        input.extend_from_slice(&other[from..]);
    }

    /// An interesting number in one, two, four or eight bytes, in either order, over what is there.
    fn integer(&mut self, input: &mut Vec<u8>) {
        let number = INTERESTING[self.below(INTERESTING.len())];
        let width = 1 << self.below(4);
        let mut bytes = number.to_le_bytes()[..width].to_vec();
        if self.below(2) == 0 {
            bytes.reverse();
        }
        let at = self.below(input.len() + 1);
        let end = (at + width).min(input.len());
        input.splice(at..end, bytes);
    }

    fn insert(&mut self, input: &mut Vec<u8>, bytes: &[u8]) {
        let at = self.below(input.len() + 1);
        input.splice(at..at, bytes.iter().copied());
    }

    fn range(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        (start, start + self.below(length - start + 1))
    }

    fn seed_input(&mut self) -> &'a [u8] {
        let corpus = self.corpus;
        &corpus[self.below(corpus.len())]
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
