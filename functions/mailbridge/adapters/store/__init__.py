"""Firestore: every document of the product, one file a collection family."""
