"""Rehearsals of what one hopes never to need. They leave nothing behind but their report."""
