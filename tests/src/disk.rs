//! Disks that fail for real: a small one that runs full, one the kernel turns read-only under the server. Each is mounted
//! in a mount namespace of its own, which a shell holds open; it is gone with the process, however that ends. Where the
//! machine lets nobody mount, there is no such disk, and the test says that it was skipped.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::folders::TemporaryFolder;

/// A disk only processes in its namespace see.
pub struct Disk {
    holder: Child,
    folder: TemporaryFolder,
    /// Where the image of an ext4 lies.
    image: Option<PathBuf>,
    _beside: TemporaryFolder,
}

const SMALL: &str = r#"mount -t tmpfs -o size="$2",mode=777 nigran "$1" && echo ready && read -r _"#;
const LOOP: &str = r#"mount -o loop "$2" "$1" && chmod 777 "$1" && echo ready && read -r _"#;

impl Disk {
    /// A disk of `bytes`, in memory. None: mounting is not permitted here.
    pub fn small(bytes: u64) -> Option<Disk> {
        Disk::mounted(SMALL, &bytes.to_string(), None, TemporaryFolder::new())
    }

    /// An ext4 whose kernel can be told that its disk broke. None: loop devices are not permitted here.
    pub fn breakable(megabytes: u64) -> Option<Disk> {
        let beside = TemporaryFolder::new();
        let image = beside.path().join("disk.img");
        let made = fs::File::create(&image).and_then(|file| file.set_len(megabytes * 1024 * 1024));
        let formatted = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image).output();
        if !is_root() || made.is_err() || !formatted.is_ok_and(|done| done.status.success()) {
            return skipped("no ext4 on a loop device can be made (it takes root, mkfs.ext4 and /dev/loop*)");
        }
        let name = image.display().to_string();
        Disk::mounted(LOOP, &name, Some(image), beside)
    }

    fn mounted(script: &str, what: &str, image: Option<PathBuf>, beside: TemporaryFolder) -> Option<Disk> {
        let folder = TemporaryFolder::new();
        let mut command = Command::new("unshare");
        command.args(if is_root() { ["-m"].as_slice() } else { ["-Urm"].as_slice() });
        command.args(["sh", "-c", script, "disk"]).arg(folder.path()).arg(what);
        let holder =
            command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut holder) = holder.spawn() else { return skipped("there is no unshare") };
        let mut line = String::new();
        let out = holder.stdout.take().expect("it was asked for");
        let _ = BufReader::new(out).read_line(&mut line);
        if line.trim() != "ready" {
            let _ = holder.wait();
            return skipped("mounting is not permitted");
        }
        Some(Disk { holder, folder, image, _beside: beside })
    }

    /// Its folder, as processes in the namespace see it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its folder, as everybody else reaches it.
    pub fn from_outside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.path().strip_prefix("/").unwrap_or(self.path()))
    }

    /// What to put before a command so that it runs where the disk is.
    pub fn entrance(&self) -> Vec<String> {
        let mut words =
            vec!["nsenter".to_owned(), "-t".to_owned(), self.holder.id().to_string(), "-m".to_owned()];
        if !is_root() {
            words.extend(["-U".to_owned(), "--preserve-credentials".to_owned()]);
        }
        words
    }

    /// Fills it to the last byte.
    ///
    /// # Panics
    /// When the filling cannot be begun.
    pub fn fill(&self) {
        let path = self.from_outside().join("filler");
        let mut filler =
            fs::File::options().create(true).append(true).open(path).expect("the disk can be reached");
        for piece in [64 * 1024, 4096, 64, 1] {
            let bytes = vec![0x55; piece];
            while filler.write_all(&bytes).is_ok() {}
        }
    }

    /// Frees what `fill` took.
    ///
    /// # Panics
    /// When it was not filled.
    pub fn free(&self) {
        fs::remove_file(self.from_outside().join("filler")).expect("the disk was filled");
    }

    /// Mounts it anew with these options.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn remount(&self, options: &str) {
        let path = self.path().display().to_string();
        assert!(self.run(&["mount", "-o", &format!("remount,{options}"), &path]), "remount,{options}");
    }

    /// Mends a broken disk, as an operator does after the machine was started again.
    ///
    /// # Panics
    /// When it cannot be mended.
    pub fn mend(&self) {
        let (path, image) =
            (self.path().display().to_string(), self.image.as_ref().expect("a breakable disk"));
        let image = image.display().to_string();
        assert!(self.run(&["umount", &path]), "umount");
        // It exits with 1 when it mended something.
        self.run(&["fsck.ext4", "-y", "-f", &image]);
        assert!(self.run(&["mount", "-o", "loop", &image, &path]), "mount");
    }

    fn run(&self, words: &[&str]) -> bool {
        let entrance = self.entrance();
        let mut command = Command::new(&entrance[0]);
        command.args(&entrance[1..]).args(words).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn skipped(why: &str) -> Option<Disk> {
    eprintln!("SKIPPED: this fault is not injected here, for {why}");
    None
}
