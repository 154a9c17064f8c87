//! How the trap is, in the words of the wire.

use crate::desk::Desk;
use crate::health::Facts;
use crate::moment::wire_stamp;
use crate::stage::StageError;
use trapline_wire::limits::FAULTS_MAX;
use trapline_wire::v1::Heartbeat;

/// How the trap is now.
pub(super) async fn now(desk: &Desk) -> Result<Heartbeat, StageError> {
    let stamp = wire_stamp(&desk.clock.stamp());
    let (summary, usage) = desk
        .books
        .with(move |ledger| Ok((ledger.summary(i64::MAX)?, ledger.usage()?)))
        .await?;
    let Facts {
        next_due_ms,
        model,
        battery_v,
        model_offer,
        update,
        faults,
        ..
    } = desk.health.facts();
    Ok(Heartbeat {
        stamp,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        model,
        model_offer,
        update,
        captures: summary.captures,
        missed: summary.missed,
        records_waiting: summary.records_waiting,
        pictures_waiting: summary.pictures_waiting,
        pictures_waiting_bytes: summary.pictures_waiting_bytes,
        disk_free_bytes: Some(usage.free_bytes),
        next_due_ms,
        battery_v,
        faults: faults.into_values().take(FAULTS_MAX).collect(),
    })
}
