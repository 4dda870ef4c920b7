"""The real parts around certdesk, fetched and started: a CA, DNS servers, an edge, PostgreSQL, a Slack, a browser."""
