"""Resend's stand-in: takes mails, keeps its idempotency promises, and shows a mailbox."""
