"""How far a network may be off: what explorers go by."""
