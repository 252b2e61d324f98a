//! Metadata, and what statuses carry.

use gufo_core::{Code, Metadata, Status};

use crate::conformance::{
    Outcome::Passed,
    Verdict,
    bed::{Bed, expect_code},
    checks::calls::{mirror, of_user},
    ensure_eq,
    message::Note,
    plan::Plan,
};

/// Metadata with everything in it that may be in metadata.
fn rich() -> Result<Metadata, gufo_core::Error> {
    let mut metadata = Metadata::new();
    metadata.append("x-list", "one, two")?;
    metadata.append("x-list", "three")?;
    metadata.append("x-signs", "!#$%&'()*+-./:;<=>?@[]^_`{|}~ \"\\")?;
    metadata.append_bin("x-all-bin", (0..=255).collect::<Vec<u8>>())?;
    metadata.append_bin("x-two-bin", vec![0_u8])?;
    metadata.append_bin("x-two-bin", vec![255_u8, 44, 255])?;
    Ok(metadata)
}

pub(crate) async fn header_names_ignore_case(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::new().unary(mirror)).await?;

    let call = client
        .unary(Note::default())
        .metadata("X-Mixed-Case", "Owl");
    let response = bed.within("a reply", call.response()).await??;

    for seen in [&response.metadata, &response.trailers] {
        ensure_eq!(seen.get("x-mixed-case"), Some("Owl"), "in lower case");
        ensure_eq!(seen.get("X-MIXED-CASE"), Some("Owl"), "in upper case");
    }
    Ok(Passed)
}

pub(crate) async fn metadata_survives(bed: Bed) -> Verdict {
    let (_server, client) = bed.pair(Plan::new().unary(mirror)).await?;
    let sent = rich()?;

    let call = client.unary(Note::default()).metadata_all(sent.clone());
    let response = bed.within("a reply", call.response()).await??;

    for seen in [&response.metadata, &response.trailers] {
        let seen = of_user(seen);
        ensure_eq!(seen.len(), sent.len(), "the number of entries of {seen:?}");
        for name in ["x-list", "x-signs"] {
            let (came, went): (Vec<_>, Vec<_>) =
                (seen.get_all(name).collect(), sent.get_all(name).collect());
            ensure_eq!(came, went, "the values of {name}");
        }
        for name in ["x-all-bin", "x-two-bin"] {
            let came: Vec<_> = seen.get_all_bin(name).collect();
            let went: Vec<_> = sent.get_all_bin(name).collect();
            ensure_eq!(came, went, "the values of {name}");
        }
    }
    Ok(Passed)
}

pub(crate) async fn status_details_survive(bed: Bed) -> Verdict {
    let status = Status::failed_precondition("no owl ü")
        .with_detail("type.googleapis.com/owl.Reason", vec![8_u8, 150, 1])
        .with_detail("type.googleapis.com/owl.Empty", Vec::new())
        .with_metadata(rich()?);
    let answer = status.clone();
    let plan = Plan::new().unary(move |_, _| {
        let answer = answer.clone();
        async move { Err::<Note, _>(answer) }
    });
    let (_server, client) = bed.pair(plan).await?;

    let failed = bed
        .within("a status", client.unary(Note::default()))
        .await?;
    let error = expect_code(failed, Code::FailedPrecondition, "the call")?;

    let seen = error.status().ok_or_else(|| super::lost("the status"))?;
    ensure_eq!(seen.message(), status.message(), "the message");
    ensure_eq!(seen.details(), status.details(), "the details");
    let (came, went) = (of_user(seen.metadata()), status.metadata());
    ensure_eq!(came.len(), went.len(), "the number of entries of {came:?}");
    let all = "x-all-bin";
    ensure_eq!(came.get_bin(all), went.get_bin(all), "a binary value");
    Ok(Passed)
}
