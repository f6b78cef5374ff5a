//! The ratios of all loops as a chart: a bar a loop, from 1 to its ratio on a logarithmic scale, so that half and twice are alike.

use super::all::Ratio;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// In pixels: of a loop, of the chart, of what stands beside and around the bars.
const ROW: u32 = 15;
const WIDTH: u32 = 980;
const LABELS: u32 = 350;
const HEAD: u32 = 48;
const FOOT: u32 = 30;

/// What is ours or wins, and what is not, told apart by lightness too; lines behind it.
pub(super) const BLUE: RGBColor = RGBColor(0x2b, 0x6c, 0xb0);
pub(super) const ORANGE: RGBColor = RGBColor(0xdd, 0x86, 0x3a);
pub(super) const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);

/// Ratios of at least these are on the scale.
const RANGE: (f64, f64) = (0.5, 2.0);

/// The chart as SVG.
pub(super) fn svg(ratios: &[Ratio], caption: &str) -> String {
    let height = HEAD + ROW * ratios.len() as u32 + FOOT;
    drawn((WIDTH, height), |root| draw(root, ratios, caption))
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A drawing of so many pixels as SVG, on white.
pub(super) fn drawn(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        // Drawing into a string can't fail.
        let _ = root.fill(&WHITE).and_then(|()| draw(&root));
        let _ = root.present();
    }
    text
}

fn draw(root: &Area<'_>, ratios: &[Ratio], caption: &str) -> Drawn {
    let small = ("sans-serif", 14).into_font();
    for (line, text) in caption.lines().enumerate() {
        let at = (8, 6 + 17 * line as i32);
        root.draw(&Text::new(text.to_owned(), at, small.clone()))?;
    }
    let values = || ratios.iter().map(|ratio| ratio.ratio);
    let low = values().fold(RANGE.0, f64::min) / 1.05;
    let high = values().fold(RANGE.1, f64::max) * 1.05;
    let right = WIDTH - 20;
    let x = |ratio: f64| {
        let part = (ratio / low).ln() / (high / low).ln();
        LABELS as i32 + (part * f64::from(right - LABELS)) as i32
    };
    let bottom = (HEAD + ROW * ratios.len() as u32) as i32;
    for tick in [0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 8.0] {
        if (low..=high).contains(&tick) {
            let colour = if tick == 1.0 { BLACK } else { GRID };
            let line = vec![(x(tick), HEAD as i32 - 4), (x(tick), bottom)];
            root.draw(&PathElement::new(line, colour))?;
            let centred = small
                .clone()
                .into_text_style(root)
                .pos(Pos::new(HPos::Center, VPos::Top));
            root.draw(&Text::new(tick.to_string(), (x(tick), bottom + 6), centred))?;
        }
    }
    for (row, Ratio { app, kernel, ratio }) in ratios.iter().enumerate() {
        let top = (HEAD + ROW * row as u32) as i32;
        let ended = small
            .clone()
            .into_text_style(root)
            .pos(Pos::new(HPos::Right, VPos::Top));
        let label = format!("{app}: {kernel} {ratio:.2}");
        root.draw(&Text::new(label, (LABELS as i32 - 8, top + 1), ended))?;
        let colour = if *ratio <= 1.0 { BLUE } else { ORANGE };
        let ends = [x(1.0), x(*ratio)];
        let (from, to) = (
            ends[0].min(ends[1]),
            ends[0].max(ends[1]).max(ends[0].min(ends[1]) + 1),
        );
        let bar = [(from, top + 2), (to, top + ROW as i32 - 2)];
        root.draw(&Rectangle::new(bar, colour.filled()))?;
    }
    Ok(())
}
