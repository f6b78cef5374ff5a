//! Reads the text form of kernels and loops that `print` writes.
//!
//! Line by line, with a stack of open blocks instead of recursion. Any text gives a body or an error with a line and what was
//! expected there; what is read may still be unsound, which is for `verify` to say. Memory is bounded by the text: numbers of
//! arena entries are taken only if the text is long enough to define them all.

mod cursor;
mod header;
mod ops;

use super::body::{Block, Body, For, Inst, Label, Op, Site, Stmt, Value, Var};
use super::kernel::Kernel;
use super::limits::NESTING_MAX;
use super::loops::{Loop, Wide};
use super::types::Type;
use crate::error::ReadError;
use crate::signature::{Iteration, Signature};
use cursor::Cursor;
use std::str::Lines;

/// Reads a kernel.
///
/// # Errors
/// The first line that can't be read, and what was expected there.
pub fn read_kernel(text: &str) -> Result<Kernel, ReadError> {
    let mut reader = Reader::new(text);
    reader.title("kernel")?;
    let mut kernel = Kernel::default();
    let opened = reader.header(|cursor, word| match word {
        "param" => cursor.param().map(|param| kernel.params.push(param)),
        "constant" => cursor.constant().map(|slot| kernel.constants.push(slot)),
        _ => Err(cursor.expected("a declaration or a block of a kernel")),
    })?;
    reader.expect_section(opened, "body")?;
    reader.body.root = reader.block()?;
    reader.finish()?;
    kernel.body = reader.body;
    Ok(kernel)
}

/// Reads a loop.
///
/// # Errors
/// The first line that can't be read, and what was expected there.
pub fn read_loop(text: &str) -> Result<Loop, ReadError> {
    let mut reader = Reader::new(text);
    reader.title("loop")?;
    let mut signature = Signature {
        iteration: Iteration::Elements,
        args: Vec::new(),
        allow_conflicts: false,
    };
    let mut constants = Vec::new();
    let opened = reader.header(|cursor, word| match word {
        "iteration" => {
            signature.iteration = match cursor.flag("elements", "function")? {
                false => Iteration::Elements,
                true => Iteration::Function,
            };
            Ok(())
        }
        "allow_conflicts" => {
            signature.allow_conflicts = cursor.flag("false", "true")?;
            Ok(())
        }
        "arg" => cursor.argument().map(|arg| signature.args.push(arg)),
        "constant" => cursor.constant().map(|slot| constants.push(slot)),
        _ => Err(cursor.expected("a declaration or a block of a loop")),
    })?;
    reader.expect_section(opened, "before")?;
    let before = reader.block()?;
    reader.section("body")?;
    reader.body.root = reader.block()?;
    let mut opened = reader.need("wide or after")?;
    let mut wide = None;
    if opened.try_eat("wide") {
        let elements = opened.number("a number of elements")?;
        let covers_rest = opened.try_eat("rest");
        let is_strip = opened.try_eat("strip");
        opened.eat("{")?;
        opened.end()?;
        let block = reader.block()?;
        wide = Some(Wide {
            elements,
            covers_rest,
            is_strip,
            block,
        });
        opened = reader.need("after")?;
    }
    reader.expect_section(opened, "after")?;
    let after = reader.block()?;
    reader.finish()?;
    Ok(Loop {
        signature,
        constants,
        before,
        body: reader.body,
        wide,
        after,
    })
}

type Read<T = ()> = Result<T, ReadError>;

/// A block whose end has not been read.
struct Open {
    stmts: Block,
    kind: Kind,
}

/// What a block becomes part of.
enum Kind {
    Section,
    Then(Value),
    Else(Value, Block),
    For(Box<For>),
    Loop(Label, Site),
    Block(Label),
}

