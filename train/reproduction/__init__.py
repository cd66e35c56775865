"""The paper's tables, made anew: what `python -m train.reproduce` runs."""
