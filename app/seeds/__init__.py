"""Demo data, made through the services only, and load data for benchmarks."""
