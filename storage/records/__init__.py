"""The one place where rows become frozen dataclasses and back: rows in, dataclasses out, dicts of column values in.

Knows nothing of SQLAlchemy, so that the in-memory twin keeps exactly what the database would.
"""

from storage.records.alerting import (
    alert,
    alert_changes,
    alert_values,
    breaker,
    breaker_values,
    sighting,
    sighting_values,
    watch,
)
from storage.records.audiences import (
    channel_language,
    channel_language_values,
    entry,
    entry_values,
    keepable,
    link,
    link_request,
    link_request_values,
    link_values,
)
from storage.records.certificates import (
    certificate,
    certificate_changes,
    certificate_values,
    happening,
    happening_values,
    revision,
    revision_values,
    urgency,
)
from storage.records.coding import Values, settled, storable
from storage.records.findings import finding, finding_from_json, finding_to_json, finding_values
from storage.records.jobs import item, item_values, job, job_changes, job_values, turned
from storage.records.others import (
    account,
    account_values,
    domain,
    domain_values,
    message,
    message_values,
    request,
    request_values,
    store,
    store_values,
)
from storage.records.proposals import proposal, proposal_values
from storage.records.workspaces import workspace, workspace_values

__all__ = [
    "Values",
    "account",
    "account_values",
    "alert",
    "alert_changes",
    "alert_values",
    "breaker",
    "breaker_values",
    "certificate",
    "certificate_changes",
    "certificate_values",
    "channel_language",
    "channel_language_values",
    "domain",
    "domain_values",
    "entry",
    "entry_values",
    "finding",
    "finding_from_json",
    "finding_to_json",
    "finding_values",
    "happening",
    "happening_values",
    "item",
    "item_values",
    "job",
    "job_changes",
    "job_values",
    "keepable",
    "link",
    "link_request",
    "link_request_values",
    "link_values",
    "message",
    "message_values",
    "proposal",
    "proposal_values",
    "request",
    "request_values",
    "revision",
    "revision_values",
    "settled",
    "sighting",
    "sighting_values",
    "storable",
    "store",
    "store_values",
    "turned",
    "urgency",
    "watch",
    "workspace",
    "workspace_values",
]
