/// A tile that has got its last hash.
package struct FilledTile: Sendable, Hashable {
    /// Which tile it is; it is full.
    package let tile: Tile

    /// Its 256 hashes.
    package let hashes: [MerkleHash]

    /// The root over them: the hash that the level above has of this tile.
    package let root: MerkleHash
}
