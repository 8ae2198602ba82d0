//! New secrets, the pepper, and what is kept of a secret.

use super::{Hash, OTHER_PEPPER};
use crate::config::Secret;
use crate::error::StartError;
use hoplog_entry::ApiKey;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// What goes into every hash and lies in none of the places where the hashes are.
#[derive(Clone)]
pub(crate) struct Pepper(Vec<u8>);

/// Beside the entries, unless it comes from the environment.
const FILE: &str = "keys.pepper";

impl Pepper {
    /// The one that was given, or lies in the data directory, where the first key makes it. `known` is the print of the
    /// one that the keys were hashed with, if there are any.
    pub(crate) fn of(
        given: Option<&Secret>,
        directory: &Path,
        known: Option<&Hash>,
    ) -> Result<Self, StartError> {
        let pepper = match given {
            Some(secret) => Some(Self(secret.0.as_bytes().to_vec())),
            None => Self::read(directory)?,
        };
        match (pepper, known) {
            (None, None) => Self::make(directory),
            (Some(pepper), None) => Ok(pepper),
            (Some(pepper), Some(known)) if pepper.print() == *known => Ok(pepper),
            (_, Some(_)) => Err(StartError::new(OTHER_PEPPER)),
        }
    }

    fn read(directory: &Path) -> Result<Option<Self>, StartError> {
        let path = directory.join(FILE);
        match fs::read(&path) {
            Ok(pepper) if pepper.len() >= 32 => Ok(Some(Self(pepper))),
            Ok(_) => Err(StartError::new(format!(
                "{} is cut off: take it from a backup, or delete it and make all keys anew",
                path.display()
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StartError::directory(&path, error)),
        }
    }

    fn make(directory: &Path) -> Result<Self, StartError> {
        let path = directory.join(FILE);
        let refused = |e| StartError::directory(&path, e);
        let mut hex = String::with_capacity(64);
        for byte in random::<32>()? {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
        }
        // Whole under another name before it is there, and never over one that somebody made meanwhile.
        let draft = directory.join(format!("{FILE}.{}", std::process::id()));
        let written = owned(&draft, directory).and_then(|mut file| {
            file.write_all(hex.as_bytes())?;
            file.sync_all()
        });
        let linked = written.and_then(|()| fs::hard_link(&draft, &path));
        let _ = fs::remove_file(&draft);
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::read(directory)?.ok_or_else(|| refused(error))
            }
            Err(error) => Err(refused(error)),
            Ok(()) => {
                File::open(directory).and_then(|directory| directory.sync_all()).map_err(refused)?;
                Ok(Self(hex.into_bytes()))
            }
        }
    }

    /// What tells it from another one, and nothing else of it.
    pub(crate) fn print(&self) -> Hash {
        hmac_sha256::HMAC::mac(b"hoplog key pepper", &self.0)
    }

    pub(crate) fn hash(&self, secret: &[u8]) -> Hash {
        let mut hash = hmac_sha256::Hash::new();
        hash.update(&self.0);
        hash.update(secret);
        hash.finalize()
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper")
    }
}

/// A new file that only the owner of `directory` reads, also where somebody else, such as root, makes it.
pub(super) fn owned(path: &Path, directory: &Path) -> io::Result<File> {
    use std::os::unix::fs::MetadataExt as _;
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    let (owner, made) = (fs::metadata(directory)?, file.metadata()?);
    if (owner.uid(), owner.gid()) != (made.uid(), made.gid()) {
        // Only root may, and only root needs to.
        let _ = std::os::unix::fs::fchown(&file, Some(owner.uid()), Some(owner.gid()));
    }
    Ok(file)
}

/// A new key: its public id, what is kept a secret of it, and the whole as it is shown.
pub(super) struct Minted {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) shown: Secret,
}

/// `hl_<environment>_…`
pub(super) fn key(environment: &str) -> Result<Minted, StartError> {
    let whole = ApiKey::compose(environment, random()?, &random()?);
    let parsed = whole.as_deref().and_then(|whole| ApiKey::parse(whole).ok());
    let parsed = parsed.ok_or_else(|| {
        StartError::new(format!("`{environment}` is no environment: take 1 to 16 of a-z and 0-9"))
    })?;
    let (id, secret) = (parsed.id.to_owned(), parsed.secret.to_owned());
    Ok(Minted { id, secret, shown: Secret(whole.unwrap_or_default()) })
}

/// `clog_pk_…` and `clog_sk_…`, in the parts of a key of ours.
pub(super) fn pair() -> Result<Minted, StartError> {
    let Minted { id, secret, .. } = key("sdk")?;
    let secret = format!("clog_sk_{secret}");
    Ok(Minted { id: format!("clog_pk_{id}"), shown: Secret(secret.clone()), secret })
}

fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| StartError::new(format!("no random bytes to be had: {e}")))?;
    Ok(bytes)
}
