"""Huefield: several believable colourings of a gray photo, steered by strokes."""
