"""Saved datasets: what they are, and how a training job reads them."""
