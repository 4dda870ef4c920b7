"""Deployment: targets, and the proof that the new certificate is really served."""
