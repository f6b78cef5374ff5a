//! Plain text: tables without frames, numbers in few digits.
//!
//! Nothing here colours; a table is the same on a terminal and in a file.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::time::Duration;

/// A table with these headings; columns in `right` are aligned to the right.
pub(crate) fn table(headings: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(headings.iter().copied());
    for (index, column) in table.column_iter_mut().enumerate() {
        let first = if index == 0 { 0 } else { 1 };
        column.set_padding((first, 1));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Lines of a table without blanks at their ends.
pub(crate) fn lines(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `value` with `digits` digits after the point and an exponent of at least two, as C's `%e` writes it.
pub(crate) fn scientific(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

/// A time in the unit that suits it.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.1} us", s * 1e6),
    }
}

/// A number of bytes in the unit that suits it.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = "bytes";
    for larger in units {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    if unit == "bytes" {
        format!("{bytes} bytes")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_have_two_digits_and_a_sign() {
        let cases = [
            (4.70040e-4, 5, "4.70040e-04"),
            (1.060_114_637_578e-4, 12, "1.060114637578e-04"),
            (0.0, 2, "0.00e+00"),
            (1.5e120, 1, "1.5e+120"),
            (f64::NAN, 3, "NaN"),
        ];
        for (value, digits, expected) in cases {
            assert_eq!(scientific(value, digits), expected);
        }
    }

    #[test]
    fn sizes_and_times_are_in_the_unit_that_suits_them() {
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(duration(Duration::from_nanos(1500)), "1.5 us");
        assert_eq!(duration(Duration::from_micros(1500)), "1.50 ms");
        assert_eq!(duration(Duration::from_millis(1500)), "1.50 s");
    }
}
