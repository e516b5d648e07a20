"""Discord's stand-in: a server with members and a bot, over REST and the gateway, with pages to read and type in."""
