//! Loading: every check there is.

use core::fmt;

use crate::crc::crc32;
use crate::density::Density;
use crate::error::Error;
use crate::format::{
    Activation, Body, Description, Header, Kind, MAGIC, MAX_CONTEXT_DIM, MAX_DIM, MAX_LAYER_COUNT,
    MAX_SCALE_CLIP, MAX_WIDTH, VERSION,
};
use crate::kernel::{float::value, memory};
use crate::mlp::Mlp;
use crate::real_nvp::RealNvp;
use crate::sampler::Sampler;
use crate::scratch::{Buffers, Scratch, Workspace};
use crate::standardization::Standardization;
use crate::steps::Steps;
use crate::threshold::Threshold;
use crate::velocity::VelocityField;

/// A model, checked, with its weights left where the file lies.
///
/// # Cost
///
/// About a hundred bytes of RAM, whatever the model's size.
#[derive(Clone)]
pub struct Model<'a> {
    description: Description<'a>,
    words: &'a [u32],
    /// Words before the nets.
    nets_start: usize,
    /// Words of an even net, and of an odd one; those of one parity have the same size.
    net_lens: [usize; 2],
    buffer_len: usize,
}

/// The two flows that a model can be.
#[derive(Clone, Copy, Debug)]
pub enum Flow<'m> {
    /// Samples and log-probabilities.
    RealNvp(RealNvp<'m>),
    /// Samples.
    VelocityField(VelocityField<'m>),
}

impl<'a> Model<'a> {
    /// Checks a model file, whole, and borrows it.
    ///
    /// Any bytes give a model or an error, and two models that mean the same have the same bytes.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, or [`Error::Misaligned`] where the slice does not begin on a
    /// word boundary: [`include_model!`](crate::include_model) does.
    ///
    /// # Cost
    ///
    /// Reads every byte twice, at 15 instructions a byte on Armv7-M and 21 on Armv6-M and RV32IM,
    /// counted with 41 KB of int8 nets and built for speed.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, Error> {
        let body = check_header(bytes)?;
        if !bytes.as_ptr().cast::<u32>().is_aligned() {
            return Err(Error::Misaligned);
        }
        check_checksum(bytes)?;
        let body: Body<'a> = postcard::from_bytes(body).map_err(|_| Error::Malformed)?;
        check_encoding(&body, bytes.len())?;
        check_description(&body.description)?;

        let expected = 4 * body.description.word_count();
        check_equal(expected, body.weights.len(), |expected, found| {
            Error::Weights { expected, found }
        })?;
        let model = Self {
            nets_start: body.description.nets_start(),
            net_lens: [0, 1].map(|k| body.description.net_len(k)),
            buffer_len: body.description.buffer_len(),
            description: body.description,
            words: memory::words(body.weights).ok_or(Error::Misaligned)?,
        };
        model.check_standardization()?;
        for k in 0..model.description.net_count() {
            model.net(k).check()?;
        }
        Ok(model)
    }

    /// What the model is called.
    pub fn name(&self) -> &'a str {
        self.description.name
    }

    /// The names of the columns and then of the context numbers; none where they have no names.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.description.labels()
    }

    /// Dimensions of a point, 1 to 64.
    pub fn dim(&self) -> usize {
        usize::from(self.description.dim)
    }

    /// Numbers in a context, 0 to 32.
    pub fn context_dim(&self) -> usize {
        usize::from(self.description.context_dim)
    }

    /// The mean of each column of the training data: the point's, then the context's.
    pub fn mean(&self) -> impl ExactSizeIterator<Item = f32> {
        self.columns(0, self.description.column_count())
            .mean
            .iter()
            .map(value)
    }

    /// The standard deviation of each column of the training data: the point's, then the context's.
    pub fn std(&self) -> impl ExactSizeIterator<Item = f32> {
        self.columns(0, self.description.column_count())
            .std
            .iter()
            .map(value)
    }

    /// The lower triangle of the Cholesky factor `F` of the correlation of the point's columns, row by
    /// row; none where they are only standardized. Where there is one, nets work on
    /// `F⁻¹ ((x − mean) / std)`.
    pub fn factor(&self) -> impl ExactSizeIterator<Item = f32> {
        self.standardization().factor.iter().map(value)
    }

    /// The log-probability below which a point is strange, where the model is calibrated.
    pub fn threshold(&self) -> Option<Threshold> {
        let start = self.description.transform_len();
        Threshold::from_words(self.words_at(start, self.nets_start - start))
    }

    /// RealNVP or flow matching.
    pub fn kind(&self) -> Kind {
        self.description.kind
    }

    /// All that the file says beside the numbers.
    pub fn description(&self) -> &Description<'a> {
        &self.description
    }

    /// Words of [`Scratch`] that the model needs, at most
    /// [`MAX_SCRATCH_LEN`](crate::MAX_SCRATCH_LEN).
    pub fn scratch_len(&self) -> usize {
        2 * self.buffer_len + self.dim()
    }

    /// Multiply-adds of all nets together: one sample or log-probability of a RealNVP, one Euler
    /// step of a velocity field.
    pub fn mac_count(&self) -> usize {
        (0..self.description.net_count())
            .map(|k| self.description.mac_count(k))
            .sum()
    }

    /// The flow that the model is.
    pub fn flow(&self) -> Flow<'_> {
        match self.kind() {
            Kind::RealNvp { scale_clip, .. } => Flow::RealNvp(RealNvp::new(self, scale_clip)),
            Kind::FlowMatching { step_count } => {
                Flow::VelocityField(VelocityField::new(self, step_count))
            }
        }
    }

    /// The RealNVP.
    ///
    /// # Errors
    ///
    /// [`Error::NotRealNvp`].
    pub fn real_nvp(&self) -> Result<RealNvp<'_>, Error> {
        match self.flow() {
            Flow::RealNvp(flow) => Ok(flow),
            Flow::VelocityField(_) => Err(Error::NotRealNvp),
        }
    }

    /// The velocity field.
    ///
    /// # Errors
    ///
    /// [`Error::NotVelocityField`].
    pub fn velocity_field(&self) -> Result<VelocityField<'_>, Error> {
        match self.flow() {
            Flow::RealNvp(_) => Err(Error::NotVelocityField),
            Flow::VelocityField(field) => Ok(field),
        }
    }

    /// A sampler of points `[f32; DIM]`.
    ///
    /// # Errors
    ///
    /// [`Error::Dim`] where the model has not `DIM` dimensions, [`Error::Scratch`] where `LEN` is
    /// less than [`scratch_len`](Self::scratch_len), [`Error::Context`] where the model takes a
    /// context: see [`sampler_given`](Self::sampler_given).
    pub fn sampler<'s, const DIM: usize, const LEN: usize>(
        &'s self,
        scratch: &'s mut Scratch<LEN>,
    ) -> Result<Sampler<'s, DIM>, Error> {
        self.sampler_given(&[], scratch)
    }

    /// A sampler of points given `context`, in the data's units.
    ///
    /// # Errors
    ///
    /// As [`sampler`](Self::sampler); [`Error::Context`] where `context` has another length than
    /// the model's.
    pub fn sampler_given<'s, const DIM: usize, const LEN: usize>(
        &'s self,
        context: &'s [f32],
        scratch: &'s mut Scratch<LEN>,
    ) -> Result<Sampler<'s, DIM>, Error> {
        let workspace = self.workspace(DIM, context, scratch)?;
        Ok(Sampler::new(self.flow(), context, workspace))
    }

    /// Takes noise `x` to a point given `context`, in the data's units, in as many calls of
    /// [`Steps::advance`] as the flow has steps.
    ///
    /// # Errors
    ///
    /// As [`sampler_given`](Self::sampler_given), with `x` of the model's dimension.
    pub fn steps<'s, const LEN: usize>(
        &'s self,
        x: &'s mut [f32],
        context: &'s [f32],
        scratch: &'s mut Scratch<LEN>,
    ) -> Result<Steps<'s>, Error> {
        let workspace = self.workspace(x.len(), context, scratch)?;
        Ok(Steps::new(self.flow(), x, context, workspace))
    }

    /// The log-probability of points `[f32; DIM]`.
    ///
    /// # Errors
    ///
    /// [`Error::NotRealNvp`], else as [`sampler`](Self::sampler).
    pub fn density<'s, const DIM: usize, const LEN: usize>(
        &'s self,
        scratch: &'s mut Scratch<LEN>,
    ) -> Result<Density<'s, DIM>, Error> {
        self.density_given(&[], scratch)
    }

    /// The log-probability of points given `context`, in the data's units.
    ///
    /// # Errors
    ///
    /// [`Error::NotRealNvp`], else as [`sampler_given`](Self::sampler_given).
    pub fn density_given<'s, const DIM: usize, const LEN: usize>(
        &'s self,
        context: &'s [f32],
        scratch: &'s mut Scratch<LEN>,
    ) -> Result<Density<'s, DIM>, Error> {
        let flow = self.real_nvp()?;
        let workspace = self.workspace(DIM, context, scratch)?;
        Ok(Density::new(flow, context, workspace))
    }

    /// Takes the inputs `q` of integer net `k` to its outputs, both in fixed point, for benchmarks.
    #[doc(hidden)]
    pub fn evaluate_fixed<'s, const LEN: usize>(
        &self,
        k: usize,
        q: &[u32],
        scratch: &'s mut Scratch<LEN>,
    ) -> Result<&'s [u32], Error> {
        let workspace = scratch.workspace(self.buffer_len, self.dim())?;
        let Buffers(x, y) = workspace.buffers;
        x.iter_mut().zip(q).for_each(|(x, q)| *x = *q);
        Ok(self.net(k).evaluate_fixed(x, y).0)
    }

    /// Memory for points of `dim` dimensions given `context`, if the model has those.
    pub(crate) fn workspace<'s, const LEN: usize>(
        &self,
        dim: usize,
        context: &[f32],
        scratch: &'s mut Scratch<LEN>,
    ) -> Result<Workspace<'s>, Error> {
        self.check_lens(dim, context)?;
        scratch.workspace(self.buffer_len, self.dim())
    }

    /// That the model has points of `dim` dimensions and takes such a context.
    #[inline]
    pub(crate) fn check_lens(&self, dim: usize, context: &[f32]) -> Result<(), Error> {
        check_equal(self.dim(), dim, |expected, found| Error::Dim {
            expected,
            found,
        })?;
        check_equal(self.context_dim(), context.len(), |expected, found| {
            Error::Context { expected, found }
        })
    }

    /// Words of each of two layers.
    pub(crate) fn buffer_len(&self) -> usize {
        self.buffer_len
    }

    /// The transform between the data's units and the flow's.
    // A firmware that samples has one caller of it.
    #[inline(always)]
    pub(crate) fn standardization(&self) -> Standardization<'a> {
        let columns = self.columns(0, self.dim());
        let start = 2 * self.description.column_count();
        Standardization {
            factor: self.words_at(start, self.description.factor_len()),
            ..columns
        }
    }

    /// The transform from the context's units to what the nets read.
    pub(crate) fn context_standardization(&self) -> Standardization<'a> {
        self.columns(self.dim(), self.context_dim())
    }

    /// The transform of `count` columns from `start`.
    fn columns(&self, start: usize, count: usize) -> Standardization<'a> {
        let column_count = self.description.column_count();
        Standardization {
            mean: self.words_at(start, count),
            std: self.words_at(column_count + start, count),
            factor: &[],
        }
    }

    /// Net `k`.
    pub(crate) fn net(&self, k: usize) -> Mlp<'_> {
        let description = &self.description;
        let [even, odd] = self.net_lens;
        let (before, len) = match k % 2 {
            0 => (k / 2 * (even + odd), even),
            _ => (k / 2 * (even + odd) + even, odd),
        };
        let (inputs, outputs) = description.net_ends(k);
        Mlp {
            net: &description.net,
            inputs,
            outputs,
            words: self.words_at(self.nets_start + before, len),
        }
    }

    /// `count` words from `start`; all are there once `from_bytes` has counted them.
    fn words_at(&self, start: usize, count: usize) -> &'a [u32] {
        self.words.get(start..start + count).unwrap_or_default()
    }

    fn check_standardization(&self) -> Result<(), Error> {
        let numbers = self.words_at(0, self.nets_start);
        if !numbers.iter().all(|number| value(number).is_finite()) {
            return Err(Error::NotFinite);
        }
        // One standard deviation after the other, then the diagonal, ever farther apart.
        let start = self.description.column_count();
        let (mut at, mut step, end) = (start, 1, self.description.transform_len());
        while let Some(number) = numbers.get(at)
            && at < end
        {
            let is_std = at < 2 * start;
            if value(number) <= 0.0 {
                return Err(if is_std { Error::Std } else { Error::Factor });
            }
            step += usize::from(!is_std);
            at += step;
        }
        Ok(())
    }
}

