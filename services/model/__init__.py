"""The words of certdesk as pure types and tables: names, stores, certificates, findings, lifecycle. No I/O, standard library only."""
