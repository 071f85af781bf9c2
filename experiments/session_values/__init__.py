"""What a policy would have earned per session: how far estimates and their intervals are right."""
