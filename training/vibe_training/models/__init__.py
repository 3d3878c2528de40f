"""The networks, with the parameter names of the published layout, so that a state dict is a checkpoint."""
