"""Errors of the course itself. (The framework raises Python's own classes, where PyTorch does.)"""

from __future__ import annotations


class CourseError(Exception):
    """Something is wrong with the course, or with what was asked of it; the message says what to do."""


class NoSuchExercise(CourseError, LookupError):
    """A name that is neither an exercise nor a chapter."""
