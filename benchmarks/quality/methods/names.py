"""Names of the methods in the order of the tables; light to import."""

JOINED = ("hdm-no-diffusion", "hdm-no-discriminator", "hdm-diffusion-alone", "hdm-no-inversion",
          "hdm-no-residual", "hdm-no-texture", "hdm-mean-of-z", "hdm-maximum")
ABLATIONS = ("hdm-no-sources", "hdm-no-pom")
TRAINED_BASELINES = ("draem",)
NAMES = ("hdm", *JOINED, *ABLATIONS, "patchcore", "mixture", *TRAINED_BASELINES, "gabor-padim",
         "gabor-patchcore")
COMES_WITH = dict.fromkeys(JOINED, "hdm")
"""Methods that judge with what another one trains: one run measures both."""
