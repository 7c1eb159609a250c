"""The types that every other part speaks. Nothing in here imports another part of RumiAI."""
