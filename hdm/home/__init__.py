"""Home: the lines of a plant in a browser, to look at and to act on."""
