"""One short file a stage: read inputs, call the module, write outputs, log."""
