use super::*;
use std::os::unix::fs::PermissionsExt;

struct Temp(PathBuf);

impl Temp {
    fn new(text: &str) -> Self {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hoplog-settings-{}-{n}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn mode(&self, mode: u32) -> &Self {
        std::fs::set_permissions(&self.0, PermissionsExt::from_mode(mode)).unwrap();
        self
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn settings(
    file: Option<&Temp>,
    variables: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Effective, String> {
    let mut settings = Settings::default();
    if let Some(file) = file {
        settings.file(&file.0);
    }
    let of = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    settings.environment(of);
    for (name, value) in flags {
        settings.flag(name, [(*value).to_owned()]);
    }
    settings.config().map_err(|complaints| complaints.to_string())
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let file = Temp::new(
        "listen = \"127.0.0.1:1\"\nopen_from = [\"10.0.0.0/8=shop\", \"::1=default\"]\n\
         [retention]\ndays = 7\nbytes = \"2GiB\"\n[limits]\nquery_time = \"2500ms\"\n",
    );
    let variables = [("HOPLOG_LISTEN", "127.0.0.1:2"), ("HOPLOG_RETENTION_DAYS", "8"), ("HOPLOG_STORE", " ")];
    let effective = settings(Some(&file), &variables, &[("listen", "127.0.0.1:3")]).unwrap();
    let config = &effective.config;
    assert_eq!(config.listen.port(), 3);
    assert_eq!((config.retention_days, config.retention_bytes), (8, 2 << 30));
    assert_eq!(config.limits.query_time.as_millis(), 2_500);
    assert_eq!(config.open_from, ["10.0.0.0/8=shop", "::1=default"]);
    assert_eq!((config.store.as_deref(), config.drain_lag.as_secs()), (None, 1));
    let shown = effective.shown();
    for (line, origin) in [
        ("listen = \"127.0.0.1:3\"", "--listen".to_owned()),
        ("days = 8", "HOPLOG_RETENTION_DAYS".to_owned()),
        ("bytes = \"2GiB\"", format!("{}:5", file.0.display())),
        ("query_time = \"2500ms\"", format!("{}:7", file.0.display())),
        ("# store is not set", "default".to_owned()),
        ("body_bytes = \"32MiB\"", "default".to_owned()),
    ] {
        let found = shown.lines().find(|shown| shown.starts_with(line));
        assert!(found.is_some_and(|found| found.ends_with(&format!("# {origin}"))), "{line}: {shown}");
    }
    // What is shown is a file that says the same.
    let again = Temp::new(&shown);
    assert_eq!(settings(Some(&again), &[], &[]).unwrap().config.complaints(), Vec::<String>::new());
}

#[test]
fn all_complaints_come_at_once_each_with_its_place() {
    let file = Temp::new(
        "listen = 8000\nlisen = \"x\"\ninsecure_listen = \"perhaps\"\n[retention]\ndays = 0\n[limits]\nqueries = -1\n\
         query_time = \"1 fortnight\"\n[limits.deep]\nx = 1\n",
    );
    let variables =
        [("HOPLOG_DISK_FLOOR", "101"), ("HOPLOG_API_KEY_FILE", "/nowhere/key"), ("HOPLOG_TLS_CERT", "c")];
    let wrong = settings(Some(&file), &variables, &[("store", ""), ("listen", "nobody")]).unwrap_err();
    let at = |line: usize| format!("{}:{line}: ", file.0.display());
    for part in [
        format!("{}unknown setting `lisen`", at(2)),
        format!("{}`insecure_listen` must be true or false", at(3)),
        format!("{}`limits.queries` must be a whole number", at(7)),
        format!("{}`limits.query_time` must be a time", at(8)),
        format!("{}`limits.deep` is a table within a table", at(9)),
        "--listen: `listen` must be an address with a port".to_owned(),
        "HOPLOG_API_KEY_FILE: `HOPLOG_API_KEY_FILE`: /nowhere/key cannot be read".to_owned(),
        "`tls.cert` and `tls.key` go together".to_owned(),
        "`retention.days` must be at least 1".to_owned(),
        "`disk_floor` is a percentage".to_owned(),
    ] {
        assert!(wrong.contains(&part), "{part} is missing in:\n{wrong}");
    }
    let broken = Temp::new("listen = \n[x\n");
    let wrong = settings(Some(&broken), &[], &[]).unwrap_err();
    assert!(wrong.contains(&format!("{}:1: ", broken.0.display())), "{wrong}");
    assert!(settings(Some(&Temp::new("")), &[], &[]).is_ok());
}

#[test]
fn a_secret_in_a_file_that_others_may_read_is_refused_and_none_is_ever_shown() {
    const SECRETS: [&str; 3] = ["hl_canary_key", "canary-pepper", "canary-password"];
    let file = Temp::new(&format!(
        "api_key = \"{}\"\nkey_pepper = \"{}\"\nstore = \"sqlite://u:{}@x/y?password={}\"\n",
        SECRETS[0], SECRETS[1], SECRETS[2], SECRETS[2]
    ));
    for (mode, refused) in [(0o644, 3), (0o640, 3), (0o604, 3), (0o600, 0), (0o400, 0)] {
        match settings(Some(file.mode(mode)), &[], &[]) {
            Ok(effective) => {
                assert_eq!(refused, 0, "{mode:o}");
                let shown = effective.shown() + &format!("{effective:?}");
                assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
                assert!(
                    shown.contains("api_key = \"[redacted]\"") && shown.contains("store = \"sqlite://x/y\"")
                );
            }
            Err(wrong) => {
                assert_eq!(wrong.lines().count(), refused, "{mode:o}: {wrong}");
                assert!(wrong.contains("chmod 600") && SECRETS.iter().all(|secret| !wrong.contains(secret)));
            }
        }
    }
    // From a file of its own, whoever names it.
    let secret = Temp::new("hl_canary_key\n");
    let named = Temp::new(&format!("api_key_file = \"{}\"\n", secret.0.display()));
    for effective in [
        settings(Some(named.mode(0o644)), &[], &[]),
        settings(None, &[("HOPLOG_API_KEY_FILE", secret.0.to_str().unwrap())], &[]),
    ] {
        assert_eq!(effective.unwrap().config.api_key.unwrap().0, "hl_canary_key");
    }
}
