//! The page of a comparison: one file that needs nothing else.

use std::fmt::Write;

use flowlet_trainer::evaluation::POINTS;

use super::super::report::grouped;
use super::table::{self, Table};
use super::{Arguments, Compared, PATHS, figures};

const STYLE: &str = "
body { font: 17px/1.5 Georgia, serif; color: #1c222b; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3, th { font-family: system-ui, sans-serif; line-height: 1.25 }
h2 { margin-top: 3rem; border-bottom: 1px solid #ccd2d9 }
p { max-width: 44rem }
figure { margin: 1.5rem 0; break-inside: avoid }
figure svg { max-width: 100%; height: auto }
figcaption { max-width: 44rem; font-size: 0.92rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: 0.9rem; margin: 1rem 0; break-inside: avoid }
th, td { padding: 0.25rem 0.7rem; text-align: right; border-bottom: 1px solid #e3e6ea }
th:first-child, td:first-child, .two th:nth-child(2), .two td:nth-child(2) { text-align: left }
@media print { body { margin: 0; max-width: none; font-size: 11pt } a { color: inherit } }
";

/// What tells a page of this kind.
pub(super) const TITLE: &str = "<title>RealNVP and flow matching, side by side</title>";

pub(super) fn page(compared: &[Compared], arguments: &Arguments) -> anyhow::Result<String> {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         {TITLE}\n<style>{STYLE}</style>\n</head>\n<body>\n"
    );
    page += INTRODUCTION;
    add_tables(&mut page, compared, arguments)?;
    for of_set in compared {
        add_set(&mut page, of_set)?;
    }
    writeln!(
        page,
        "<h2>Again</h2>\n<p>These are the models of seed {}, trained on {} points each; \
         <code>{}</code> makes the same again. Each lies beside this page as a \
         <code>.flow</code> file: <code>flowlet inspect</code> says what it takes of a \
         microcontroller, and <code>flowlet run</code> samples it on an emulated one.</p>\n\
         </body>\n</html>",
        arguments.seed,
        grouped(arguments.points),
        command(arguments)
    )?;
    Ok(page)
}

/// What makes the same models again.
fn command(arguments: &Arguments) -> String {
    let mut command = format!("flowlet compare --seed {}", arguments.seed);
    if let Some(steps) = arguments.steps {
        command += &format!(" --steps {steps}");
    }
    if arguments.points != POINTS {
        command += &format!(" --points {}", arguments.points);
    }
    command
}

const INTRODUCTION: &str = "\
<h1>RealNVP and flow matching, side by side</h1>
<p>Both turn noise from a standard normal distribution into points of the data, and both learn how from \
points alone. <b>RealNVP</b> is a stack of layers that can each be undone: the way back is exact, and with \
it comes the exact density of any point. <b>Flow matching</b> is one net that tells each point its velocity; \
the point follows it in small steps from noise, at time 0, to data, at time 1. Its net is smaller, but runs \
once a step, and it has no density here.</p>
<p>Three sets of points whose law is known exactly serve to see what each does well: two moons, two circles, \
and eight separate Gaussians. All nets have 8-bit weights, as they would on a microcontroller.</p>
";

fn add_tables(
    page: &mut String,
    compared: &[Compared],
    arguments: &Arguments,
) -> anyhow::Result<()> {
    writeln!(
        page,
        "<h2>What they cost</h2>\n{}<p>A RealNVP runs each of its nets once a sample, flow matching its one \
         net once a step. Multiply-adds are what a microcontroller spends its time on. The last column is \
         what a round trip from data to noise and back misses, in standard deviations of the data: rounding \
         alone for RealNVP; for flow matching the error of its steps, and the more of them, the less{}.</p>",
        html(&table::costs(compared), true),
        fine_round_trips(compared)
    )?;
    writeln!(
        page,
        "<h2>How close they come</h2>\n{}<p>NLL is the mean of −ln p over {} fresh points, here above what \
         the true density gives: 0 is perfect. The others compare as many samples with these points, and \
         are told as multiples of their <i>noise floor</i>, the distance between two true sets of points: \
         1 is perfect, and a little above 1 is luck as often as error. C2ST is the share of points that a \
         trained classifier assigns rightly to data or samples: 0.5 is guessing. MMD is an \
         unbiased estimate, which chance can take below 0. Samples between the modes are farther than four standard deviations from all eight Gaussians. A map that can be undone \
         and has no jumps cannot tear a cloud apart, so both leave threads between what is separate.</p>",
        html(&table::quality(compared), true),
        grouped(arguments.points)
    )?;
    writeln!(
        page,
        "<h2>How many steps?</h2>\n{}{}",
        html(&table::by_steps(compared), false),
        picture(
            &figures::steps(compared),
            "Energy distance over its noise floor against the number of Euler steps, both on logarithmic \
             axes. With few steps paths are cut short as straight lines; where the curve is flat, \
             more steps are wasted. RealNVP takes no steps, so its line is level. The default of a model \
             is the fewest steps that are as good as 100."
        )
    )?;
    Ok(())
}

fn fine_round_trips(compared: &[Compared]) -> String {
    let errors = compared
        .iter()
        .filter_map(|of_set| of_set.models[1].verdict.fine_round_trip);
    let errors: Vec<String> = errors.map(|error| format!("{:.1e}", error.rms)).collect();
    format!(" (by 100 steps it misses {})", errors.join(", "))
}

fn add_set(page: &mut String, of_set: &Compared) -> anyhow::Result<()> {
    let name = of_set.set.name();
    let title = format!("{}{}", name[..1].to_uppercase(), &name[1..]);
    writeln!(page, "<h2>{title}</h2>")?;
    *page += &picture(
        &figures::samples(of_set),
        "Points of the data, and as many samples of each model from the same noise. Look between the \
         parts, and at the ends of the arcs.",
    );
    *page += &picture(
        &figures::densities(of_set, &of_set.models[0].contender.file.model()?)?,
        "The true density and the one that the RealNVP tells, in bands: from each to the next the density \
         falls by a nat, a factor of 2.7, and what is white is below 0.0001 of the highest. Rounding the \
         nets to 8 bits leaves it a density: it still integrates to 1.",
    );
    *page += &picture(
        &figures::trajectories(of_set),
        &format!(
            "The ways of the same {PATHS} points of noise (rings) to their samples (discs). A layer of the \
             RealNVP moves one coordinate and keeps the other, so that paths have corners and may go far \
             out of the way; only their ends count. The paths of flow matching do not cross at any one \
             time, and are nearly straight where noise and data were paired well: straight paths need few \
             steps."
        ),
    );
    *page += &picture(
        &figures::training(of_set)?,
        "Training: the loss on batches and on points kept out. RealNVP maximizes the likelihood, so its loss \
         is the NLL itself. Flow matching minimizes a mean square that cannot reach 0, since many \
         pairs of noise and data lead through one place; how good its samples are it does not tell.",
    );
    Ok(())
}

/// A picture with its explanation.
fn picture(svg: &str, caption: &str) -> String {
    let svg = svg.replacen("<svg ", "<svg role=\"img\" ", 1);
    format!("<figure>\n{svg}<figcaption>{caption}</figcaption>\n</figure>\n")
}

/// A table; `two` tells whether its first two columns are words.
fn html(table: &Table, two: bool) -> String {
    let row = |cell: &str, row: &Vec<String>| {
        let cells = row.iter().map(|text| format!("<{cell}>{text}</{cell}>"));
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let class = if two { " class=\"two\"" } else { "" };
    let body: String = table[1..].iter().map(|cells| row("td", cells)).collect();
    format!(
        "<div class=\"scroll\"><table{class}>\n{}{body}</table></div>\n",
        row("th", &table[0])
    )
}
