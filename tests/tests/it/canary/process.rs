//! The program under watch, `src/bin/canary`: what it is told, and everything that it says.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use hoplog_testkit::facts::{PATIENCE, fact};

/// Killed with this value, unless it ended before.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    first_line: Receiver<String>,
    stdout: Option<JoinHandle<Vec<u8>>>,
    /// Shared with the thread that reads it.
    stderr: (Arc<Mutex<Vec<u8>>>, Option<JoinHandle<()>>),
}

/// Everything that it said.
pub(crate) struct Said {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Process {
    /// Starts it and hands it one line.
    pub(crate) fn start(arguments: &[&str], variables: &[(&str, &str)], line: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_canary"))
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        writeln!(stdin, "{line}").unwrap();
        let (tell, first_line) = channel();
        let (out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let stdout = std::thread::spawn(move || {
            let (mut out, mut line) = (BufReader::new(out), String::new());
            out.read_line(&mut line).unwrap();
            let mut all = line.clone().into_bytes();
            let _ = tell.send(line);
            out.read_to_end(&mut all).unwrap();
            all
        });
        let said = Arc::<Mutex<Vec<u8>>>::default();
        let shared = Arc::clone(&said);
        let stderr = std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(read @ 1..) = err.read(&mut some) {
                shared.lock().unwrap().extend_from_slice(&some[..read]);
            }
        });
        Self { child, stdin: Some(stdin), first_line, stdout: Some(stdout), stderr: (said, Some(stderr)) }
    }

    /// The addresses at which it listens.
    pub(crate) fn addresses(&self) -> Vec<std::net::SocketAddr> {
        let line = self.first_line.recv_timeout(PATIENCE).unwrap();
        line.split_whitespace().map(|address| address.parse().unwrap()).collect()
    }

    /// Waits until its stderr has this text in it.
    pub(crate) async fn complains(&self, text: &str) {
        fact(text, || String::from_utf8_lossy(&self.stderr.0.lock().unwrap()).contains(text).then_some(()))
            .await;
    }

    /// Lets it end by itself.
    pub(crate) async fn end(mut self) -> Said {
        drop(self.stdin.take());
        let status = fact("the end of a process", || self.child.try_wait().unwrap()).await;
        let stdout = self.stdout.take().unwrap().join().unwrap();
        self.stderr.1.take().unwrap().join().unwrap();
        let stderr = std::mem::take(&mut *self.stderr.0.lock().unwrap());
        assert!(status.success(), "{status}: {}", String::from_utf8_lossy(&stderr));
        Said { stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
