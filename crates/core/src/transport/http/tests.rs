use super::*;

#[test]
fn a_request_that_panics_has_failed() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(caught(async { Ok(7) })).unwrap(), 7);
    let error = runtime.block_on(caught::<()>(async { panic!("no threads") })).unwrap_err();
    assert_eq!(error.to_string(), "could not be asked: the request panicked");
}
