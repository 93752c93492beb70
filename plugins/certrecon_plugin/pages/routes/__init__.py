"""The routes of the pages, a module a subject."""
