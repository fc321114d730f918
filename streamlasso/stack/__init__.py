"""Without arguments."""
