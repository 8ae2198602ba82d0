//! Whole journeys over real sockets; the tests are in `tests/`.
