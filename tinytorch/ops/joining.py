"""Joining tensors."""
