//! One pass through a net, forward and back, over a shard of rows.

use super::kernel::{self, Backward, Forward, GradientRoom, Gradients, ROWS, Row};
use super::{Dense, Mlp, Scalar, activation};

/// What a net computed on its way forward, and room for the way back.
///
/// Made once, then used again for every shard. Values are `[width, ROWS]`: all rows of one unit, then
/// all of the next.
#[derive(Clone, Debug)]
pub struct Pass<A> {
    /// The input, what each hidden layer gave after its activation, and the output.
    values: Vec<Vec<Row<A>>>,
    /// The loss's gradient by each of `values`.
    gradients: Vec<Vec<Row<A>>>,
    room: GradientRoom<A>,
}

impl<A: Scalar> Pass<A> {
    /// Room for a shard through `net`.
    pub fn new(net: &Mlp<A>) -> Self {
        let zeros = |width| vec![[A::zero(); ROWS]; width];
        let values: Vec<_> = net.widths().map(zeros).collect();
        Self {
            gradients: values.clone(),
            values,
            room: GradientRoom::new(),
        }
    }

    /// The input, to be filled in before [`Pass::forward`]: `[inputs, ROWS]`.
    pub fn input_mut(&mut self) -> &mut [Row<A>] {
        self.values.first_mut().expect(ONE_LAYER)
    }

    /// The output of the last [`Pass::forward`]: `[outputs, ROWS]`.
    pub fn output(&self) -> &[Row<A>] {
        self.values.last().expect(ONE_LAYER)
    }

    /// The output, beside the loss's gradient by it, to be filled in before [`Pass::backward`].
    pub fn output_and_gradient_mut(&mut self) -> (&[Row<A>], &mut [Row<A>]) {
        let output = self.values.last().expect(ONE_LAYER);
        (output, self.gradients.last_mut().expect(ONE_LAYER))
    }

    /// The loss's gradient by the input, after [`Pass::backward_to_input`].
    pub fn input_gradient(&self) -> &[Row<A>] {
        self.gradients.first().expect(ONE_LAYER)
    }

    /// Takes the input to the output: y = f(W x + b), layer by layer, without f after the last.
    ///
    /// # Cost
    ///
    /// One multiply-add a row and weight.
    pub fn forward(&mut self, net: &Mlp<A>) {
        for (j, layer) in net.layers.iter().enumerate() {
            let (before, after) = self.values.split_at_mut(j + 1);
            let output = &mut after[0];
            let (weight, bias) = layer.as_slices();
            let input = &before[j];
            kernel::dispatch(Forward {
                weight,
                bias,
                input,
                output,
            });
            if j + 1 < net.layers.len() {
                activation::apply(net.activation, output.as_flattened_mut());
            }
        }
    }

    /// Takes the gradient by the output to the gradient by all weights, which it overwrites.
    ///
    /// # Cost
    ///
    /// Two multiply-adds a row and weight, one in the first layer.
    pub fn backward(&mut self, net: &Mlp<A>, gradient: &mut Mlp<A>) {
        for j in (0..net.layers.len()).rev() {
            let (before, after) = self.gradients.split_at_mut(j + 1);
            let (weight_gradient, bias_gradient) = gradient.layers[j].as_slices_mut();
            kernel::dispatch(Gradients {
                gradient: &after[0],
                input: &self.values[j],
                weight_gradient,
                bias_gradient,
                room: &mut self.room,
            });
            if j > 0 {
                to_input(&net.layers[j], &after[0], &mut before[j]);
                let (values, gradients) =
                    (self.values[j].as_flattened(), before[j].as_flattened_mut());
                activation::multiply_by_derivative(net.activation, values, gradients);
            }
        }
    }

    /// [`Pass::backward`], and on to the gradient by the input.
    pub fn backward_to_input(&mut self, net: &Mlp<A>, gradient: &mut Mlp<A>) {
        self.backward(net, gradient);
        let (input, after) = self.gradients.split_first_mut().expect(ONE_LAYER);
        to_input(&net.layers[0], &after[0], input);
    }
}

const ONE_LAYER: &str = "a net has one layer or more";

