//! A disk that stands still under write-through.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::course::{Reply, course_with};
use crate::destination::remote::keeper::Keeper;
use crate::destination::remote::spooling::Spooling;
use crate::spool::SpoolConfig;
use crate::spool::tests::model::Model;

#[test]
fn what_comes_while_the_disk_stands_still_is_sent_without_it_and_the_rest_once_it_goes_on() {
    let model = Model::default();
    let hanging = model.hang();
    let disk = model.clone();
    let sent = Arc::<Mutex<Vec<serde_json::Value>>>::default();
    let heard = Arc::clone(&sent);
    let course = course_with(
        |around| {
            let keeper = Keeper::start_on(disk, SpoolConfig::new("/spool"), None, around.clone())?;
            Some(Spooling::with(keeper, true, 1 << 20))
        },
        move |_, batch| {
            let entries = batch["logs"].as_array().unwrap().iter();
            heard.lock().unwrap().extend(entries.map(|entry| entry["message"].clone()));
            Reply::Stored
        },
        async |course| {
            course.log(["handed to the disk"]);
            course.wait(Duration::from_millis(1_900)).await;
            course.log(["handed to it as well"]);
            course.wait(Duration::from_millis(200)).await;
            course.log(["past it"]);
            course.wait(Duration::from_secs(1)).await;
            assert_eq!(*sent.lock().unwrap(), ["past it"]);
            drop(hanging);
            let arrive = async |entries| {
                let begun = Instant::now();
                while course.stats().delivered < entries {
                    assert!(
                        begun.elapsed() < Duration::from_secs(10),
                        "the disk goes on, and so does the rest"
                    );
                    // The disk's thread lives in real time: the clock that is moved must not run away from it.
                    std::thread::sleep(Duration::from_millis(1));
                    course.wait(Duration::from_millis(1)).await;
                }
            };
            arrive(3).await;
            course.log(["written again"]);
            arrive(4).await;
        },
    );
    let stats = course.stats();
    assert_eq!((stats.went_past, stats.delivered, stats.drift), (1, 4, 0), "{stats:?}");
}
