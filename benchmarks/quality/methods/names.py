"""Names of the methods in the order of the tables; light to import."""

ABLATIONS = ("hdm-no-dagm", "hdm-no-diffusion", "hdm-no-pom", "hdm-no-normality",
             "hdm-no-mirrors", "hdm-k2", "hdm-prior-shown")
TRAINED_BASELINES = ("draem", "anoddpm", "prior-padim", "prior-patchcore")
NAMES = ("hdm", *ABLATIONS, *TRAINED_BASELINES, "gabor-padim", "gabor-patchcore")
COMES_WITH = {"hdm-no-normality": "hdm", "hdm-no-mirrors": "hdm",
              "prior-padim": "anoddpm", "prior-patchcore": "anoddpm"}
"""Methods that judge with what another one trains: one run measures both."""
