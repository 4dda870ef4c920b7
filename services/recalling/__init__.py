"""Mass revocation by a CA: renewal windows that lie in the past become one plan for the fleet, paced and told once."""
