"""All that the services need from outside, as protocols. Each docstring is a contract that every implementation keeps."""

from services.ports.alerting import Alerts, Breakers, Budgets, Watches
from services.ports.audiences import Audit, Languages, Links
from services.ports.authority import (
    Authorization,
    CertificateAuthority,
    Challenge,
    ChallengeResponder,
    Order,
    RenewalInfo,
)
from services.ports.checks import Checker, Subject
from services.ports.edge import UNTOLD, DeployTarget, EdgeProbe, Served
from services.ports.fleet import Fleet
from services.ports.jobs import Jobs
from services.ports.proposals import Proposals
from services.ports.publications import Publication, Publications
from services.ports.queues import Message, Outbox, Request, Requests
from services.ports.recalls import Recalls
from services.ports.repositories import Account, Accounts, Certificates, Challenges, Stores
from services.ports.revocations import Revocations
from services.ports.scanning import Fetched, Fetcher, Scans, Themes
from services.ports.storage import Storage, Transaction, Vault
from services.ports.workspaces import Workspaces

__all__ = [
    "UNTOLD",
    "Account",
    "Accounts",
    "Alerts",
    "Audit",
    "Authorization",
    "Breakers",
    "Budgets",
    "CertificateAuthority",
    "Certificates",
    "Challenge",
    "ChallengeResponder",
    "Challenges",
    "Checker",
    "DeployTarget",
    "EdgeProbe",
    "Fetched",
    "Fetcher",
    "Fleet",
    "Jobs",
    "Languages",
    "Links",
    "Message",
    "Order",
    "Outbox",
    "Proposals",
    "Publication",
    "Publications",
    "Recalls",
    "RenewalInfo",
    "Request",
    "Requests",
    "Revocations",
    "Scans",
    "Served",
    "Storage",
    "Stores",
    "Subject",
    "Themes",
    "Transaction",
    "Vault",
    "Watches",
    "Workspaces",
]
