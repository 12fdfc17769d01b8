"""The registry: who is champion, and why."""
