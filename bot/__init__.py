"""The edge: command line, Slack, HTTP, and the one place where real parts are chosen."""
