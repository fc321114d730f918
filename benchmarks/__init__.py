"""Seeded workloads with permanent ids, and every peer measured in the same run."""
