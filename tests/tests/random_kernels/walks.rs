//! Loops that walk through an array with strides, as assembly does: nests over rows and columns, and neighbours that are stored
//! and loaded in turns. Passes that turn loops, pair accesses and move them are for these.

use crate::tree::Expr;
use crate::types::Ty;
use crate::values::typed;
use crate::writer::Writer;

/// Entries of the array.
const LEN: u32 = 1024;

impl Writer {
    /// A walk, and what it leaves, in a place.
    pub(crate) fn walk(&mut self, by: [u8; 8], expr: &Expr) {
        let Some(place) = self.place(by[0], true).cloned() else {
            return;
        };
        let ty = [Ty::F64, Ty::F64, Ty::F32, Ty::U32][usize::from(by[0]) % 4];
        let value = self.expr(expr);
        let value = self.to(value, ty);
        let (c, array, held, sum) = (ty.name(0), self.name("w"), self.name("v"), self.name("s"));
        self.line(&format!("const {c} {held} = {value};"));
        self.line(&format!("{c} {array}[{LEN}] = {{1, {held}, 3}};"));
        match by[1] % 2 {
            0 => self.nest(&array, &held, ty, by),
            _ => self.neighbours(&array, &held, c, by),
        }
        self.line(&format!("{c} {sum} = 0;"));
        self.line(&format!(
            "for (int n = 0; n < {LEN}; n++) {sum} = {array}[n] * ({c})(1 + n % 3) - {sum};"
        ));
        let to = self.access(&place, by[2], None);
        let sum = self.to(typed(sum, ty), place.ty);
        self.line(&format!("{to} = {sum};"));
    }

    fn nest(&mut self, array: &str, held: &str, ty: Ty, by: [u8; 8]) {
        let (outer, inner) = (2 + by[2] % 19, 2 + by[3] % 19);
        // Most often rows do not overlap, save by what an index has besides.
        let across = match by[4] {
            0..160 => outer + by[4] % 3,
            more => more % 23,
        };
        let along = [1, 1, 1, 0, 2][usize::from(by[5]) % 5];
        let back = [0, across, across.saturating_sub(1), across.min(3)][usize::from(by[5] / 8) % 4];
        let index = match by[6] % 8 {
            0 => format!("{across} * i + {along} * j + (i & 3)"),
            1 => format!("{across} * i + {along} * j - {back} * (i & 31)"),
            2 => format!("j + {across} * i + i / 2"),
            3 => format!("{across} * i + j * i"),
            4 => format!("i + {across} * j"),
            _ => format!("{across} * i + j"),
        };
        let entry = format!("{array}[{index}]");
        let stored = match by[7] % 4 {
            0 => format!("{entry} = {held} * i + j;"),
            1 => format!("{entry} += {held} - j;"),
            2 => format!("{entry} = {entry} * 3 + {array}[i];"),
            _ => format!("{entry} = {entry} * {held} + s;"),
        };
        // What is too large for an unsigned integer has no meaning as one in C.
        let is_double = ty.float() && by[7] >= 128;
        let c = if is_double { "double" } else { "int" };
        self.line(&format!("for (int j = 0; j < {outer}; j++) {{"));
        self.line(&format!(
            "  {c} s = j * 2; for (int i = 0; i < {inner}; i++) {{ {stored} }} (void)s;"
        ));
        self.line("}");
    }

    fn neighbours(&mut self, array: &str, held: &str, c: &str, by: [u8; 8]) {
        let (step, trips) = (1 + by[2] % 3, 17 + by[3] % 20);
        let mut read = vec![held.to_owned()];
        self.line(&format!("for (int i = 0; i < {trips}; i++) {{"));
        self.line(&format!("  int j = {step} * i;"));
        for access in by[4..].iter().flat_map(|byte| [byte & 15, byte >> 4]) {
            let (at, last) = (access / 2 % 4, &read[read.len() - 1]);
            if access % 2 == 0 {
                self.line(&format!("  {array}[j + {at}] = {last} * 2 + {held};"));
            } else {
                let name = format!("r{}", read.len());
                self.line(&format!("  const {c} {name} = {array}[j + {at}];"));
                read.push(name);
            }
        }
        let (one, other) = (&read[read.len() / 2], &read[read.len() - 1]);
        self.line(&format!("  {array}[512 + 2 * i] = {one} * 3;"));
        self.line(&format!("  {array}[513 + 2 * i] = {other} * 3;"));
        self.line("}");
    }
}
