"""Whether planning the whole session pays, and whether what it needs can be learned."""