/// The gradient by a layer's input from that by its output.
fn to_input<A: Scalar>(layer: &Dense<A>, gradient: &[Row<A>], input_gradient: &mut [Row<A>]) {
    let (weight, _) = layer.as_slices();
    kernel::dispatch(Backward {
        weight,
        gradient,
        input_gradient,
    });
}

#[cfg(test)]
mod tests {
    use flowlet::format::Activation;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::gradient_check::assert_gradient;

    /// A net, and a pass through it with random input.
    fn net_and_pass(widths: &[usize], activation: Activation) -> (Mlp<f64>, Pass<f64>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let net = Mlp::random(widths, activation, &mut rng);
        let mut pass = Pass::new(&net);
        let input = pass.input_mut().as_flattened_mut();
        input.fill_with(|| 4.0 * rng.random::<f64>() - 2.0);
        (net, pass)
    }

    /// ½ Σ y²
    fn loss(net: &Mlp<f64>, pass: &mut Pass<f64>) -> f64 {
        pass.forward(net);
        0.5 * pass
            .output()
            .as_flattened()
            .iter()
            .map(|y| y * y)
            .sum::<f64>()
    }

    fn backward(net: &Mlp<f64>, pass: &mut Pass<f64>, gradient: &mut Mlp<f64>) {
        pass.forward(net);
        let (output, output_gradient) = pass.output_and_gradient_mut();
        output_gradient.copy_from_slice(output);
        pass.backward_to_input(net, gradient);
    }

    #[test]
    fn gradient_by_weights_is_the_slope() {
        for activation in [Activation::Tanh, Activation::Elu] {
            for widths in [&[3, 4, 5, 2][..], &[3, 2], &[0, 4, 2], &[3, 4, 0]] {
                let (net, mut pass) = net_and_pass(widths, activation);
                let mut gradient = net.clone();
                backward(&net, &mut pass, &mut gradient);
                assert_gradient(&[net], &[gradient], |nets| loss(&nets[0], &mut pass));
            }
        }
    }

    #[test]
    fn gradient_by_input_is_the_slope() {
        const STEP: f64 = 1e-5;
        // The error of a central difference, 1e-10, and rounding.
        const TOLERANCE: f64 = 1e-8;
        for activation in [Activation::Tanh, Activation::Elu] {
            let (net, mut pass) = net_and_pass(&[3, 4, 5, 2], activation);
            backward(&net, &mut pass, &mut net.clone());
            for (row, input) in [(0, 0), (2, 1), (63, 2)] {
                let mut loss_at = |offset: f64| {
                    pass.input_mut()[input][row] += offset;
                    let loss = loss(&net, &mut pass);
                    pass.input_mut()[input][row] -= offset;
                    loss
                };
                let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
                let error = (slope - pass.input_gradient()[input][row]).abs();
                assert!(error < TOLERANCE, "row {row}, input {input}: {error:e}");
            }
        }
    }

    #[test]
    fn what_is_used_again_forgets_what_it_held() {
        let (net, mut pass) = net_and_pass(&[3, 4, 2], Activation::Elu);
        let mut gradient = net.clone();
        backward(&net, &mut pass, &mut gradient);
        let once = gradient.clone();
        backward(&net, &mut pass, &mut gradient);
        assert_eq!(once, gradient);
    }

    #[test]
    fn single_precision_agrees_with_double() {
        // A hundred roundings of values around 1.
        const TOLERANCE: f64 = 1e-5;
        for activation in [Activation::Tanh, Activation::Elu] {
            let (net, mut pass) = net_and_pass(&[3, 64, 64, 2], activation);
            let layers = net.layers.iter().map(|layer| crate::nn::Dense {
                weight: layer.weight.mapv(|x| x as f32),
                bias: layer.bias.mapv(|x| x as f32),
            });
            let narrow_net = Mlp {
                layers: layers.collect(),
                activation,
            };
            let mut narrow_pass = Pass::new(&narrow_net);
            for (narrow, wide) in narrow_pass.input_mut().iter_mut().zip(pass.input_mut()) {
                *narrow = wide.map(|x| x as f32);
            }
            narrow_pass.forward(&narrow_net);
            pass.forward(&net);
            let narrow = narrow_pass.output().as_flattened();
            for (&narrow, wide) in narrow.iter().zip(pass.output().as_flattened()) {
                assert!((f64::from(narrow) - wide).abs() < TOLERANCE);
            }
        }
    }
}
