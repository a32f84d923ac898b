//! NPY files: one array of numbers, as `numpy.save` writes it.

use std::fs::File;
use std::io::BufReader;

use ndarray::{Array2, ArrayD, Ix2};
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};

use super::Problem;
use super::source::Source;
use crate::Error;

/// The numbers of an NPY file, which has no names: `[n, columns]`.
pub(super) fn read(source: &Source) -> Result<Array2<f64>, Error> {
    if source.head(1)?.is_empty() {
        return Err(source.error(Problem::Empty));
    }
    let array = array(source)?;
    let shape = array.shape().to_vec();
    let matrix = array.into_dimensionality::<Ix2>();
    let numbers = matrix.map_err(|_| source.error(Problem::Shape { shape }))?;
    if numbers.is_empty() {
        return Err(source.error(Problem::NoRows));
    }
    Ok(numbers)
}

type ReadAs = fn(File) -> Result<ArrayD<f64>, ReadNpyError>;

/// The array, whichever of the types it has.
fn array(source: &Source) -> Result<ArrayD<f64>, Error> {
    const TYPES: [ReadAs; 10] = [
        read_array::<f64>,
        |file| read_as::<f32>(file, f64::from),
        |file| read_as::<i8>(file, f64::from),
        |file| read_as::<i16>(file, f64::from),
        |file| read_as::<i32>(file, f64::from),
        |file| read_as::<i64>(file, |number| number as f64),
        |file| read_as::<u8>(file, f64::from),
        |file| read_as::<u16>(file, f64::from),
        |file| read_as::<u32>(file, f64::from),
        |file| read_as::<u64>(file, |number| number as f64),
    ];
    let mut descriptor = String::new();
    for read_as in TYPES {
        match read_as(source.open()?) {
            Ok(array) => return Ok(array),
            Err(ReadNpyError::WrongDescriptor(found)) => descriptor = found.to_string(),
            Err(ReadNpyError::Io(error)) => return Err(source.cannot_read(error)),
            Err(error) => {
                return Err(source.error(Problem::UnreadableNpy {
                    reason: error.to_string(),
                }));
            }
        }
    }
    Err(source.error(Problem::ElementType { descriptor }))
}

fn read_as<A: ReadableElement + Copy>(
    file: File,
    to_f64: fn(A) -> f64,
) -> Result<ArrayD<f64>, ReadNpyError> {
    Ok(read_array::<A>(file)?.mapv(to_f64))
}

fn read_array<A: ReadableElement>(file: File) -> Result<ArrayD<A>, ReadNpyError> {
    ArrayD::read_npy(BufReader::new(file))
}

#[cfg(test)]
mod tests {
    use super::super::{Selection, Table, table_of};
    use ndarray::{Array2, ShapeBuilder, array};
    use ndarray_npy::{WritableElement, WriteNpyExt};

    fn npy<A: WritableElement>(array: &ndarray::ArrayRef<A, impl ndarray::Dimension>) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    fn read_bytes(bytes: &[u8]) -> Result<Table, String> {
        table_of("imu.npy", bytes)
    }

    fn points(bytes: &[u8]) -> Array2<f32> {
        let table = read_bytes(bytes).unwrap();
        table.dataset(&Selection::default()).unwrap().points
    }

    #[test]
    fn every_number_type_is_read() {
        let expected = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let numbers = expected.mapv(f64::from);
        assert_eq!(points(&npy(&expected)), expected);
        assert_eq!(points(&npy(&numbers)), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as i8))), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as i16))), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as i32))), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as i64))), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as u8))), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as u16))), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as u32))), expected);
        assert_eq!(points(&npy(&numbers.mapv(|x| x as u64))), expected);
    }

    #[test]
    fn order_in_memory_is_no_matter() {
        let columns_first = Array2::from_shape_vec((2, 2).f(), vec![1.0f32, 3.0, 2.0, 4.0]);
        let bytes = npy(&columns_first.unwrap());
        assert!(bytes.windows(4).any(|window| window == b"True"));
        assert_eq!(points(&bytes), array![[1.0, 2.0], [3.0, 4.0]]);
    }

    #[test]
    fn columns_are_called_by_their_index() {
        let table = read_bytes(&npy(&array![[1.0f32, 2.0, 3.0]])).unwrap();
        assert_eq!(table.names(), ["x0", "x1", "x2"]);
        let selection = Selection {
            columns: vec!["1..2".into()],
            ..Selection::default()
        };
        let data = table.dataset(&selection).unwrap();
        assert_eq!(data.points, array![[2.0, 3.0]]);
        assert_eq!(data.labels, ["x1", "x2"]);
    }

    #[test]
    fn nan_is_named_with_its_row() {
        let bytes = npy(&array![[1.0, 2.0], [3.0, f64::NAN]]);
        let error = read_bytes(&bytes).unwrap().dataset(&Selection::default());
        assert_eq!(
            error.unwrap_err().to_string(),
            "imu.npy: row 1, column x1: the value is missing, there is \"NaN\": \
             fill it in, or leave such rows out with --drop-missing"
        );
    }

    #[test]
    fn what_is_no_table_is_refused_with_a_way_out() {
        let whole = npy(&array![[1.0f32, 2.0], [3.0, 4.0]]);
        let cases = [
            (
                Vec::new(),
                "the file is empty: give a line of column names and then rows of numbers",
            ),
            (
                b"x,y\n1,2\n".to_vec(),
                "this cannot be read as NPY (error parsing header: start does not match magic \
                 string): write it anew with numpy.save",
            ),
            (
                whole[..whole.len() - 1].to_vec(),
                "this cannot be read as NPY (reached EOF before reading all data): \
                 write it anew with numpy.save",
            ),
            (
                npy(&array![[true, false]]),
                "the array holds '|b1': save float32, float64 or integers",
            ),
            (
                npy(&array![1.0f32, 2.0]),
                "the array has shape [2]: save one of shape [n, columns]",
            ),
            (
                npy(&Array2::<f32>::zeros((0, 2))),
                "there are columns, but no rows: give one row a point",
            ),
        ];
        for (bytes, expected) in cases {
            let message = read_bytes(&bytes).unwrap_err();
            assert_eq!(message, format!("imu.npy: {expected}"));
        }
    }
}
