//! The data cells of a blob from any 64 of its 128 cells.
//!
//! A blob is a polynomial P of degree below 4,096 over the scalar field of BLS12-381. Cell `i` holds its values on a coset on which
//! x^64 is a constant `c(i)`. With P(x) = Σ x^j Q_j(x^64), what 64 values of one cell interpolate to has Q_j(c(i)) as its coefficient
//! `j`; each Q_j has degree below 64, so that 64 cells determine it. No trusted setup is needed, which is why this is not `c-kzg`.

use ark_bls12_381::Fr;
use ark_ff::{BigInt, FftField, Field, One, PrimeField, batch_inversion};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

use super::{
    DasError,
    layout::{CELL_BYTES, CELLS, DATA_CELLS, ELEMENT_BYTES},
};

/// Field elements of a cell.
const ELEMENTS: usize = CELL_BYTES / ELEMENT_BYTES;

/// The cosets of all cells.
pub(super) struct Recovery {
    cosets: Vec<Radix2EvaluationDomain<Fr>>,
    /// x^64 on each coset.
    constants: Vec<Fr>,
}

impl Recovery {
    pub(super) fn new() -> Option<Self> {
        let root = Fr::get_root_of_unity((CELLS * ELEMENTS) as u64)?;
        let domain = Radix2EvaluationDomain::<Fr>::new(ELEMENTS)?;
        let offset = |cell: usize| root.pow([reversed(cell, CELLS) as u64]);
        let cosets = (0..CELLS).map(|cell| domain.get_coset(offset(cell))).collect::<Option<Vec<_>>>()?;
        let constants = cosets.iter().map(|coset| coset.coset_offset_pow_size()).collect();
        Some(Self { cosets, constants })
    }

    /// The data cells of which `cells` has none, each with its number. `cells` has at least 64 others.
    pub(super) fn missing(&self, cells: &[Option<&[u8]>]) -> Result<Vec<(usize, Vec<u8>)>, DasError> {
        let present = cells.iter().enumerate().filter_map(|(number, cell)| Some((number, (*cell)?))).take(DATA_CELLS);
        let (numbers, rows): (Vec<_>, Vec<_>) = present.unzip();
        let rows = numbers.iter().zip(rows).map(|(number, cell)| self.coefficients(*number, cell));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let points: Vec<Fr> = numbers.iter().map(|number| self.constants[*number]).collect();
        let weights = weights(&points);
        let missing = (0..DATA_CELLS).filter(|number| cells[*number].is_none());
        Ok(missing.map(|number| (number, self.cell(number, &points, &weights, &rows))).collect())
    }

    /// The coefficients of what a cell's values interpolate to.
    fn coefficients(&self, number: usize, cell: &[u8]) -> Result<Vec<Fr>, DasError> {
        let mut values = vec![Fr::default(); ELEMENTS];
        for (index, element) in cell.chunks_exact(ELEMENT_BYTES).enumerate() {
            values[reversed(index, ELEMENTS)] = read_element(element).ok_or(DasError::NotInField)?;
        }
        self.cosets[number].ifft_in_place(&mut values);
        Ok(values)
    }

    /// Cell `number`, by Lagrange interpolation of each coefficient over `points`.
    fn cell(&self, number: usize, points: &[Fr], weights: &[Fr], rows: &[Vec<Fr>]) -> Vec<u8> {
        let at = self.constants[number];
        let mut distances: Vec<Fr> = points.iter().map(|point| at - point).collect();
        let product = distances.iter().product::<Fr>();
        batch_inversion(&mut distances);
        let mut values = vec![Fr::default(); ELEMENTS];
        for ((inverse, weight), row) in distances.iter().zip(weights).zip(rows) {
            let factor = product * inverse * weight;
            values.iter_mut().zip(row).for_each(|(value, coefficient)| *value += factor * coefficient);
        }
        self.cosets[number].fft_in_place(&mut values);
        (0..ELEMENTS).flat_map(|index| write_element(values[reversed(index, ELEMENTS)])).collect()
    }
}

/// The barycentric weights of distinct points.
fn weights(points: &[Fr]) -> Vec<Fr> {
    let weight = |(index, point): (usize, &Fr)| {
        let others = points.iter().enumerate().filter(|(other, _)| *other != index);
        others.fold(Fr::one(), |product, (_, other)| product * (*point - other))
    };
    let mut weights: Vec<Fr> = points.iter().enumerate().map(weight).collect();
    batch_inversion(&mut weights);
    weights
}

/// The number whose bits below `size` stand in the reverse order, in which EIP-7594 counts cells and elements.
fn reversed(number: usize, size: usize) -> usize {
    number.reverse_bits() >> (usize::BITS - size.ilog2())
}

fn read_element(bytes: &[u8]) -> Option<Fr> {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = u64::from_be_bytes(bytes.try_into().ok()?);
    }
    Fr::from_bigint(BigInt::new(limbs))
}

fn write_element(element: Fr) -> [u8; ELEMENT_BYTES] {
    let mut bytes = [0; ELEMENT_BYTES];
    for (bytes, limb) in bytes.chunks_exact_mut(8).rev().zip(element.into_bigint().0) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}
