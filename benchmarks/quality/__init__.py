"""How well HDM, its ablations and from-scratch baselines find defects in public sets."""