impl fmt::Debug for Model<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

/// What follows the header, if that is one.
fn check_header(bytes: &[u8]) -> Result<&[u8], Error> {
    if bytes.is_empty() || bytes.iter().zip(&MAGIC).any(|(byte, magic)| byte != magic) {
        return Err(Error::NotAModel);
    }
    let truncated = |expected| Error::Truncated {
        expected,
        found: bytes.len(),
    };
    let (header, body) = Header::take_from_bytes(bytes).ok_or(truncated(Header::LENGTH))?;
    if header.version != VERSION {
        return Err(Error::Version {
            found: header.version,
        });
    }
    let expected = header.length as usize;
    match bytes.len() {
        found if found < expected => Err(truncated(expected)),
        found if found > expected => Err(Error::TooLong { expected, found }),
        _ => Ok(body),
    }
}

fn check_checksum(bytes: &[u8]) -> Result<(), Error> {
    let (content, checksum) = bytes.split_last_chunk().ok_or(Error::Malformed)?;
    let expected = u32::from_le_bytes(*checksum);
    match crc32(content) {
        found if found != expected => Err(Error::Checksum { expected, found }),
        _ => Ok(()),
    }
}

/// That the file has the one encoding of its meaning.
///
/// Postcard writes the shortest form of each number but reads longer ones too: equal lengths mean
/// equal bytes.
fn check_encoding(body: &Body<'_>, length: usize) -> Result<(), Error> {
    let before_weights = length
        .checked_sub(body.weights.len() + size_of_val(&body.checksum))
        .ok_or(Error::Malformed)?;
    let padded = before_weights.is_multiple_of(4)
        && body.padding.len() < 4
        && body.padding.iter().all(|&byte| byte == 0);
    if Header::LENGTH + body.encoded_len() == length && padded {
        Ok(())
    } else {
        Err(Error::Malformed)
    }
}

