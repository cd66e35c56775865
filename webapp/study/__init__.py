"""Studies on the server: what researchers keep, and what participants see and send."""
