"""Earlier methods that the evaluation runs beside the model, on the same photos and points."""
