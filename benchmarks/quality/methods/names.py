"""Names of the methods in the order of the tables; light to import."""

ABLATIONS = ("hdm-no-dagm", "hdm-procedural", "hdm-no-pom", "hdm-k1", "hdm-no-prior")
TRAINED_BASELINES = ("draem", "anoddpm", "prior-padim", "prior-patchcore")
NAMES = ("hdm", *ABLATIONS, *TRAINED_BASELINES, "gabor-padim", "gabor-patchcore")
