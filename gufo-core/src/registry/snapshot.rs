//! [`Snapshot`]: the nodes of a service at one point in time, and how two of them differ.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::name::NodeId;
use crate::node::Node;

/// The nodes of one service at one point in time: sorted by id, each id once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    epoch: u64,
    stale: bool,
    nodes: Vec<Arc<Node>>,
}

impl Snapshot {
    /// A fresh snapshot of epoch 0; of several nodes with one id the last one stays.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = Arc<Node>>) -> Self {
        let mut nodes: Vec<_> = nodes.into_iter().collect();
        // Reversed, since the stable sort and the dedup below keep the first of equals.
        nodes.reverse();
        nodes.sort_by(|left, right| left.id.cmp(&right.id));
        nodes.dedup_by(|left, right| left.id == right.id);
        Self {
            epoch: 0,
            stale: false,
            nodes,
        }
    }

    /// The same nodes at another point in the history of their watch.
    pub(super) fn at(mut self, epoch: u64) -> Self {
        self.epoch = epoch;
        self
    }

    /// The same nodes, as last known before an outage.
    #[must_use]
    pub fn into_stale(mut self) -> Self {
        self.stale = true;
        self
    }

    /// Its place among the snapshots of one [`Watch`](super::Watch): later ones are larger. 0 in a lookup.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the backend is out of reach and these are the last nodes known.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// The nodes, sorted by id.
    #[must_use]
    pub fn nodes(&self) -> &[Arc<Node>] {
        &self.nodes
    }

    /// The node with this id.
    #[must_use]
    pub fn get(&self, id: &NodeId) -> Option<&Arc<Node>> {
        let index = self.nodes.binary_search_by(|node| node.id.cmp(id)).ok()?;
        self.nodes.get(index)
    }

    /// The number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// What turned `earlier` into this snapshot, sorted by node id; staleness is not a change of nodes.
    #[must_use]
    pub fn changes_since(&self, earlier: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        let (mut before, mut after) = (earlier.nodes.as_slice(), self.nodes.as_slice());
        loop {
            let order = match (before.first(), after.first()) {
                (None, None) => return changes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.id.cmp(&new.id),
            };
            match order {
                Ordering::Less => {
                    changes.push(Change::Removed(Arc::clone(&before[0])));
                    before = &before[1..];
                }
                Ordering::Greater => {
                    changes.push(Change::Added(Arc::clone(&after[0])));
                    after = &after[1..];
                }
                Ordering::Equal => {
                    if before[0] != after[0] {
                        changes.push(Change::Updated(Arc::clone(&after[0])));
                    }
                    (before, after) = (&before[1..], &after[1..]);
                }
            }
        }
    }
}

/// How one node differs between two snapshots; always the whole node.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// The node is new.
    Added(Arc<Node>),
    /// The node is there with another record, this one.
    Updated(Arc<Node>),
    /// The node is gone; the last record known.
    Removed(Arc<Node>),
}

impl Change {
    /// The node it is about.
    #[must_use]
    pub fn node(&self) -> &Arc<Node> {
        match self {
            Self::Added(node) | Self::Updated(node) | Self::Removed(node) => node,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::ServiceName;

    fn node(id: &str, weight: u32) -> Arc<Node> {
        let mut node = Node::new(
            ServiceName::parse("greeter").unwrap(),
            NodeId::parse(id).unwrap(),
        );
        node.weight = weight;
        Arc::new(node)
    }

    #[test]
    fn nodes_are_sorted_and_the_last_of_one_id_stays() {
        let snapshot = Snapshot::new([node("b", 1), node("a", 1), node("b", 2), node("b", 3)]);

        assert_eq!(snapshot.nodes(), [node("a", 1), node("b", 3)]);
        assert_eq!(
            snapshot.get(&NodeId::parse("b").unwrap()),
            Some(&node("b", 3))
        );
        assert_eq!(snapshot.get(&NodeId::parse("c").unwrap()), None);
    }

    #[test]
    fn changes_tell_added_updated_and_removed_apart() {
        let earlier = Snapshot::new([node("a", 1), node("b", 1), node("c", 1)]);
        let later = Snapshot::new([node("b", 1), node("c", 2), node("d", 1)]);

        assert_eq!(
            later.changes_since(&earlier),
            [
                Change::Removed(node("a", 1)),
                Change::Updated(node("c", 2)),
                Change::Added(node("d", 1))
            ]
        );
        assert_eq!(later.changes_since(&later), []);
    }
}
