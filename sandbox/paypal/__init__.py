"""PayPal's stand-in: orders, captures, refunds and disputes, the approval page, webhooks signed as PayPal signs them."""
