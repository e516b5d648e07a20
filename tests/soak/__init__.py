"""Runs that are too long for every day: `make soak`. A small form of each is among the everyday tests."""
