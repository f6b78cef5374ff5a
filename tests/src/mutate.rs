//! Changes of texts and bytes, for tests that feed the compiler what nobody would write.
//!
//! A text is cut into pieces (words, numbers, signs, spaces) and changed piece by piece, so that much of what comes out still
//! parses; some changes are of bytes, and most of that does not. All is drawn from [`Dice`], so that a seed tells the result.

use crate::world::Dice;

/// Longest text that comes out.
pub const BYTES_MAX: usize = 200_000;

/// Numbers at the ends of what types hold, and beyond.
const NUMBERS: [&str; 32] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "8",
    "31",
    "32",
    "63",
    "64",
    "127",
    "128",
    "255",
    "256",
    "32768",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "4611686018427387904",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "1e-320",
    "1e400",
    "0x1p-1074",
    "0.5",
    "1e19",
];

/// Pieces of C.
const C: [&str; 64] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ";",
    ",",
    "*",
    "&",
    "-",
    "!",
    "~",
    "++",
    "--",
    "=",
    "+=",
    "%=",
    "<<=",
    "/",
    "%",
    "<<",
    ">>",
    "&&",
    "||",
    "?",
    ":",
    "int",
    "double",
    "float",
    "char",
    "unsigned",
    "long",
    "int8_t",
    "uint64_t",
    "bool",
    "const",
    "static",
    "restrict",
    "void",
    "if",
    "else",
    "for",
    "while",
    "do",
    "switch",
    "case",
    "default:",
    "break;",
    "continue;",
    "return;",
    "sizeof",
    "#define x ",
    "#if ",
    "#endif\n",
    "\n",
    "/*",
    "*/",
    "\"",
    "\\\n",
    "##",
    "sqrt(",
    "[0]",
    "= {0}",
];

/// Pieces of IR.
const IR: [&str; 48] = [
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u64",
    "f32",
    "f64",
    "bool",
    "addr",
    "f64x2",
    "f32x4",
    "i32x2",
    "(",
    ")",
    "{",
    "}",
    "=",
    ",",
    ":",
    "load",
    "store",
    "const",
    "if",
    "for",
    "loop",
    "block",
    "exit",
    "continue",
    "else",
    "add",
    "div",
    "shl",
    "convert",
    "select",
    "clear",
    "v0",
    "v1",
    "x0",
    "array0",
    "table0",
    "label0",
    "site0",
    "param0",
    "fn0",
    "check_index",
    "splat",
    "[v0]",
];

/// What is wrapped around something many times, and how the many end.
const NESTS: [(&str, &str); 14] = [
    ("(", ")"),
    ("{", "}"),
    ("[", "]"),
    ("-", ""),
    ("!", ""),
    ("if (1) ", ""),
    ("if (1) {", "}"),
    ("for (int q = 0; q < 2; q++) {", "}"),
    ("while (1) {", "}"),
    ("switch (1) { case 1: ", "}"),
    ("1 ? ", ": 0"),
    ("(float)", ""),
    ("sqrt(", ")"),
    ("*", ""),
];

/// Which pieces fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Words {
    /// Those of C.
    C,
    /// Those of IR.
    Ir,
}

fn choose<'a, T: ?Sized>(from: &[&'a T], dice: &mut Dice) -> &'a T {
    from[dice.below(from.len() as u64) as usize]
}

/// A text's pieces, spaces among them; together they are the text.
pub fn pieces(text: &str) -> Vec<String> {
    let class = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' => 0,
        c if c.is_whitespace() => 1,
        _ => 2,
    };
    let (mut pieces, mut last) = (Vec::<String>::new(), 2);
    for c in text.chars() {
        match pieces.last_mut() {
            Some(piece) if class(c) != 2 && class(c) == last => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
        last = class(c);
    }
    pieces
}

fn is_number(piece: &str) -> bool {
    piece.starts_with(|c: char| c.is_ascii_digit())
}