fn check_description(description: &Description<'_>) -> Result<(), Error> {
    check_limit("dimension", description.dim.into(), 1, MAX_DIM)?;
    check_limit(
        "context",
        description.context_dim.into(),
        0,
        MAX_CONTEXT_DIM,
    )?;
    if description.net.hidden.is_empty() && description.net.activation != Activation::Tanh {
        // Without hidden layers there is nothing to activate: one way to say so.
        return Err(Error::Malformed);
    }
    for &width in &description.net.hidden {
        check_limit("width", width.into(), 1, MAX_WIDTH)?;
    }
    match description.kind {
        Kind::RealNvp {
            layer_count,
            scale_clip,
        } => {
            check_limit("number of layers", layer_count.into(), 1, MAX_LAYER_COUNT)?;
            if !(scale_clip > 0.0 && scale_clip <= MAX_SCALE_CLIP) {
                return Err(Error::ScaleClip);
            }
        }
        // No log-probability, no threshold.
        Kind::FlowMatching { .. } if description.calibrated => return Err(Error::Malformed),
        Kind::FlowMatching { .. } => {}
    }
    let expected = description.column_count();
    match description.label_count() {
        found if found != 0 && found != expected => Err(Error::Labels { expected, found }),
        _ => Ok(()),
    }
}

fn check_limit(what: &'static str, found: usize, min: usize, max: usize) -> Result<(), Error> {
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(Error::Limit { what, found, max })
    }
}

fn check_equal(
    expected: usize,
    found: usize,
    error: impl FnOnce(usize, usize) -> Error,
) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(error(expected, found))
    }
}
