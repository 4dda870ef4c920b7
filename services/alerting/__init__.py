"""Alerting: which alerts are owed, grouped by root cause; escalation, digest, pages, and certdesk's own health."""
