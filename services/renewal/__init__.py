"""Renewal: when to renew, how long to back off, and the runner that claims a row, does one step and saves it."""