struct Reader<'a> {
    lines: Lines<'a>,
    /// Number of the line read last, from 1.
    line: usize,
    /// How many values the text could define.
    values_max: usize,
    body: Body,
    values: Vec<Option<Inst>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Reader<'a> {
        Reader {
            lines: text.lines(),
            line: 0,
            values_max: text.lines().count(),
            body: Body::default(),
            values: Vec::new(),
        }
    }

    /// The next line that is not blank.
    fn next(&mut self) -> Option<Cursor<'a>> {
        loop {
            let line = self.lines.next()?;
            self.line += 1;
            let cursor = Cursor::new(line, self.line);
            if !cursor.is_blank() {
                return Some(cursor);
            }
        }
    }

    fn need(&mut self, expected: &'static str) -> Read<Cursor<'a>> {
        let line = self.line;
        self.next().ok_or(ReadError { line, expected })
    }

    fn title(&mut self, title: &'static str) -> Read {
        let mut cursor = self.need(title)?;
        cursor.eat(title)?;
        cursor.end()
    }

    /// Reads declarations, handing those that are not a body's to `other`, up to the first block; returns its line.
    fn header(&mut self, mut other: impl FnMut(&mut Cursor<'a>, &str) -> Read) -> Read<Cursor<'a>> {
        loop {
            let mut cursor = self.need("a declaration or a block")?;
            let start = cursor;
            let word = cursor.word("a declaration or a block")?;
            match word {
                "before" | "body" => return Ok(start),
                "loose" => {
                    let (value, inst) = cursor.definition()?;
                    self.define(&cursor, value, inst)?;
                }
                _ => {
                    if !cursor.declaration(word, &mut self.body)? {
                        other(&mut cursor, word)?;
                    }
                }
            }
            cursor.end()?;
        }
    }

    fn section(&mut self, name: &'static str) -> Read {
        let cursor = self.need(name)?;
        self.expect_section(cursor, name)
    }

    fn expect_section(&mut self, mut cursor: Cursor<'_>, name: &'static str) -> Read {
        cursor.eat(name)?;
        cursor.eat("{")?;
        cursor.end()
    }

    /// The statements up to the brace that closes the block just opened.
    fn block(&mut self) -> Read<Block> {
        let mut open = vec![Open {
            stmts: Block::new(),
            kind: Kind::Section,
        }];
        loop {
            let mut cursor = self.need("a statement or }")?;
            let nested = if cursor.try_eat("}") {
                let Some(done) = open.pop() else {
                    return Err(cursor.expected("a statement"));
                };
                let other = cursor.try_eat("else");
                match close(done, other, &cursor)? {
                    Closed::Section(block) => {
                        cursor.end()?;
                        return Ok(block);
                    }
                    Closed::Stmt(stmt) => {
                        if let Some(outer) = open.last_mut() {
                            outer.stmts.push(stmt);
                        }
                        None
                    }
                    Closed::Else(kind) => {
                        cursor.eat("{")?;
                        Some(kind)
                    }
                }
            } else {
                self.stmt(&mut cursor, &mut open)?
            };
            cursor.end()?;
            if let Some(kind) = nested {
                if open.len() > NESTING_MAX {
                    return Err(cursor.expected("blocks that are not nested so deep"));
                }
                open.push(Open {
                    stmts: Block::new(),
                    kind,
                });
            }
        }
    }

    /// Reads a statement into the innermost block, or the head of one with a block of its own.
    fn stmt(&mut self, cursor: &mut Cursor<'a>, open: &mut [Open]) -> Read<Option<Kind>> {
        let stmt = if cursor.at_id("v") {
            let (value, inst) = cursor.definition()?;
            self.define(cursor, value, inst)?;
            Stmt::Let(value)
        } else if cursor.at_id("x") {
            let var = Var::from_u32(cursor.id("x")?);
            cursor.eat("=")?;
            Stmt::Set(var, cursor.value()?)
        } else {
            let word = cursor.word("a statement")?;
            match cursor.simple_stmt(word)? {
                Some(stmt) => stmt,
                None => return self.head(cursor, word).map(Some),
            }
        };
        if let Some(block) = open.last_mut() {
            block.stmts.push(stmt);
        }
        Ok(None)
    }

    fn head(&mut self, cursor: &mut Cursor<'a>, word: &str) -> Read<Kind> {
        let kind = match word {
            "if" => Kind::Then(cursor.value()?),
            "loop" => Kind::Loop(cursor.label()?, cursor.site()?),
            "block" => Kind::Block(cursor.label()?),
            "for" => {
                let data = cursor.counted()?;
                self.define_counter(cursor, data.counter)?;
                Kind::For(Box::new(data))
            }
            _ => return Err(cursor.expected("a statement")),
        };
        cursor.eat("{")?;
        Ok(kind)
    }

    fn slot(&mut self, cursor: &Cursor<'_>, value: Value) -> Read<&mut Option<Inst>> {
        let index = value.as_u32() as usize;
        if index >= self.values_max {
            return Err(cursor.expected("a smaller number of a value"));
        }
        if index >= self.values.len() {
            self.values.resize(index + 1, None);
        }
        Ok(&mut self.values[index])
    }

    fn define(&mut self, cursor: &Cursor<'_>, value: Value, inst: Inst) -> Read {
        let slot = self.slot(cursor, value)?;
        if slot.as_ref().is_some_and(|known| *known != inst) {
            return Err(cursor.expected("the instruction that the value has already"));
        }
        *slot = Some(inst);
        Ok(())
    }

    fn define_counter(&mut self, cursor: &Cursor<'_>, value: Value) -> Read {
        let slot = self.slot(cursor, value)?;
        let counter = Inst {
            op: Op::Counter,
            ty: Type::I64,
        };
        slot.get_or_insert(counter);
        Ok(())
    }

    /// Nothing may follow, and each value up to the last must have been defined.
    fn finish(&mut self) -> Read {
        if let Some(cursor) = self.next() {
            return Err(cursor.expected("the end"));
        }
        for inst in std::mem::take(&mut self.values) {
            let missing = ReadError {
                line: self.line,
                expected: "a definition of each value, unused ones included",
            };
            self.body.values.push(inst.ok_or(missing)?);
        }
        Ok(())
    }
}

/// What a closing brace makes.
enum Closed {
    Section(Block),
    Stmt(Stmt),
    Else(Kind),
}

fn close(done: Open, other: bool, cursor: &Cursor<'_>) -> Read<Closed> {
    let body = done.stmts;
    if other && !matches!(done.kind, Kind::Then(_)) {
        return Err(cursor.expected("an if before the else"));
    }
    let stmt = match done.kind {
        Kind::Section => return Ok(Closed::Section(body)),
        Kind::Then(cond) if other => return Ok(Closed::Else(Kind::Else(cond, body))),
        Kind::Then(cond) => Stmt::If {
            cond,
            then: body,
            other: Block::new(),
        },
        Kind::Else(cond, then) => Stmt::If {
            cond,
            then,
            other: body,
        },
        Kind::For(mut data) => {
            data.body = body;
            Stmt::For(data)
        }
        Kind::Loop(label, site) => Stmt::Loop { label, site, body },
        Kind::Block(label) => Stmt::Block { label, body },
    };
    Ok(Closed::Stmt(stmt))
}
