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
