//! What each loop computes a second over what it computes with a byte, both on logarithmic scales, under what the machine can do at
//! most (Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore architectures", 2009).

use super::chart::{self, Area, BLUE, Drawn, GRID, ORANGE};
use super::peaks::Peaks;
use super::report::{KernelReport, Report};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// In pixels: of a name in the list, of the chart, of the list beside it, of what stands around the points.
const ROW: i32 = 14;
const WIDTH: i32 = 1100;
const LIST: i32 = 380;
const HEAD: i32 = 48;
const FOOT: i32 = 44;
const LEFT: i32 = 64;
const HEIGHT_MIN: i32 = 640;

/// A loop's place in the chart.
struct Point {
    name: String,
    intensity: f64,
    ours: f64,
    /// The same of the first baseline.
    theirs: Option<f64>,
}

impl Point {
    fn of(app: &str, kernel: &KernelReport) -> Option<Point> {
        let theirs = kernel.ratio.map(|ratio| kernel.gflop_per_s * ratio);
        (kernel.gflop_per_s > 0.0 && kernel.intensity > 0.0).then(|| Point {
            name: format!("{app}: {}", kernel.name),
            intensity: kernel.intensity,
            ours: kernel.gflop_per_s,
            theirs,
        })
    }
}

/// A logarithmic scale of pixels.
struct Scale {
    from: f64,
    to: f64,
    pixels: (i32, i32),
}

impl Scale {
    /// Of whole powers of ten that hold all values.
    fn of(values: impl Iterator<Item = f64> + Clone, pixels: (i32, i32)) -> Scale {
        let low = values.clone().fold(1.0, f64::min).log10().floor();
        let high = values.fold(1.0, f64::max).log10().ceil().max(low + 1.0);
        Scale {
            from: low,
            to: high,
            pixels,
        }
    }

    fn at(&self, value: f64) -> i32 {
        let part = (value.log10() - self.from) / (self.to - self.from);
        let (first, last) = self.pixels;
        first + (part * f64::from(last - first)).round() as i32
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        (self.from as i32..=self.to as i32).map(|power| 10f64.powi(power))
    }
}

/// The chart as SVG. Loops that compute nothing in floating point have no place in it.
pub(super) fn svg(apps: &[Report], peaks: Peaks, caption: &str) -> String {
    let kernels = apps
        .iter()
        .flat_map(|report| report.kernels.iter().map(|kernel| (report.app, kernel)));
    let points: Vec<Point> = kernels
        .filter_map(|(app, kernel)| Point::of(app, kernel))
        .collect();
    let height = HEIGHT_MIN.max(HEAD + ROW * points.len() as i32 + FOOT);
    chart::drawn((WIDTH as u32, height as u32), |root| {
        draw(root, &points, peaks, caption, height)
    })
}

fn draw(root: &Area<'_>, points: &[Point], peaks: Peaks, caption: &str, height: i32) -> Drawn {
    let font = || ("sans-serif", 13).into_font();
    let put = |text: String, at: (i32, i32)| root.draw(&Text::new(text, at, font()));
    put("floating-point operations a nanosecond, over operations a useful byte; blue parloop, orange cc".to_owned(), (8, 6))?;
    put(caption.to_owned(), (8, 24))?;
    let rates = points
        .iter()
        .flat_map(|point| [Some(point.ours), point.theirs]);
    let rates = rates.flatten().chain(peaks.fma_gflop_per_s);
    let x = Scale::of(
        points.iter().map(|point| point.intensity),
        (LEFT, WIDTH - LIST - 16),
    );
    let y = Scale::of(rates, (height - FOOT, HEAD));
    grid(root, &x, &y)?;
    roof(root, &x, &y, peaks)?;
    for (index, point) in points.iter().enumerate() {
        let number = (index + 1).to_string();
        let left = x.at(point.intensity);
        if let Some(theirs) = point.theirs {
            root.draw(&Circle::new(
                (left, y.at(theirs)),
                3,
                ORANGE.stroke_width(1),
            ))?;
        }
        root.draw(&Circle::new((left, y.at(point.ours)), 3, BLUE.filled()))?;
        put(number.clone(), (left + 5, y.at(point.ours) - 10))?;
        let at = (WIDTH - LIST, HEAD + ROW * index as i32);
        put(format!("{number}  {}  {:.2}", point.name, point.ours), at)?;
    }
    Ok(())
}

fn grid(root: &Area<'_>, x: &Scale, y: &Scale) -> Drawn {
    let style = |h, v| {
        let font = ("sans-serif", 13).into_font().into_text_style(root);
        font.pos(Pos::new(h, v))
    };
    for tick in x.ticks() {
        let line = vec![(x.at(tick), y.pixels.0), (x.at(tick), y.pixels.1)];
        root.draw(&PathElement::new(line, GRID))?;
        let at = (x.at(tick), y.pixels.0 + 6);
        root.draw(&Text::new(
            tick.to_string(),
            at,
            style(HPos::Center, VPos::Top),
        ))?;
    }
    for tick in y.ticks() {
        let line = vec![(x.pixels.0, y.at(tick)), (x.pixels.1, y.at(tick))];
        root.draw(&PathElement::new(line, GRID))?;
        let at = (x.pixels.0 - 6, y.at(tick));
        root.draw(&Text::new(
            tick.to_string(),
            at,
            style(HPos::Right, VPos::Center),
        ))?;
    }
    Ok(())
}

/// What no loop that moves and computes so much passes, and what it comes from.
fn roof(root: &Area<'_>, x: &Scale, y: &Scale, peaks: Peaks) -> Drawn {
    let line = |from: (f64, f64), to: (f64, f64), label: String| -> Drawn {
        let ends = [from, to].map(|(intensity, rate)| (x.at(intensity), y.at(rate)));
        root.draw(&PathElement::new(ends.to_vec(), BLACK))?;
        let at = (ends[0].0 + 6, ends[0].1 - 18);
        root.draw(&Text::new(label, at, ("sans-serif", 13).into_font()))
    };
    let (first, last) = (10f64.powf(x.from), 10f64.powf(x.to));
    let flat = peaks.fma_gflop_per_s;
    if let Some(bandwidth) = peaks.triad_gb_per_s {
        // The slope begins at the chart's lower edge and ends at the flat part.
        let from = first.max(10f64.powf(y.from) / bandwidth);
        let top = flat.unwrap_or(10f64.powf(y.to)).min(10f64.powf(y.to));
        let to = last.min(top / bandwidth);
        if from < to {
            let label = format!("triad {bandwidth:.1} GB/s");
            line((from, from * bandwidth), (to, to * bandwidth), label)?;
        }
    }
    if let Some(flat) = flat {
        let from = peaks
            .triad_gb_per_s
            .map_or(first, |bandwidth| flat / bandwidth);
        let from = from.clamp(first, last);
        line(
            (from, flat),
            (last, flat),
            format!("multiply-add {flat:.1} GFLOP/s"),
        )?;
    }
    Ok(())
}
