"""Alerting: root causes out of findings, what an alert says to whom and when, escalation, clicks, the digest."""
