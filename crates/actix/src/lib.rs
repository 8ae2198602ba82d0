//! Request log middleware for actix-web.
