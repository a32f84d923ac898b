use flowlet::Precision;
use flowlet_trainer::{data::table::*, data::toy::ToySet, evaluation::*, export::export, inference::*, model_file::ModelFile, quantize::*, read_back::read_back};
use std::path::Path;
use ndarray::*;
fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    for name in &names {
        let file = ModelFile::read(Path::new(&format!("/tmp/quantize-m/{name}.flow"))).unwrap();
        let flow = read_back(&file).unwrap();
        assert_eq!(export(&flow, Precision::F32).unwrap().bytes(), file.bytes());
        let m = file.model().unwrap();
        let (train, tests): (Array2<f32>, Vec<Array2<f32>>) = if let Some(set) = ToySet::from_name(name.trim_start_matches("fm_")) {
            use rand::SeedableRng;
            let mut r = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(0);
            let a = set.sample(10000, &mut r).points;
            let mut r = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(77);
            (a, vec![set.sample(20000, &mut r).points])
        } else {
            let get = |f: &str| { let t = Table::read(Path::new(f)).unwrap(); let s = Selection { columns: vec!["logstd_ax..logstd_gz".into()], filters: vec![("activity".into(), "walking".into())], context: vec![] }; t.dataset(&s).unwrap().points };
            (get("/tmp/wt/quantize/tests/data/imu_windows_train.csv"), vec![get("/tmp/wt/quantize/tests/data/imu_windows_train.csv"), get("/tmp/wt/quantize/tests/data/imu_windows_test.csv")])
        };
        let c = Array2::zeros((train.nrows(), 0));
        let t0 = std::time::Instant::now();
        let q = quantize(&flow, Some(Rows { points: train.view(), context: c.view() })).unwrap();
        let qf = q.export().unwrap();
        let dt = t0.elapsed();
        let qo = export(&flow, Precision::Int8).unwrap();
        println!("{name}: {dt:?} {} bytes", qf.bytes().len());
        for (label, qf) in [("data", &qf), ("own", &qo)].into_iter().take(if std::env::var("OWN").is_ok() { 2 } else { 1 }) {
            let qm = qf.model().unwrap();
            let latents = noise(10000, m.dim(), 5);
            let zc = Array2::zeros((10000, 0));
            let a = transport(&m, &latents, &zc, None).unwrap();
            let b = transport(&qm, &latents, &zc, None).unwrap();
            let d: Vec<f64> = a.iter().zip(b.iter()).map(|(a, b)| ((a - b) as f64).abs()).collect();
            println!("  {label}: same-noise sample difference rms {:.5} max {:.4}", (d.iter().map(|x| x * x).sum::<f64>() / d.len() as f64).sqrt(), d.iter().cloned().fold(0.0, f64::max));
            if name.starts_with("fm_") {
                let set = ToySet::from_name(name.trim_start_matches("fm_")).unwrap();
                for seed in [1] {
                let (e, f) = (evaluate(&m, set, None, seed).unwrap(), evaluate(&qm, set, None, seed).unwrap());
                println!("    sliced W2 f32 {:.5} int8 {:.5} data {:.5}", e.sliced_w2, f.sliced_w2, e.sliced_w2_of_data);
                }
                continue;
            }
            if std::env::var("SHORT").is_ok() { continue; }
            for t in &tests {
                let c = Array2::zeros((t.nrows(), 0));
                let a = log_probs(&m, t, &c).unwrap();
                let b = log_probs(&qm, t, &c).unwrap();
                let n = a.len() as f64;
                let mean = |v: &[f32]| v.iter().map(|x| *x as f64).sum::<f64>() / n;
                let rms = (a.iter().zip(&b).map(|(a, b)| ((a - b) as f64).powi(2)).sum::<f64>() / n).sqrt();
                let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                println!("    n {} nll f32 {:.5} int8 {:.5} lost {:+.5} rms {:.4} worst {:.3}", n, -mean(&a), -mean(&b), mean(&a) - mean(&b), rms, worst);
                for (l, mm) in [("f32", &m), ("int8", &qm)] {
                let flow = mm.real_nvp().unwrap();
                let mut s = flowlet::Scratch::<{ flowlet::MAX_SCRATCH_LEN }>::new();
                let mut e = vec![];
                for r in t.rows().into_iter().take(10000) { let x = r.to_vec(); let mut y = x.clone(); flow.forward(&mut y, &[], &mut s).unwrap(); flow.inverse(&mut y, &[], &mut s).unwrap(); e.push(x.iter().zip(&y).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)); }
                e.sort_by(f32::total_cmp);
                println!("    {l} round trip median {:.2e} 99% {:.2e} above {} max {:.2e} {:.2e}", e[e.len() / 2], e[e.len() * 99 / 100], e.iter().filter(|x| **x > 1e-4).count(), e[e.len() - 2], e[e.len() - 1]);
                }
            }
        }
    }
}
