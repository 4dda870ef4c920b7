"""Issuance: CSR, ACME client, challenge responders, and the steps from a wish to an installed certificate."""
