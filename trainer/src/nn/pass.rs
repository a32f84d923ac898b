//! One pass through a net, forward and back, over a batch of rows.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, Axis};

use super::{Mlp, Scalar, activation};

/// What a net computed on its way forward, and room for the way back.
///
/// Made once for a number of rows, then used again for every batch of as many.
#[derive(Clone, Debug)]
pub struct Pass<A> {
    /// The input, what each hidden layer gave after its activation, and the output.
    values: Vec<Array2<A>>,
    /// The loss's gradient by each of `values`.
    gradients: Vec<Array2<A>>,
}

impl<A: Scalar> Pass<A> {
    /// Room for `rows` rows through `net`.
    pub fn new(net: &Mlp<A>, rows: usize) -> Self {
        let values: Vec<_> = net
            .widths()
            .map(|width| Array2::zeros((rows, width)))
            .collect();
        Self {
            gradients: values.clone(),
            values,
        }
    }

    /// The input, to be filled in before [`Pass::forward`]: `[rows, inputs]`.
    pub fn input_mut(&mut self) -> &mut Array2<A> {
        self.values.first_mut().expect(ONE_LAYER)
    }

    /// The output of the last [`Pass::forward`]: `[rows, outputs]`.
    pub fn output(&self) -> &Array2<A> {
        self.values.last().expect(ONE_LAYER)
    }

    /// The output, beside the loss's gradient by it, to be filled in before [`Pass::backward`].
    pub fn output_and_gradient_mut(&mut self) -> (&Array2<A>, &mut Array2<A>) {
        let output = self.values.last().expect(ONE_LAYER);
        (output, self.gradients.last_mut().expect(ONE_LAYER))
    }

    /// The loss's gradient by the input, after [`Pass::backward_to_input`].
    pub fn input_gradient(&self) -> &Array2<A> {
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
            multiply(&before[j], &layer.weight.t(), output);
            add_to_rows(&layer.bias, output);
            if j + 1 < net.layers.len() {
                activation::apply(net.activation, contiguous(output));
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
            let layer = &mut gradient.layers[j];
            multiply(&after[0].t(), &self.values[j], &mut layer.weight);
            sum_rows(&after[0], &mut layer.bias);
            if j > 0 {
                multiply(&after[0], &net.layers[j].weight, &mut before[j]);
                activation::multiply_by_derivative(
                    net.activation,
                    self.values[j].as_slice().expect(CONTIGUOUS),
                    contiguous(&mut before[j]),
                );
            }
        }
    }

    /// [`Pass::backward`], and on to the gradient by the input.
    pub fn backward_to_input(&mut self, net: &Mlp<A>, gradient: &mut Mlp<A>) {
        self.backward(net, gradient);
        let (input, after) = self.gradients.split_first_mut().expect(ONE_LAYER);
        multiply(&after[0], &net.layers[0].weight, input);
    }
}

const ONE_LAYER: &str = "a net has one layer or more";
const CONTIGUOUS: &str = "values are stored row by row";

fn contiguous<A>(array: &mut Array2<A>) -> &mut [A] {
    array.as_slice_mut().expect(CONTIGUOUS)
}

/// `product` = `left` · `right`.
fn multiply<A: Scalar>(
    left: &ndarray::ArrayRef2<A>,
    right: &ndarray::ArrayRef2<A>,
    product: &mut Array2<A>,
) {
    general_mat_mul(A::one(), left, right, A::zero(), product);
}

fn add_to_rows<A: Scalar>(bias: &Array1<A>, values: &mut Array2<A>) {
    let bias = bias.as_slice().expect(CONTIGUOUS);
    for mut row in values.axis_iter_mut(Axis(0)) {
        let row = row.as_slice_mut().expect(CONTIGUOUS);
        row.iter_mut().zip(bias).for_each(|(a, &b)| *a += b);
    }
}

fn sum_rows<A: Scalar>(values: &Array2<A>, sum: &mut Array1<A>) {
    let sum = sum.as_slice_mut().expect(CONTIGUOUS);
    sum.fill(A::zero());
    for row in values.axis_iter(Axis(0)) {
        let row = row.to_slice().expect(CONTIGUOUS);
        sum.iter_mut().zip(row).for_each(|(s, &a)| *s += a);
    }
}

#[cfg(test)]
mod tests {
    use flowlet::format::Activation;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::gradient_check::assert_gradient;

    const ROWS: usize = 5;

    /// A net, and a pass through it with random input.
    fn net_and_pass(widths: &[usize], activation: Activation) -> (Mlp<f64>, Pass<f64>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let net = Mlp::random(widths, activation, &mut rng);
        let mut pass = Pass::new(&net, ROWS);
        pass.input_mut()
            .mapv_inplace(|_| 4.0 * rng.random::<f64>() - 2.0);
        (net, pass)
    }

    /// ½ Σ y²
    fn loss(net: &Mlp<f64>, pass: &mut Pass<f64>) -> f64 {
        pass.forward(net);
        0.5 * pass.output().iter().map(|y| y * y).sum::<f64>()
    }

    fn backward(net: &Mlp<f64>, pass: &mut Pass<f64>, gradient: &mut Mlp<f64>) {
        pass.forward(net);
        let (output, output_gradient) = pass.output_and_gradient_mut();
        output_gradient.assign(output);
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
            for at in [[0, 0], [2, 1], [4, 2]] {
                let mut loss_at = |offset: f64| {
                    pass.input_mut()[at] += offset;
                    let loss = loss(&net, &mut pass);
                    pass.input_mut()[at] -= offset;
                    loss
                };
                let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
                let error = (slope - pass.input_gradient()[at]).abs();
                assert!(error < TOLERANCE, "at {at:?}: {error:e}");
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
            let narrow = |array: &Array2<f64>| array.mapv(|x| x as f32);
            let layers = net.layers.iter().map(|layer| crate::nn::Dense {
                weight: narrow(&layer.weight),
                bias: layer.bias.mapv(|x| x as f32),
            });
            let narrow_net = Mlp {
                layers: layers.collect(),
                activation,
            };
            let mut narrow_pass = Pass::new(&narrow_net, ROWS);
            narrow_pass.input_mut().assign(&narrow(pass.input_mut()));
            narrow_pass.forward(&narrow_net);
            pass.forward(&net);
            for (&narrow, wide) in narrow_pass.output().iter().zip(pass.output()) {
                assert!((f64::from(narrow) - wide).abs() < TOLERANCE);
            }
        }
    }
}
