"""Letters: an outbox inside the business transaction, and the sender that drains it."""
