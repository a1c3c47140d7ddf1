//! The pipes between supervisor and worker, in both directions.

use refiner_worker::fuzz;

pub fn requests(bytes: &[u8]) {
    fuzz::read_requests(bytes);
}

pub fn answers(bytes: &[u8]) {
    fuzz::read_answers(bytes);
}

pub fn request_seeds() -> Vec<Vec<u8>> {
    fuzz::request_seeds()
}

pub fn answer_seeds() -> Vec<Vec<u8>> {
    fuzz::answer_seeds()
}
