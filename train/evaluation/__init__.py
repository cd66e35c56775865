"""The suites of `python -m train.evaluate`; their cores take functions, so stages call them too."""
