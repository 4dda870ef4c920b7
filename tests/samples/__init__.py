"""Samples of all that certdesk shows in Slack, made once for whoever judges them: `tests.samples.table` lists them."""
