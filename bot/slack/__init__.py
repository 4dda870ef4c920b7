"""Slack: listeners that ack and hand over, identity, rendering, and the notifier that delivers the outbox."""
