//! hoplog's benches: what a request costs, and the gate that keeps it so.
