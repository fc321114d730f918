"""The service: learn from event streams, lose nothing, show what the model does."""
