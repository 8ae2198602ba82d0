//! Request log middleware for axum, tonic and anything Tower.
