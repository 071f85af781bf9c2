"""Experiments: each a folder with its claim, its command, its `results.jsonl`, and tables made from that file alone."""
