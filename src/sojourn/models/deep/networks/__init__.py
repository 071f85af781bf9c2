"""Networks that split into an embedding and what is made of it."""
