//! The queue's hand-over in every order.
#![allow(clippy::unwrap_used)]

mod control;

use hoplog_models::explored::{close_while_pushing, wake_ups};
use hoplog_models::fault::{Fault, with};

#[test]
fn no_wake_up_is_lost_in_any_order() {
    println!("FIGURE models.wake_ups_orders {} orders", wake_ups());
}

#[test]
fn an_end_in_any_order_leaves_every_entry_with_one_fate() {
    println!("FIGURE models.close_orders {} orders", close_while_pushing());
}

#[test]
fn a_wake_up_that_is_forgotten_and_a_count_that_is_torn_are_found() {
    const TEST: &str = "a_wake_up_that_is_forgotten_and_a_count_that_is_torn_are_found";
    let forgotten = control::is_red(TEST, "forgotten", || with(Fault::ForgottenWakeUp, wake_ups));
    let torn = control::is_red(TEST, "torn", || with(Fault::TornCount, close_while_pushing));
    println!("FIGURE models.explored_controls_red {} of 2", u8::from(forgotten) + u8::from(torn));
    assert!(forgotten && torn, "the controls have to be red");
}
