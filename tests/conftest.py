"""What all tests share: the real parts, started when a test asks for them, and patience on a slow machine."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.parts"]

# How long an example takes is the machine's affair: beside other work it says nothing about the code.
settings.register_profile("certdesk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("certdesk")
