"""POM in the discrimination phase: fitting what is normal, calibrating, building the detector."""
