"""The Discord bot: a third door into the platform's services, beside the pages and the jobs."""
