"""Registry: where stores and domains come from."""
