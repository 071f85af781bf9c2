"""Exploration for deep click models: what it gains, and what the models under it are worth on real clicks."""
