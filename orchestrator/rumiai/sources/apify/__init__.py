"""Apify: runs of an actor, and what the items of its TikTok scraper hold."""
