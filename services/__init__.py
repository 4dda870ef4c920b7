"""What certdesk does, free of Slack, HTTP servers and databases: checks, issuance, renewal, deployment, registry."""
