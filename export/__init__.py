"""Trained checkpoints to ONNX model folders, with the numbers checked (`python -m export`)."""