fn is_word(piece: &str) -> bool {
    piece.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// A place of a piece that `fits`, if one is near a random place.
fn find(pieces: &[String], dice: &mut Dice, fits: impl Fn(&str) -> bool) -> Option<usize> {
    let start = dice.below(pieces.len() as u64) as usize;
    let places = (start..pieces.len()).chain(0..start);
    places.take(400).find(|at| fits(&pieces[*at]))
}

/// A short range of pieces.
fn range(pieces: &[String], longest: u64, dice: &mut Dice) -> std::ops::Range<usize> {
    let start = dice.below(pieces.len() as u64) as usize;
    let end = start + 1 + dice.below(longest) as usize;
    start..end.min(pieces.len())
}

/// From behind one piece `;` to behind the next.
fn statement(pieces: &[String], dice: &mut Dice) -> Option<std::ops::Range<usize>> {
    let start = find(pieces, dice, |p| p == ";" || p == "\n")? + 1;
    let end = pieces[start..]
        .iter()
        .take(400)
        .position(|p| p == ";" || p == "\n")?;
    Some(start..start + end + 1)
}

fn nested(pieces: &mut Vec<String>, dice: &mut Dice) {
    let (open, close) = NESTS[dice.below(NESTS.len() as u64) as usize];
    let times = [3, 40, 600, 5_000][dice.below(4) as usize];
    let times = times.min(BYTES_MAX / 2 / (open.len() + close.len()));
    let inner = match dice.below(3) {
        0 => statement(pieces, dice),
        _ => None,
    };
    let inner = inner.unwrap_or_else(|| range(pieces, 6, dice));
    // Sometimes what was opened stays open.
    let closed = if dice.below(5) == 0 { 0 } else { times };
    pieces.insert(inner.end, close.repeat(closed));
    pieces.insert(inner.start, open.repeat(times));
}

fn renamed(pieces: &mut [String], dice: &mut Dice) {
    let (Some(from), Some(to)) = (find(pieces, dice, is_word), find(pieces, dice, is_word)) else {
        return;
    };
    let (from, to) = (pieces[from].clone(), pieces[to].clone());
    for piece in pieces.iter_mut().filter(|p| **p == from) {
        piece.clone_from(&to);
    }
}

fn replaced(pieces: &mut [String], other: &[String], dice: &mut Dice) {
    let at = dice.below(pieces.len() as u64) as usize;
    let like = pieces[at].clone();
    let same = |piece: &str| {
        is_number(piece) == is_number(&like) && is_word(piece) == is_word(&like) && piece != " "
    };
    let own = dice.below(2) == 0;
    let from: Vec<String> = if own { pieces.to_vec() } else { other.to_vec() };
    if let Some(found) = find(&from, dice, same) {
        pieces[at].clone_from(&from[found]);
    }
}

fn edit(pieces: &mut Vec<String>, other: &[String], words: Words, dice: &mut Dice) {
    match dice.below(14) {
        0 => drop(pieces.drain(range(pieces, 3, dice))),
        1 => drop(pieces.drain(range(pieces, 40, dice))),
        2 => {
            let copy = pieces[range(pieces, 12, dice)].to_vec();
            let to = dice.below(pieces.len() as u64) as usize;
            pieces.splice(to..to, copy);
        }
        3 => {
            let (a, b) = (range(pieces, 1, dice).start, range(pieces, 1, dice).start);
            pieces.swap(a, b);
        }
        4..=6 => replaced(pieces, other, dice),
        7 => {
            let word = choose(if words == Words::C { &C } else { &IR }, dice).to_owned();
            let at = range(pieces, 1, dice).start;
            pieces.insert(at, format!(" {word} "));
        }
        8 | 9 => {
            if let Some(at) = find(pieces, dice, is_number) {
                choose(&NUMBERS, dice).clone_into(&mut pieces[at]);
            }
        }
        10 => nested(pieces, dice),
        11 => {
            if let Some(statement) = statement(pieces, dice) {
                let copy = pieces[statement.clone()].concat();
                let times = [2, 20, 400][dice.below(3) as usize];
                let times = times.min(BYTES_MAX / 2 / copy.len().max(1));
                pieces.insert(statement.end, copy.repeat(times));
            }
        }
        12 => renamed(pieces, dice),
        _ => {
            let from = range(other, 60, dice);
            let at = range(pieces, 1, dice).start;
            pieces.splice(at..at, other[from].iter().cloned());
        }
    }
    if pieces.is_empty() {
        pieces.push("x".to_owned());
    }
}

/// A text, changed in one to six ways; `other` lends pieces.
pub fn text(text: &str, other: &str, words: Words, dice: &mut Dice) -> String {
    let (mut own, other) = (pieces(text), pieces(other));
    own.push("\n".to_owned());
    // One or two mostly, seven at most.
    for _ in 0..1 + dice.below(3) * dice.below(4) / 2 * dice.below(3) / 2 {
        if other.is_empty() {
            break;
        }
        edit(&mut own, &other, words, dice);
    }
    let mut text = own.concat();
    match dice.below(24) {
        // Cut short.
        0 => text.truncate(text.floor_char_boundary(dice.below(text.len() as u64) as usize)),
        // The end of the other.
        1 => {
            let at = text.floor_char_boundary(dice.below(text.len() as u64 + 1) as usize);
            let tail = other.concat();
            let from = tail.floor_char_boundary(dice.below(tail.len() as u64 + 1) as usize);
            text.truncate(at);
            text += &tail[from..];
        }
        2 | 3 => {
            let mut flipped = text.into_bytes();
            bytes(&mut flipped, dice);
            text = String::from_utf8_lossy(&flipped).into_owned();
        }
        _ => {}
    }
    text.truncate(text.floor_char_boundary(BYTES_MAX));
    text
}

/// Bytes, changed in one to four ways in place.
pub fn bytes(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        if bytes.is_empty() {
            bytes.push(0);
        }
        let at = dice.below(bytes.len() as u64) as usize;
        match dice.below(8) {
            0..=2 => bytes[at] ^= 1 << dice.below(8),
            3 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.below(5) as usize],
            4 => bytes[at] = dice.below(256) as u8,
            5 => {
                let word = [0, 1, u64::MAX, 1 << 31, 1 << 32, 1 << 62][dice.below(6) as usize];
                for (byte, new) in bytes[at..].iter_mut().zip(u64::to_le_bytes(word)) {
                    *byte = new;
                }
            }
            6 => {
                let end = (at + 1 + dice.below(24) as usize).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = dice.below(bytes.len() as u64) as usize;
                match dice.below(2) {
                    0 => drop(bytes.splice(to..to, copy)),
                    _ => drop(bytes.drain(at..end)),
                }
            }
            _ => bytes.truncate(at),
        }
    }
}
