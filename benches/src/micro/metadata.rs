//! Adding and finding metadata.

use gufo_core::Metadata;

use super::Group;
use crate::Result;

/// As many entries as a call with tracing, tenant and authorization has.
const NAMES: [&str; 8] = [
    "traceparent",
    "x-tenant",
    "authorization",
    "x-request-id",
    "x-user",
    "x-region",
    "x-client",
    "x-deadline-class",
];

fn metadata() -> Result<Metadata> {
    let mut metadata = Metadata::new();
    for name in NAMES {
        metadata.append(name, "00-4bf92f3577b34da6")?;
    }
    Ok(metadata)
}

pub(super) fn group() -> Result<Group> {
    let (found, missed, cloned) = (metadata()?, metadata()?, metadata()?);
    let last = NAMES[NAMES.len() - 1];
    Ok(Group::new("Metadata: eight entries")
        .step("append one to none", || {
            let mut metadata = Metadata::new();
            metadata.append("x-tenant", "owls").map(|()| metadata)
        })
        .step("append eight", metadata)
        .step("get the last of eight", move || {
            found.get(last).map(str::len)
        })
        .step("get one that is not there", move || {
            missed.get("x-absent").map(str::len)
        })
        .step("clone eight", move || cloned.clone()))
}
