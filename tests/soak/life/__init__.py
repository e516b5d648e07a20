"""Ninety days of a studio, played on the running platform and checked against a model that knows only the domain."""
