//! One-to-one assignment of sightings to tracks: exact within a cluster of boxes that compete, and clusters are small
//! because only boxes near each other compete.

use std::collections::BTreeMap;

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// A cluster with more boxes on its smaller side is no picture of insects; it is paired best first.
const EXACT_MAX: usize = 60;

/// One possible pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    /// Index of the track.
    pub(super) track: usize,
    /// Index of the sighting.
    pub(super) sighting: usize,
    /// How good the pair is; above 0, and below a million.
    pub(super) weight: i64,
}

/// The pairs (track, sighting) with the largest sum of weights, no index twice, in the order of tracks.
pub(super) fn pairs(edges: &[Edge]) -> Vec<(usize, usize)> {
    let mut paired: Vec<(usize, usize)> = clusters(edges)
        .iter()
        .flat_map(|cluster| solve(cluster))
        .collect();
    paired.sort_unstable();
    paired
}

/// Edges that share a track or a sighting, directly or over others, are one cluster.
fn clusters(edges: &[Edge]) -> Vec<Vec<Edge>> {
    let mut roots = Roots::default();
    for edge in edges {
        roots.join(Node::Track(edge.track), Node::Sighting(edge.sighting));
    }
    let mut clusters: BTreeMap<Node, Vec<Edge>> = BTreeMap::new();
    for edge in edges {
        clusters
            .entry(roots.root(Node::Track(edge.track)))
            .or_default()
            .push(*edge);
    }
    clusters.into_values().collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Track(usize),
    Sighting(usize),
}

/// Union-find over the nodes that occur.
#[derive(Default)]
struct Roots(BTreeMap<Node, Node>);

impl Roots {
    fn root(&mut self, node: Node) -> Node {
        let mut root = node;
        while let Some(&above) = self.0.get(&root)
            && above != root
        {
            root = above;
        }
        self.0.insert(node, root);
        root
    }

    fn join(&mut self, one: Node, other: Node) {
        let (one, other) = (self.root(one), self.root(other));
        self.0.insert(one.max(other), one.min(other));
    }
}

fn solve(cluster: &[Edge]) -> Vec<(usize, usize)> {
    if let [edge] = cluster {
        return vec![(edge.track, edge.sighting)];
    }
    let places = |index_of: fn(&Edge) -> usize| {
        let mut indices: Vec<usize> = cluster.iter().map(index_of).collect();
        indices.sort_unstable();
        indices.dedup();
        indices
    };
    let (tracks, sightings) = (places(|edge| edge.track), places(|edge| edge.sighting));
    if tracks.len().min(sightings.len()) > EXACT_MAX {
        return best_first(cluster);
    }
    // The solver wants no more rows than columns; a weight of 0 stands for "no pair".
    let is_turned = tracks.len() > sightings.len();
    let (rows, columns) = if is_turned {
        (&sightings, &tracks)
    } else {
        (&tracks, &sightings)
    };
    let mut weights = Matrix::new(rows.len(), columns.len(), 0_i64);
    for edge in cluster {
        let (row, column) = if is_turned {
            (edge.sighting, edge.track)
        } else {
            (edge.track, edge.sighting)
        };
        if let (Ok(row), Ok(column)) = (rows.binary_search(&row), columns.binary_search(&column))
            && let Some(weight) = weights.get_mut((row, column))
        {
            *weight = edge.weight.clamp(0, 1_000_000);
        }
    }
    let (_, chosen) = kuhn_munkres(&weights);
    let is_pair = |&(row, column): &(usize, usize)| {
        weights.get((row, column)).is_some_and(|&weight| weight > 0)
    };
    chosen
        .into_iter()
        .enumerate()
        .filter(is_pair)
        .filter_map(|(row, column)| {
            let (row, column) = (*rows.get(row)?, *columns.get(column)?);
            Some(if is_turned {
                (column, row)
            } else {
                (row, column)
            })
        })
        .collect()
}

fn best_first(cluster: &[Edge]) -> Vec<(usize, usize)> {
    let mut edges = cluster.to_vec();
    edges.sort_unstable_by_key(|edge| (-edge.weight, edge.track, edge.sighting));
    let (mut tracks, mut sightings) = (BTreeMap::new(), BTreeMap::new());
    let mut pairs = Vec::new();
    for edge in edges {
        if !tracks.contains_key(&edge.track) && !sightings.contains_key(&edge.sighting) {
            tracks.insert(edge.track, ());
            sightings.insert(edge.sighting, ());
            pairs.push((edge.track, edge.sighting));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge((track, sighting, weight): (usize, usize, i64)) -> Edge {
        Edge {
            track,
            sighting,
            weight,
        }
    }

    fn of(edges: &[(usize, usize, i64)]) -> Vec<(usize, usize)> {
        pairs(&edges.iter().copied().map(edge).collect::<Vec<_>>())
    }

    #[test]
    fn the_sum_counts_not_the_best_pair() {
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[(3, 5, 10)]), [(3, 5)]);
        assert_eq!(
            of(&[(0, 0, 900), (0, 1, 800), (1, 0, 850)]),
            [(0, 1), (1, 0)]
        );
        assert_eq!(of(&[(0, 0, 900), (1, 0, 850), (2, 0, 950)]), [(2, 0)]);
        assert_eq!(of(&[(0, 0, 5), (1, 1, 5), (0, 1, 100)]), [(0, 1)]);
    }

    #[test]
    fn a_huge_cluster_is_paired_best_first() {
        let mut edges = Vec::new();
        for track in 0..200 {
            for sighting in 0..200 {
                let weight = if track == sighting { 900 } else { 100 };
                edges.push((track, sighting, weight));
            }
        }
        assert!(of(&edges).iter().all(|(track, sighting)| track == sighting));
    }
}
