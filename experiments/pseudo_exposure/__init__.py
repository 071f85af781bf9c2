"""Does correcting for what was not seen help a bandit, where, and by how much? See `README.md`."""
