"""The sub-commands of /ssl, one file each: parse, call a use case, return a Reply that knows nothing of Slack."""
