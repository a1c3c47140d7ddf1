//! `refiner evm serve`, as its clients and those who run it meet it.

mod answers;
mod bloat;
mod ends;
mod hostile;
mod load;
mod neighbour;
pub mod server;
