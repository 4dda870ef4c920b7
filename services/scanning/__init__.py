"""Pages without warnings: what a store's pages load or post over http://, and what to do about each."""
