"""Instruments of the lessons: things to turn and see at once, each with a still picture where no kernel runs."""

from tinytorch.course.widgets.dashboard import Dashboard
from tinytorch.course.widgets.pictures import column_sums, digits, machine, slope
from tinytorch.course.widgets.quiz import Quiz, quiz
from tinytorch.course.widgets.stepper import Stepper

__all__ = ["Dashboard", "Quiz", "Stepper", "column_sums", "digits", "machine", "quiz", "slope"]
