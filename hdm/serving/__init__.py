"""The live model behind HTTP: batches, reload, metrics, a page to drop pictures on."""
