//! What a store of keys promises, on each.

use super::sqlite::SqliteKeys;
use super::*;
use crate::store::postgres::PostgresKeys;
use crate::time::Day;
use std::sync::Arc;

/// Two stores in one place, as two collectors have them; `None` where there is no PostgreSQL, which is then said.
fn postgres() -> Option<[Arc<dyn KeyStore>; 2]> {
    let url = hoplog_testdb::shared()?.database();
    Some([(); 2].map(|()| -> Arc<dyn KeyStore> { Arc::new(PostgresKeys::new(&url).unwrap()) }))
}

struct Directory(std::path::PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sqlite() -> (Directory, [Arc<dyn KeyStore>; 2]) {
    let name = format!("hoplog-keys-{}-{:?}", std::process::id(), std::thread::current().id());
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let stores = [(); 2].map(|()| -> Arc<dyn KeyStore> { Arc::new(SqliteKeys::new(directory.clone())) });
    (Directory(directory), stores)
}

/// Runs on both.
fn on_each<F: Future<Output = ()>>(case: impl Fn([Arc<dyn KeyStore>; 2]) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (_directory, stores) = sqlite();
    runtime.block_on(case(stores));
    if let Some(stores) = postgres() {
        runtime.block_on(case(stores));
    }
}

const PEPPER: Hash = [7; 32];

fn key(id: &str, project: Project) -> Key {
    Key {
        id: id.to_owned(),
        project,
        label: "a label'; --".to_owned(),
        hash: [1; 32],
        scopes: Scopes::EVERY,
        created_at: 1_773_144_000_000_000,
        expires_at: Some(1_773_144_000_000_001),
        revoked_at: None,
        networks: vec!["10.0.0.7/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()],
        last_used: None,
        requests_per_second: Some(u32::MAX),
        bytes_per_second: Some(u64::MAX >> 1),
    }
}

#[test]
fn what_one_changes_is_news_to_the_other_and_only_then() {
    on_each(async |[one, other]| {
        let empty = one.news().await.unwrap().unwrap();
        assert!(empty.keys.is_empty() && empty.pepper.is_none());
        assert!(one.news().await.unwrap().is_none());
        let shop = other.project("shop".to_owned()).await.unwrap();
        other.add(key("a", shop), PEPPER).await.unwrap();
        let book = one.news().await.unwrap().unwrap();
        assert_eq!(book.keys, [key("a", shop)], "as it went in");
        assert_eq!(book.pepper, Some(PEPPER));
        assert_eq!(book.projects.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["default", "shop"]);
        assert!(one.news().await.unwrap().is_none());
        other.allow(shop, Some(5)).await.unwrap();
        assert_eq!(one.news().await.unwrap().unwrap().projects[1].bytes_per_day, Some(5));
        other.allow(shop, None).await.unwrap();
        assert_eq!(one.news().await.unwrap().unwrap().projects[1].bytes_per_day, None);
        // One's own changes, too.
        one.add(key("b", shop), PEPPER).await.unwrap();
        assert_eq!(one.news().await.unwrap().unwrap().keys.len(), 2);
        assert_eq!(other.news().await.unwrap().unwrap().keys.len(), 2);
    });
}

#[test]
fn a_key_ends_at_the_first_moment_that_was_said_and_an_id_is_used_once() {
    on_each(async |[one, other]| {
        one.add(key("a", Project::DEFAULT), PEPPER).await.unwrap();
        let twice = other.add(key("a", Project::DEFAULT), PEPPER).await.unwrap_err();
        assert!(twice.to_string().contains("a key with this id"), "{twice}");
        let of_another = other.add(key("b", Project::DEFAULT), [8; 32]).await.unwrap_err();
        assert!(of_another.to_string().contains("another pepper"), "{of_another}");
        let end = key("a", Project::DEFAULT).expires_at.unwrap();
        assert!(one.expire("a".to_owned(), end + 10).await.unwrap());
        assert!(
            one.revoke("a".to_owned(), 50).await.unwrap() && other.revoke("a".to_owned(), 60).await.unwrap()
        );
        let held = |book: Option<Book>| book.unwrap().keys.remove(0);
        let found = held(other.news().await.unwrap());
        assert_eq!((found.expires_at, found.revoked_at), (Some(end), Some(50)));
        assert!(one.expire("a".to_owned(), 5).await.unwrap());
        assert_eq!(held(other.news().await.unwrap()).expires_at, Some(5));
        assert!(
            !one.expire("nobody".to_owned(), 5).await.unwrap()
                && !one.revoke("nobody".to_owned(), 5).await.unwrap()
        );
        one.used(vec![("a".to_owned(), 70), ("nobody".to_owned(), 70)]).await.unwrap();
        // The next change brings it.
        one.allow(Project::DEFAULT, Some(1)).await.unwrap();
        assert_eq!(held(other.news().await.unwrap()).last_used, Some(70));
    });
}

#[test]
fn names_made_at_once_have_numbers_of_their_own_and_a_name_has_one() {
    on_each(async |stores| {
        let mut made = tokio::task::JoinSet::new();
        for n in 0..40 {
            let store = Arc::clone(&stores[n % 2]);
            // Each name is asked for in both places.
            made.spawn(async move { (n / 2, store.project(format!("p{}", n / 2)).await.unwrap()) });
        }
        let mut numbers: Vec<(usize, Project)> = made.join_all().await;
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 20, "one number each: {numbers:?}");
        let mut alone: Vec<Project> = numbers.into_iter().map(|(_, number)| number).collect();
        alone.sort();
        alone.dedup();
        assert_eq!(alone.len(), 20);
        assert!(!alone.contains(&Project::DEFAULT));
        for name in ["..", "a/b", "", "A", "x'; drop table keys"] {
            assert!(stores[0].project(name.to_owned()).await.is_err(), "{name}");
        }
    });
}

#[test]
fn bytes_of_a_day_add_up_over_collectors_and_old_days_are_forgotten() {
    on_each(async |[one, other]| {
        let today = Day(20_000);
        let sent = |project: u32, day: Day, bytes| Sent { project: Project(project), day, bytes };
        assert!(one.sent(today, Vec::new()).await.unwrap().is_empty());
        one.sent(today, vec![sent(0, today, 5), sent(1, today, 1)]).await.unwrap();
        one.sent(today, vec![sent(1, today.back(1), 100)]).await.unwrap();
        let mut all = other.sent(today, vec![sent(0, today, 7)]).await.unwrap();
        all.sort();
        assert_eq!(all, [(Project(0), 12), (Project(1), 1)]);
        assert_eq!(one.sent(today.back(1), Vec::new()).await.unwrap(), [(Project(1), 100)]);
        let tomorrow = Day(today.0 + 1);
        one.sent(tomorrow, vec![sent(0, tomorrow, 3)]).await.unwrap();
        assert_eq!(other.sent(tomorrow, Vec::new()).await.unwrap(), [(Project(0), 3)]);
        assert!(other.sent(today.back(1), Vec::new()).await.unwrap().is_empty());
    });
}

#[test]
fn a_file_of_an_earlier_hoplog_keeps_its_keys_and_learns_their_pepper_with_the_next_one() {
    let (directory, [one, other]) = sqlite();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let path = directory.0.join("keys.db");
    let before = rusqlite::Connection::open(&path).unwrap();
    before.execute_batch(crate::keys::sqlite::STEPS[0]).unwrap();
    before
        .execute_batch(
            "INSERT INTO projects VALUES (1, 'shop', 7);
             INSERT INTO keys VALUES ('old', 1, '', zeroblob(32), 1, 5, NULL, NULL, '', NULL, NULL, NULL)",
        )
        .unwrap();
    drop(before);
    runtime.block_on(async {
        let book = one.news().await.unwrap().unwrap();
        assert_eq!((book.keys.len(), book.keys[0].id.as_str(), book.pepper), (1, "old", None));
        assert_eq!(book.projects[1].bytes_per_day, Some(7));
        other.add(key("new", Project(1)), PEPPER).await.unwrap();
        let book = one.news().await.unwrap().unwrap();
        assert_eq!((book.keys.len(), book.pepper), (2, Some(PEPPER)));
    });
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    let refused = runtime.block_on(SqliteKeys::new(directory.0.clone()).news()).unwrap_err().to_string();
    assert!(refused.contains("made by a newer hoplog"), "{refused}");
}
