"""Jobs: one wish for many certificates, paced by what the CAs allow, that goes on after anything."""
