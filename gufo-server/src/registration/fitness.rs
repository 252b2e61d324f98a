//! Fitness: which services of a server are to be found by others.

#[cfg(feature = "health")]
use crate::health::{Changed, HealthHandle};

/// What the application says of its health; without a handle everything is fit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fitness {
    #[cfg(feature = "health")]
    pub(crate) health: Option<HealthHandle>,
}

impl Fitness {
    /// Whether a service is to take calls, and the server as a whole.
    #[cfg(feature = "health")]
    pub(super) fn is_fit(&self, service: &str) -> bool {
        let health = self.health.as_ref();
        health.is_none_or(|health| health.is_fit("") && health.is_fit(service))
    }

    #[cfg(not(feature = "health"))]
    #[allow(clippy::unused_self, reason = "the other half needs it")]
    pub(super) fn is_fit(&self, _: &str) -> bool {
        true
    }

    /// Everything is registered: the server may be sent calls.
    pub(crate) fn ready(&self) {
        #[cfg(feature = "health")]
        if let Some(health) = &self.health {
            health.ready();
        }
    }

    /// What is said from now on.
    pub(super) fn news(&self) -> News {
        News {
            #[cfg(feature = "health")]
            changed: self.health.as_ref().map(HealthHandle::changed),
        }
    }
}

/// Tells of changes of a fitness.
pub(super) struct News {
    #[cfg(feature = "health")]
    changed: Option<Changed>,
}

impl News {
    /// Waits for a change since this was made, or since the last time.
    ///
    /// # Cancel safety
    /// Dropping the future loses no change.
    pub(super) async fn next(&mut self) {
        #[cfg(feature = "health")]
        if let Some(changed) = &mut self.changed {
            return changed.wait().await;
        }
        std::future::pending().await
    }
}
