"""The commands of `hdm`, thin: each reads its arguments, calls one module and prints."""
