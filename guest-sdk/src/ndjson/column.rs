//! Types of columns, as `rule.toml` names them, and the Rust types whose values fit each. `#[derive(Row)]` names them.
//!
//! ```
//! use refiner_sdk::{U256, ndjson::column};
//!
//! column::value::<column::U256, _>(&U256::MAX);
//! column::nullable::<column::List<column::U8>, _>(&Some(vec![1_u8]));
//! ```
//!
//! Other types do not compile:
//!
//! ```compile_fail
//! use refiner_sdk::ndjson::column;
//!
//! column::value::<column::U8, _>(&1_u32);
//! ```

use std::marker::PhantomData;

use super::{Hex, Value};

/// A value that a column of the type `C` takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not fit a column of type `{C}`",
    label = "the column's type in rule.toml is `{C}`",
    note = "a field of a nullable column is an `Option`"
)]
pub trait Fits<C: ?Sized>: Value {}

macro_rules! columns {
    ($($column:ident $name:literal: $($type:ty),*;)*) => {$(
        #[doc = concat!("The type `", $name, "` of columns.")]
        #[derive(Debug)]
        pub enum $column {}
        $(impl Fits<$column> for $type {})*
    )*};
}

columns! {
    U8 "u8": u8;
    U16 "u16": u8, u16;
    U32 "u32": u8, u16, u32;
    U64 "u64": u8, u16, u32, u64;
    I64 "i64": u8, u16, u32, i64;
    Bool "bool": bool;
    String "string": str, std::string::String;
    Bytes "bytes": Hex<'_>;
    Address "address": crate::Address;
    Hash "hash": crate::B256;
    U256 "u256": u8, u16, u32, u64, crate::U256;
    I256 "i256": u8, u16, u32, i64;
    Time "time": u32, u64;
    Json "json": super::Json<'_>;
}

/// The type `list<T>` of columns.
#[derive(Debug)]
pub struct List<C>(PhantomData<C>);

impl<C, T: Fits<C>> Fits<List<C>> for [T] {}
impl<C, T: Fits<C>> Fits<List<C>> for Vec<T> {}
impl<C: ?Sized, T: Fits<C> + ?Sized> Fits<C> for &T {}

/// Returns a value for a column that is never null.
#[doc(hidden)]
pub fn value<C, T: Fits<C> + ?Sized>(value: &T) -> &T {
    value
}

/// Returns a value for a column that may be null.
#[doc(hidden)]
pub fn nullable<C, T: Fits<C>>(value: &Option<T>) -> &Option<T> {
    value
}
