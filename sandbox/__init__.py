"""Stand-ins of the vendors the platform talks to: one ASGI application that never ships in production."""
