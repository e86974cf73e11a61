"""POM in the generation phase: which samples are worth training on."""
