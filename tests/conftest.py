"""What all tests share: the real parts, started when a test asks for them."""

pytest_plugins = ["tests.parts"]
