"""The course around the framework: questions, checking, the command line, magics."""
