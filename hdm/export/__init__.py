"""The detector as one ONNX graph, checked against torch."""
