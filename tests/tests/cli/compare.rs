//! `flowlet compare`.

use super::*;

/// What machines find of each model.
const KEYS: [&str; 11] = [
    "seconds",
    "bytes",
    "evaluations",
    "mac_count",
    "round_trip_rms",
    "round_trip_largest",
    "exact_nll",
    "sliced_w2_ratio",
    "energy_distance_ratio",
    "squared_mmd_ratio",
    "two_sample_accuracy",
];

/// Training that is over in no time.
const QUICK: &str = "compare --steps 20 --points 200";

#[test]
fn a_page_and_models_are_written_and_both_models_told() {
    /// A way back that is exact but for rounding, in f32 near 1.
    const EXACT: f64 = 1e-4;
    let folder = Folder::new();
    let report = folder.json(&format!("{QUICK} -o side-by-side"));
    for set in ["moons", "circles", "gaussians"] {
        for model in ["real-nvp", "flow-matching"] {
            let figures = &report[set][model];
            for key in KEYS {
                assert!(figures[key].is_number(), "{set} {model}: {key}");
            }
            let is_exact = figures["round_trip_rms"].as_f64().unwrap() < EXACT;
            assert_eq!(is_exact, model == "real-nvp", "{figures}");
            assert_eq!(figures["nll"].is_number(), model == "real-nvp");
            assert_eq!(figures["by_steps"].is_object(), model == "flow-matching");
            assert_eq!(figures["between_modes"].is_number(), set == "gaussians");
            let inspected = folder.json(&format!("inspect side-by-side/{set}-{model}.flow"));
            assert_eq!(inspected["kind"], model);
            assert_eq!(inspected["bytes"], figures["bytes"]);
        }
    }
    let page = folder.text("side-by-side/index.html");
    assert_page_is_whole(&page);
    let again = "<code>flowlet compare --seed 0 --steps 20 --points 200</code>";
    assert!(page.contains(again));
    folder.succeed("train gaussians --steps 20 --points 200 -o alone.flow");
    let same = folder.read("side-by-side/gaussians-real-nvp.flow") == folder.read("alone.flow");
    assert!(same, "a model of train is another");
}

#[test]
fn another_page_is_not_written_over() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("site")).unwrap();
    folder.write("site/index.html", "<title>Home</title>");
    let message = folder.fail(&format!("{QUICK} -o site"));
    assert_tells(&message, &["index.html", "written over", "--output"]);
    assert_eq!(folder.text("site/index.html"), "<title>Home</title>");
}

/// That it has all tables and pictures, and asks for nothing from elsewhere.
fn assert_page_is_whole(page: &str) {
    // One of the steps, and for each set samples, densities, paths and losses.
    let pictures = 1 + 3 * 4;
    for tag in ["<svg ", "</svg>", "<figcaption>"] {
        assert_eq!(page.matches(tag).count(), pictures, "{tag}");
    }
    assert_eq!(page.matches("<table").count(), 3);
    let headings = ["Moons", "Circles", "Gaussians", "How many steps?"];
    assert!(
        headings
            .iter()
            .all(|heading| page.contains(&format!("<h2>{heading}</h2>")))
    );
    let without_names = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for request in [
        "http:", "https:", "src=", "@import", "url(", "<script", "<link",
    ] {
        assert!(!without_names.contains(request), "{request}");
    }
    assert!(page.ends_with("</html>\n") && !page.contains("NaN"));
}
