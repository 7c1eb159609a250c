"""The other end of the service: ``submit --to`` shows a run that is elsewhere as one that is here."""
