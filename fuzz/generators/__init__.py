"""Generators: functions of `fuzz.choices.Choices` that make programs, values and code objects."""
