//! Entries without a request, as fast as the disk takes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use hoplog::{Client, Level};

use crate::plan::{Plan, entry};
use crate::report;

pub(crate) async fn run(plan: &Plan) {
    let client = plan.client();
    let next = Arc::new(AtomicU64::new(plan.first));
    let end = plan.entries.map_or(u64::MAX, |entries| plan.first + entries);
    let tasks: Vec<_> = (0..plan.at_a_time)
        .map(|_| {
            let (client, next) = (client.clone(), Arc::clone(&next));
            let pause = plan.per_second.map(|rate| Duration::from_secs(1) * plan.at_a_time as u32 / rate);
            let early = plan.promises_early;
            tokio::spawn(async move {
                loop {
                    let order = next.fetch_add(1, Relaxed);
                    if order >= end {
                        return;
                    }
                    match early {
                        true => written(&client, order).await,
                        false => durable(&client, order).await,
                    }
                    if let Some(pause) = pause {
                        tokio::time::sleep(pause).await;
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
    report::shut_down(&client, plan.deadline()).await;
}

async fn durable(client: &Client, order: u64) {
    match entry(client, Level::Info, order).durable().await {
        Ok(_) => println!("durable {order}"),
        Err(why) => {
            println!("failed {order} {why:?}");
            // A disk that fails does so at once.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What somebody says who takes a write for a sync.
async fn written(client: &Client, order: u64) {
    entry(client, Level::Info, order).send();
    let all = client.stats().accepted;
    while client.stats().spooled() < all {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("durable {order}");
}
