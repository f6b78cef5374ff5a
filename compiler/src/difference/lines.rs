//! The line of a difference in the new kernel's text, where that is at hand.
//!
//! A number is looked for among the text's literals of that value, the nearest to the place that the kernel gives; everything else is
//! on that place's line.

use super::Difference;
use crate::diagnostic::Span;
use crate::ir::{Scalar, integer};
use crate::source::CheckedKernel;
use crate::syntax::literals;

impl Difference {
    /// Finds the line of what differs in the text of the new kernel. `checked` is what the front end made of `text`.
    pub fn locate(&mut self, text: &str, checked: &CheckedKernel) {
        let site = self.site.and_then(|site| checked.sites.get(site as usize));
        let literal = self
            .literal
            .and_then(|(bits, scalar)| nearest(text, bits, scalar, site));
        self.line = literal.as_ref().or(site).map(|span| span.line(text));
    }
}

/// The literal of that value, whatever its sign, nearest to a place.
fn nearest(text: &str, bits: u64, scalar: Scalar, site: Option<&Span>) -> Option<Span> {
    let wanted = value(bits, scalar)?.abs();
    let equal = |(literal, of, _): &(u64, Scalar, Span)| {
        value(*literal, *of).is_some_and(|value| match scalar {
            Scalar::F32 => value as f32 == wanted as f32,
            _ => value == wanted,
        })
    };
    let at = site.map_or(0, |site| site.start);
    let found = literals(text)
        .into_iter()
        .filter(equal)
        .map(|(_, _, span)| span);
    found.min_by_key(|span| span.start.abs_diff(at))
}

fn value(bits: u64, scalar: Scalar) -> Option<f64> {
    match scalar {
        Scalar::F64 => Some(f64::from_bits(bits)),
        Scalar::F32 => Some(f64::from(f32::from_bits(bits as u32))),
        _ => integer(scalar, bits).map(|n| n as f64),
    }
}
