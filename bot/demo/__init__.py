"""`certdesk demo`: the main job, end to end, on real parts on this machine."""
