"""Training and measuring: the paper's three stages, the baselines, the evaluation."""
