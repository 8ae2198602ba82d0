//! A disk that can be cut off: a file system in a file, on a loop device. For root alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::program::Program;

/// The image of an empty file system, which disks are copied from.
pub(super) struct Blank(TempDir);

/// A mounted image; unmounted with this value.
pub(super) struct Disk {
    image: PathBuf,
    pub(super) at: TempDir,
}

/// The output of a program, or what is wrong.
pub(super) fn output(program: &str, arguments: &[&Path]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Blank {
    /// `Err` where this machine cannot, or may not, do it.
    pub(super) fn new() -> Result<Self, String> {
        let blank = Self(tempfile::tempdir().unwrap());
        std::fs::File::create(blank.image()).unwrap().set_len(48 << 20).unwrap();
        output("mkfs.ext4", &[Path::new("-q"), &blank.image()])?;
        blank.disk(0).map(drop)?;
        Ok(blank)
    }

    fn image(&self) -> PathBuf {
        self.0.path().join("blank")
    }

    pub(super) fn disk(&self, number: usize) -> Result<Disk, String> {
        let image = self.0.path().join(format!("disk-{number}"));
        copy(&self.image(), &image);
        Disk::mount(image)
    }
}

fn copy(from: &Path, to: &Path) {
    output("cp", &[Path::new("--sparse=always"), from, to]).unwrap();
}

impl Disk {
    fn mount(image: PathBuf) -> Result<Self, String> {
        let at = tempfile::tempdir().unwrap();
        output("mount", &[Path::new("-o"), Path::new("loop"), &image, at.path()])?;
        Ok(Self { image, at })
    }

    /// What a disk would hold if the power failed now, mounted; the program is held still meanwhile, and dead after it.
    pub(super) fn cut(&self, mut program: Program) -> Self {
        program.signal("STOP");
        program.wait_until_stopped();
        let image = self.image.with_extension("cut");
        // Again, if the system wrote something while it was copied.
        loop {
            let before = self.sectors_written();
            copy(&self.image, &image);
            if self.sectors_written() == before {
                break;
            }
        }
        program.kill();
        Self::mount(image).unwrap()
    }

    fn sectors_written(&self) -> String {
        let list = ["--noheadings", "--output", "NAME", "--associated"].map(Path::new);
        let device = output("losetup", &[&list[..], &[&self.image]].concat()).unwrap();
        let name = device.rsplit('/').next().unwrap();
        let counts = std::fs::read_to_string(format!("/sys/block/{name}/stat")).unwrap();
        counts.split_whitespace().nth(6).unwrap().to_owned()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still has a file open there keeps it for itself.
        let _ = output("umount", &[Path::new("--lazy"), self.at.path()]);
        let _ = std::fs::remove_file(&self.image);
    }
}
