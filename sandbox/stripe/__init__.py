"""Stripe's stand-in: the part of API version 2026-10-28.endive that sells one-time payments, and its hosted page."""
