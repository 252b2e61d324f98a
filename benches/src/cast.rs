//! Who takes part in a run, and the binary that plays each.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use gufo_benches::load::{DriveJob, HoldJob, Holding, Measurement, Runtime, ServeJob, ServerAt};
use gufo_benches::{About, Home};
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::args::{Options, Pinning};
use crate::peers;
use crate::process::{Role, Worker};

/// One peer of a run.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) about: About,
    binary: PathBuf,
}

/// Why a peer that was wanted is not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Absent {
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// Everybody who takes part.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    pub(crate) members: Vec<Member>,
    pub(crate) absent: Vec<Absent>,
}

impl Cast {
    /// Those the options name, or those that the command has by itself; builds the foreign ones if there are any.
    pub(crate) fn assemble(options: &Options, by_itself: impl Fn(&str) -> bool) -> Result<Self> {
        let wanted: Vec<String> = peers::names()
            .into_iter()
            .filter(|name| options.includes(name, &by_itself))
            .collect();
        let own = env::current_exe()?;
        let mut known: BTreeMap<String, Member> = BTreeMap::new();
        for peer in peers::OWN {
            let (about, binary) = (peer.about(), own.clone());
            known.insert(about.name.clone(), Member { about, binary });
        }
        let mut reason = String::new();
        let foreign: BTreeSet<&str> = peers::FOREIGN
            .iter()
            .filter(|(name, _)| wanted.iter().any(|wanted| wanted == name))
            .map(|(_, feature)| *feature)
            .collect();
        if !foreign.is_empty() {
            match build(&foreign) {
                Ok(members) => known.extend(members),
                Err(error) => reason = error.to_string(),
            }
        }
        let mut cast = Self {
            members: Vec::new(),
            absent: Vec::new(),
        };
        for name in wanted {
            let member = known.get(&name);
            match member.map(|member| member.about.absent.clone()) {
                Some(None) => cast.members.extend(member.cloned()),
                Some(Some(reason)) => cast.absent.push(Absent { name, reason }),
                None => cast.absent.push(Absent {
                    name,
                    reason: reason.clone(),
                }),
            }
        }
        for Absent { name, reason } in &cast.absent {
            eprintln!("not measured: {name}: {reason}");
        }
        if cast.members.is_empty() {
            return Err("none of the peers can be measured here".into());
        }
        Ok(cast)
    }
}

/// Builds `benches/peers` with the profile of this workspace, and asks it whom it brings.
fn build(features: &BTreeSet<&str>) -> Result<BTreeMap<String, Member>> {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = benches.join("../target/bench-peers");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("building benches/peers");
    let status = Command::new(cargo)
        .args([
            "build",
            "--release",
            "--locked",
            "--no-default-features",
            "--features",
        ])
        .arg(features.iter().copied().collect::<Vec<_>>().join(","))
        .arg("--manifest-path")
        .arg(benches.join("peers/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    if !status.success() {
        return Err("benches/peers did not build".into());
    }
    let binary = target.join("release/gufo-bench-peers");
    let listed = Command::new(&binary).arg("list").output()?;
    let listed: Vec<About> = serde_json::from_slice(&listed.stdout)?;
    Ok(listed
        .into_iter()
        .map(|about| {
            let binary = binary.clone();
            (about.name.clone(), Member { about, binary })
        })
        .collect())
}

/// A server of a member that has said where it listens.
struct Server {
    // Held: dropping it ends the process.
    _worker: Worker,
    at: ServerAt,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(path) = self.at.address.strip_prefix("unix://") {
            // A server that was ended leaves its socket file; one that removed it has no fault.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Member {
    fn serve(&self, runtime: Runtime, pinning: Pinning) -> Result<Server> {
        let job = ServeJob {
            peer: self.about.name.clone(),
            runtime,
        };
        let mut worker = Worker::start(&self.binary, Role::Serve, &job, pinning)?;
        let at = serde_json::from_str(&worker.line()?)?;
        Ok(Server {
            _worker: worker,
            at,
        })
    }

    /// One measurement with fresh processes; the job gets its server.
    pub(crate) fn drive(&self, mut job: DriveJob, pinning: Pinning) -> Result<Measurement> {
        let server = match self.about.home {
            Home::SameProcess => None,
            Home::OwnProcess => Some(self.serve(job.runtime, pinning)?),
        };
        job.server = server.as_ref().map(|server| server.at.clone());
        let measured = Worker::start(&self.binary, Role::Drive, &job, pinning)?.finish()?;
        let measurement: Measurement = serde_json::from_str(&measured)?;
        if measurement.completed == 0 {
            return Err(format!("nothing was answered, with {} errors", measurement.errors).into());
        }
        Ok(measurement)
    }

    /// Holds things open at a fresh server.
    pub(crate) fn hold(
        &self,
        job: impl FnOnce(ServerAt) -> HoldJob,
        runtime: Runtime,
        pinning: Pinning,
    ) -> Result<Holding> {
        let server = self.serve(runtime, pinning)?;
        let job = job(server.at.clone());
        let held = Worker::start(&self.binary, Role::Hold, &job, pinning)?.finish()?;
        Ok(serde_json::from_str(&held)?)
    }
}
