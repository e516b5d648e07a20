"""Google's stand-in: OAuth and OpenID, Calendar v3, push channels, and pages for the people behind the accounts."""
