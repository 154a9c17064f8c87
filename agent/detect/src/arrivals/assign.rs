//! One-to-one assignment of sightings to tracks.
