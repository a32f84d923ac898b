//! Ordinary differential equations in fixed steps.

use core::num::NonZeroU16;

/// Follows a velocity field from `t = 0` to `t = 1` by Euler's method, in place.
///
/// `x_{k+1} = x_k + v(x_k, k / n) / n` for `k = 0, …, n − 1`; the error falls as `1 / n`.
///
/// `field` is called with the point, the time and where to leave the velocity.
///
/// # Shapes
///
/// `x` and `v` `[dim]`; `v` is overwritten. Dimensions that one of them lacks do not move.
///
/// # Cost
///
/// `n` calls of `field`.
///
/// ```
/// use core::num::NonZeroU16;
///
/// // dx/dt = x, so x(1) = e · x(0).
/// let mut x = [1.0];
/// let n = NonZeroU16::new(1000).expect("is not zero");
/// flowlet::euler(&mut x, &mut [0.0], n, |x, _t, v| v.copy_from_slice(x));
/// assert!((x[0] - 1.0f32.exp()).abs() < 2e-3);
/// ```
pub fn euler(
    x: &mut [f32],
    v: &mut [f32],
    step_count: NonZeroU16,
    mut field: impl FnMut(&[f32], f32, &mut [f32]),
) {
    for k in 0..step_count.get() {
        euler_step(x, v, k, step_count, &mut field);
    }
}

/// Step `k` of [`euler`].
pub(crate) fn euler_step(
    x: &mut [f32],
    v: &mut [f32],
    k: u16,
    step_count: NonZeroU16,
    mut field: impl FnMut(&[f32], f32, &mut [f32]),
) {
    let n = f32::from(step_count.get());
    field(x, f32::from(k) / n, v);
    for (x, v) in x.iter_mut().zip(v.iter()) {
        *x += v / n;
    }
}
