//! Safetensors files written by hand, so that they can be wrong.

use serde_json::{Map, Value, json};

/// A file with what a flow needs, to take from and add to.
#[derive(Clone, Debug)]
pub(super) struct Safetensors {
    metadata: Vec<(&'static str, &'static str)>,
    tensors: Vec<Tensor>,
}

#[derive(Clone, Debug)]
struct Tensor {
    name: &'static str,
    kind: &'static str,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Safetensors {
    /// A RealNVP of two dimensions and two linear nets.
    pub(super) fn real_nvp() -> Self {
        let metadata = [
            ("kind", "real_nvp"),
            ("dim", "2"),
            ("context_dim", "0"),
            ("activation", "tanh"),
            ("scale_clip", "2.0"),
        ];
        let empty = Self {
            metadata: metadata.into(),
            tensors: Vec::new(),
        };
        empty
            .with("data.mean", &[2], &[0.5, -0.5])
            .with("data.std", &[2], &[1.0, 2.0])
            .with("layers.0.net.0.weight", &[2, 1], &[0.25, -0.75])
            .with("layers.0.net.0.bias", &[2], &[0.0, 0.125])
            .with("layers.1.net.0.weight", &[2, 1], &[-0.5, 0.375])
            .with("layers.1.net.0.bias", &[2], &[0.0625, 1.0])
    }

    /// Sets a piece of metadata.
    pub(super) fn says(mut self, key: &'static str, value: &'static str) -> Self {
        self.metadata.retain(|(known, _)| *known != key);
        self.metadata.push((key, value));
        self
    }

    /// Sets a tensor of f32.
    pub(super) fn with(self, name: &'static str, shape: &[usize], numbers: &[f32]) -> Self {
        let data = numbers.iter().flat_map(|number| number.to_le_bytes());
        self.tensor(name, "F32", shape, data.collect())
    }

    /// Sets a tensor.
    pub(super) fn tensor(
        self,
        name: &'static str,
        kind: &'static str,
        shape: &[usize],
        data: Vec<u8>,
    ) -> Self {
        let mut file = self.without(name);
        file.tensors.push(Tensor {
            name,
            kind,
            shape: shape.into(),
            data,
        });
        file
    }

    /// Makes all tensors f64.
    pub(super) fn in_f64(mut self) -> Self {
        for tensor in &mut self.tensors {
            let (words, _) = tensor.data.as_chunks();
            let numbers = words
                .iter()
                .map(|word| f64::from(f32::from_le_bytes(*word)));
            tensor.data = numbers.flat_map(f64::to_le_bytes).collect();
            tensor.kind = "F64";
        }
        self
    }

    /// Takes away the metadata or tensor of that name.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.metadata.retain(|(key, _)| *key != name);
        self.tensors.retain(|tensor| tensor.name != name);
        self
    }

    /// The file: the header's length, the header as JSON, the tensors' bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut header = Map::new();
        let metadata = self
            .metadata
            .iter()
            .map(|(k, v)| ((*k).into(), Value::from(*v)));
        header.insert("__metadata__".into(), Value::Object(metadata.collect()));
        let mut data = Vec::new();
        for tensor in &self.tensors {
            let start = data.len();
            data.extend(&tensor.data);
            let place = json!({"dtype": tensor.kind, "shape": tensor.shape,
                "data_offsets": [start, data.len()]});
            header.insert(tensor.name.into(), place);
        }
        let header = Value::Object(header).to_string();
        let length = (header.len() as u64).to_le_bytes();
        [&length, header.as_bytes(), &data].concat()
    }
}
