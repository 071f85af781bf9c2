"""Which click model foretells the clicks of real result pages, and what it costs: ours beside PyClick's."""
