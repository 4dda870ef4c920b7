"""What every group of configuration keys is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")
