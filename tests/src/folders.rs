//! Where things lie: the workspace, the shared data beside it, and temporary folders that are removed again.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests package lies in the workspace")
}

/// A file of the shared data (real boundaries, test points), which lies beside the checkout or where `SHARED_DATA`
/// says. None: it is absent; the reason is printed, and the test should return.
pub fn shared(file: &str) -> Option<PathBuf> {
    let path = match std::env::var_os("SHARED_DATA") {
        Some(folder) => PathBuf::from(folder).join(file),
        None => workspace().join("../shared").join(file),
    };
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent; set SHARED_DATA to the folder that has it", path.display());
    None
}

/// A folder of its own that is removed when this is dropped.
#[derive(Debug)]
pub struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Makes the folder.
    ///
    /// # Panics
    /// When the temporary folder of the machine cannot be written.
    #[expect(clippy::new_without_default, reason = "making a folder is not a default value")]
    pub fn new() -> TemporaryFolder {
        let path = all().join(uuid::Uuid::now_v7().simple().to_string());
        fs::create_dir_all(&path).expect("the temporary folder can be written");
        TemporaryFolder(path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The folder all temporary folders of this process lie in. A shell removes it when the process ends, however it ends:
/// it reads a pipe that only this process holds.
fn all() -> &'static Path {
    static ALL: OnceLock<(PathBuf, Option<Child>)> = OnceLock::new();
    let (path, _watch) = ALL.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("nigran-test-{}", uuid::Uuid::now_v7().simple()));
        let mut watch = Command::new("sh");
        watch.args(["-c", "trap '' HUP; read -r _; rm -rf \"$1\"", "watch"]).arg(&path);
        // Ctrl-C is for the test; the watch must outlive it to clean up.
        watch.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        (path, watch.spawn().ok())
    });
    path
}

/// Copies a folder with everything in it.
///
/// # Panics
/// When something cannot be read or written.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the target can be made");
    for entry in fs::read_dir(from).expect("the source can be listed") {
        let entry = entry.expect("the source can be listed");
        let target = to.join(entry.file_name());
        match entry.file_type().expect("the source can be read").is_dir() {
            true => copy(&entry.path(), &target),
            false => fs::copy(entry.path(), target).map(drop).expect("the file can be copied"),
        }
    }
}

/// The bytes all files under `path` hold together.
pub fn size(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return fs::metadata(path).map_or(0, |file| file.len());
    };
    entries.flatten().map(|entry| size(&entry.path())).sum()
}
